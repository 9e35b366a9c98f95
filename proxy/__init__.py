"""The room of the MySQL server: wire, statements, plans and their execution."""
