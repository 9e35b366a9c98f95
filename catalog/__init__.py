"""The room of what is kept: definitions, users' tables, secrets; the only one that knows DuckDB.

It knows no MySQL and no language model.
"""
