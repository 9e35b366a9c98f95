"""The room of the language models: what to ask, how to ask it, what came back.

It knows no SQL, no MySQL and no DuckDB.
"""
