"""The room of what is kept: definitions, users' tables, secrets; the only one that knows DuckDB.

It knows no MySQL and no language model.
"""

import duckdb

# DuckDB 1.5.5 opens a database in memory as it is imported: 4 MB and a thread for each processor
# but one, for nobody (tests/catalog/test_import.py). Whoever does need it gets a new one.
duckdb.default_connection().close()
