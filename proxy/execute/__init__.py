"""The room where plans are carried out: by DuckDB, by the engines, by the catalog."""
