"""What is asked of data sources natively, and what DuckDB does with the rest.

It writes SQL for sources; nothing here reaches one.
"""
