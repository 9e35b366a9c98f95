"""MySQL and MariaDB, asked through DuckDB's mysql_scanner.

https://duckdb.org/docs/stable/core_extensions/mysql
"""

from collections.abc import Sequence

from catalog.errors import CatalogError
from catalog.records import SourceRecord
from catalog.sources import mysql_failures, mysql_types
from catalog.sources.kind import (
    CONNECT_TIMEOUT,
    MARK,
    Door,
    NativeKind,
    Parameter,
    attached_as,
    given,
    literal,
    login,
    quoted,
    secret,
    server_door,
)
from catalog.sources.mysql_script import split
from catalog.sources.mysql_writer import MySQLWriter
from catalog.sources.writing import Writer


class MySQL(NativeKind):
    """A database of a MySQL server."""

    name = "mysql"
    title = "MySQL"
    extension = "mysql_scanner"
    dialect = "mysql"
    executes = True
    parameters = (
        Parameter("host", "Host name or address", required=True),
        Parameter("port", "Port", value_type=int, default=3306),
        Parameter("user", "User", required=True),
        Parameter("password", "Password", secret=True),
        Parameter("database", "Database", required=True),
        Parameter("ssl", "Whether the connection has to be encrypted", value_type=bool),
        CONNECT_TIMEOUT,
    )

    def attach(self, record: SourceRecord) -> Sequence[str]:
        """A secret, and a catalog that uses it."""
        values = given(record, self.parameters)
        named = login(values)
        if values.get("ssl") is not None:
            named["SSL_MODE"] = "required" if values["ssl"] else "disabled"
        name = quoted(attached_as(record))
        return (
            secret(record, "mysql", named),
            f"ATTACH '' AS {name} (TYPE mysql, SECRET {name})",
        )

    def detach(self, record: SourceRecord) -> Sequence[str]:
        """The catalog, then its secret."""
        name = quoted(attached_as(record))
        return (f"DETACH DATABASE IF EXISTS {name}", f"DROP SECRET IF EXISTS {name}")

    def door(self, record: SourceRecord) -> Door:
        """The server greets: DuckDB's scanner would wait for that without an end."""
        return server_door(record, self.parameters, greets=True)

    def default_schema(self, record: SourceRecord) -> str:
        """The database that was named."""
        return str(record.parameters["database"])

    def ask(self, record: SourceRecord, native: str, *, changing: bool = False) -> str:
        """The query runs in the server as it is, behind the line's mark. Rows that stream come over
        a connection of their own, which does not see what the transaction has changed."""
        own = ", stream_results = false" if changing else ""
        name = literal(attached_as(record))
        return f"SELECT * FROM mysql_query({name}, {literal(_marked(native))}{own})"

    def call(self, record: SourceRecord, native: str) -> str:
        """The statement runs in the server as it is, behind the line's mark."""
        return f"CALL mysql_execute({literal(attached_as(record))}, {literal(_marked(native))})"

    @property
    def writer(self) -> Writer:
        """Through JSON."""
        return MySQLWriter()

    def cancel(self, record: SourceRecord, mark: str) -> Sequence[str]:
        """By the mark in its text."""
        name = literal(attached_as(record))
        running = (
            "SELECT MAX(ID) AS id FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() "
            f"AND INFO LIKE CONCAT('%', '{mark[:-4]}', '{mark[-4:]}', '%')"
        )
        return (
            f"SET VARIABLE ending = coalesce((SELECT 'KILL QUERY ' || id "
            f"FROM mysql_query({name}, {literal(running)})), 'DO 0')",
            f"CALL mysql_execute({name}, getvariable('ending'))",
        )

    def failure(self, message: str) -> CatalogError:
        """By the server's text."""
        return mysql_failures.failure(message)

    def execute(self, record: SourceRecord, native: str) -> Sequence[str]:
        """Each statement alone, all in one transaction as far as MySQL has any for them: the
        scanner stumbles over a second result."""
        calls = (self.call(record, sql) for sql in split(native))
        return ("BEGIN TRANSACTION", *calls, "COMMIT")

    def quoted(self, name: str) -> str:
        """In backticks, whatever the server's sql_mode."""
        return "`" + name.replace("`", "``") + "`"

    def tables(self, record: SourceRecord) -> str:
        """From information_schema."""
        return (
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS "
            f"FROM information_schema.TABLES WHERE TABLE_SCHEMA = {_text(self, record)} ORDER BY 2"
        )

    def columns(
        self, record: SourceRecord, schema: str | None = None, table: str | None = None
    ) -> str:
        """From information_schema."""
        one = f" AND TABLE_NAME = {native_text(table)}" if table else ""
        return (
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, CONCAT(COLUMN_TYPE, "
            "IF(RIGHT(COLLATION_NAME, 4) = '_bin', CONCAT(' collate ', COLLATION_NAME), '')), "
            "IF(IS_NULLABLE = 'YES', 1, 0), COLUMN_KEY, COLUMN_DEFAULT, EXTRA "
            "FROM information_schema.COLUMNS "
            f"WHERE TABLE_SCHEMA = {native_text(schema or self.default_schema(record))}{one} "
            "ORDER BY TABLE_NAME, ORDINAL_POSITION"
        )

    def indexes(
        self, record: SourceRecord, schema: str | None = None, table: str | None = None
    ) -> str:
        """From information_schema."""
        one = f" AND TABLE_NAME = {native_text(table)}" if table else ""
        return (
            "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, "
            "IF(NULLABLE = 'YES', 1, 0), INDEX_TYPE FROM information_schema.STATISTICS "
            f"WHERE TABLE_SCHEMA = {native_text(schema or self.default_schema(record))}{one} "
            "ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', NON_UNIQUE, INDEX_NAME, SEQ_IN_INDEX"
        )

    def value_type(self, type_: str) -> str:
        """By its name."""
        return mysql_types.value_type(type_)

    def mysql_type(self, type_: str) -> str:
        """As it is."""
        return mysql_types.mysql_type(type_)

    def read(self, column: str, type_: str) -> str:
        """Cast where DuckDB's scanner would lose something."""
        return mysql_types.read(column, type_)


class MariaDB(MySQL):
    """A database of a MariaDB server."""

    name = "mariadb"
    title = "MariaDB"

    def default(self, text: str | None) -> str | None:
        """MariaDB's catalog has an expression where MySQL's has a value."""
        return mysql_types.mariadb_default(text)


def native_text(text: str) -> str:
    """A text in MySQL's SQL, whatever its sql_mode."""
    return f"CONVERT(0x{text.encode().hex()} USING utf8mb4)" if text else "''"


def _text(kind: MySQL, record: SourceRecord) -> str:
    return native_text(kind.default_schema(record))


def _marked(native: str) -> str:
    return f"/* {MARK} */ {native}"
