"""PostgreSQL, asked through DuckDB's postgres_scanner.

https://duckdb.org/docs/stable/core_extensions/postgres
"""

from collections.abc import Sequence

from catalog.errors import CatalogError
from catalog.records import SourceRecord
from catalog.sources import postgres_failures, postgres_types
from catalog.sources.kind import (
    CONNECT_TIMEOUT,
    MARK,
    Door,
    NativeKind,
    Parameter,
    Shape,
    Value,
    attached_as,
    given,
    literal,
    login,
    quoted,
    secret,
    server_door,
)
from catalog.sources.postgres_catalog import COLUMNS, INDEXES, TABLES, USERS
from catalog.sources.postgres_writer import PostgresWriter
from catalog.sources.writing import Writer

_SHAPE = "modelwire_shape"
# A connection whose other end is gone without a word is given up within a minute.
_OPTIONS: dict[str, Value] = {
    "application_name": "modelwire",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# Any other text may bring options of its own into the connection's: another host, for one.
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class Postgres(NativeKind):
    """A database of a PostgreSQL server."""

    name = "postgres"
    title = "PostgreSQL"
    extension = "postgres_scanner"
    dialect = "postgres"
    executes = True
    parameters = (
        Parameter("host", "Host name or address", required=True),
        Parameter("port", "Port", value_type=int, default=5432),
        Parameter("user", "User", required=True),
        Parameter("password", "Password", secret=True),
        Parameter("database", "Database", required=True, aliases=("dbname",)),
        Parameter("schema", "Schema of tables that are named without one", default="public"),
        Parameter("sslmode", "How the connection is encrypted", choices=_SSL_MODES),
        CONNECT_TIMEOUT,
    )

    def attach(self, record: SourceRecord) -> Sequence[str]:
        """A secret, and a catalog that uses it."""
        values = given(record, self.parameters)
        options = {**_OPTIONS, "connect_timeout": values["connect_timeout"]}
        if "sslmode" in values:
            options["sslmode"] = values["sslmode"]
        text = " ".join(f"{option}={value}" for option, value in options.items())
        name = quoted(attached_as(record))
        return (
            secret(record, "postgres", login(values)),
            f"ATTACH {literal(text)} AS {name} (TYPE postgres, SECRET {name})",
        )

    def detach(self, record: SourceRecord) -> Sequence[str]:
        """The catalog, then its secret."""
        name = quoted(attached_as(record))
        return (f"DETACH DATABASE IF EXISTS {name}", f"DROP SECRET IF EXISTS {name}")

    def door(self, record: SourceRecord) -> Door | None:
        """None for the folder of a socket."""
        door = server_door(record, self.parameters)
        return None if door.host.startswith("/") else door

    def default_schema(self, record: SourceRecord) -> str:
        """Its parameter, public where none is given."""
        return str(given(record, self.parameters)["schema"])

    def ask(self, record: SourceRecord, native: str, *, changing: bool = False) -> str:
        """The query runs in the server as it is."""
        text = _bare(native)
        return f"SELECT * FROM postgres_query({literal(attached_as(record))}, {literal(text)})"

    def introduction(self, record: SourceRecord) -> Sequence[str]:
        """Its session bears the line's mark until the transaction ends."""
        return (self.call(record, f"SET LOCAL application_name = {literal(MARK)}"),)

    def cancel(self, record: SourceRecord, mark: str) -> Sequence[str]:
        """By the mark: a session whose transaction has ended bears it no more."""
        running = (
            "SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity "
            f"WHERE application_name = {literal(mark)} AND state = 'active'"
        )
        return (self.ask(record, running),)

    def failure(self, message: str) -> CatalogError:
        """By the server's text."""
        return postgres_failures.failure(message)

    def call(self, record: SourceRecord, native: str) -> str:
        """The statement runs in the server as it is."""
        return f"CALL postgres_execute({literal(attached_as(record))}, {literal(native)})"

    @property
    def writer(self) -> Writer:
        """Through JSON."""
        return PostgresWriter()

    def execute(self, record: SourceRecord, native: str) -> Sequence[str]:
        """As psql sends a text: several statements are one transaction, and what must not stand in
        one, such as VACUUM, may stand alone. The transaction is DuckDB's alone: it keeps to one
        session of PostgreSQL, which bears the line's mark. Behind the bare word BEGIN a line says
        nothing of its own."""
        source = literal(attached_as(record))
        named = literal(f"SET application_name = {literal(MARK)}")
        calls = (
            f"CALL postgres_execute({source}, {text}, use_transaction := false)"
            for text in (named, literal(native))
        )
        return ("BEGIN", *calls, "COMMIT")

    def tables(self, record: SourceRecord) -> str:
        """From PostgreSQL's own catalog."""
        return TABLES

    def columns(
        self, record: SourceRecord, schema: str | None = None, table: str | None = None
    ) -> str:
        """From PostgreSQL's own catalog."""
        return COLUMNS.format(where=_where(schema, table))

    def shape(self, native: str) -> Shape:
        """By a view of it: of numbers of any precision the scanner says no more than DOUBLE."""
        where = f"c.oid = 'pg_temp.{_SHAPE}'::pg_catalog.regclass"
        query = _bare(native)
        return Shape(query, f"CREATE TEMP VIEW {_SHAPE} AS {query}", COLUMNS.format(where=where))

    def indexes(
        self, record: SourceRecord, schema: str | None = None, table: str | None = None
    ) -> str:
        """From PostgreSQL's own catalog."""
        return INDEXES.format(where=_where(schema, table))

    def value_type(self, type_: str) -> str:
        """By its name."""
        return postgres_types.value_type(type_)

    def mysql_type(self, type_: str) -> str:
        """PostgreSQL's names of types in MySQL's words."""
        return postgres_types.mysql_type(type_)

    def default(self, text: str | None) -> str | None:
        """What is no value but an expression stays PostgreSQL's."""
        return postgres_types.default(text)

    def read(self, column: str, type_: str) -> str:
        """Cast where DuckDB's scanner would lose something."""
        return postgres_types.read(column, type_)


def _bare(native: str) -> str:
    """A query that may stand in brackets: DuckDB's scanner puts it there."""
    text = native.rstrip().rstrip(";").rstrip()
    return f"{text}\n/**/" if "--" in text.rpartition("\n")[2] else text


def _where(schema: str | None, table: str | None) -> str:
    names = (("n.nspname", schema), ("c.relname", table))
    return " AND ".join([USERS, *(f"{c} = {literal(name)}" for c, name in names if name)])
