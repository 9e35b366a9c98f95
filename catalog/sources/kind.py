"""What a kind of data source is: the whole contract of `CREATE DATABASE … WITH ENGINE = …`.

A kind only writes SQL; outside.py and database.py run it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, TypeAlias

from catalog.database import Field, Row
from catalog.errors import CatalogError, SourceFailed
from catalog.records import SourceRecord
from catalog.sources.writing import Writer

Value: TypeAlias = str | int | bool
MARK = "modelwire:line"
"""Stands in a kind's SQL for what the line that runs it is known by in the source."""
PROBE = " (new)"
"""What the names of definitions end in that are only tried."""
ValueType: TypeAlias = type[str] | type[int] | type[bool]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of a kind's PARAMETERS. The value of a `secret` is sealed, and never shown."""

    name: str
    description: str
    value_type: ValueType = str
    required: bool = False
    secret: bool = False
    default: Value | None = None
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """The only texts that it takes, in lower case; any where there are none."""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of a source's table: `type` is DuckDB's, in which its values come in; `mysql_type`
    as SHOW COLUMNS prints it, nothing where that follows from `type`; `key` PRI, UNI, MUL or
    nothing."""

    name: str
    type: str
    mysql_type: str
    read: str = ""
    """The native expression that reads it without loss."""
    native_type: str = ""
    """Its type as the source writes it."""
    nullable: bool = True
    key: str = ""
    default: str | None = None
    extra: str = ""


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table or view of a source, with the case that the source gives its names. Where DuckDB
    itself has no table to read it by, `view` is the SELECT, inside, of its rows: whoever reads it
    lets a temporary view of that text stand for it."""

    source: SourceRecord
    schema: str
    name: str
    columns: tuple[SourceColumn, ...] = field(repr=False)
    view: str | None = None
    native: str | None = None
    """The native query of its rows, where it is no table of the source's but a query's result."""


@dataclass(frozen=True, slots=True)
class IndexColumn:
    """A column of an index, or an expression: a row of SHOW INDEX."""

    table: str
    unique: bool
    index: str
    position: int
    column: str
    nullable: bool = True
    type: str = "BTREE"


class Desk(Protocol):
    """Where a shelf has its SQL run: DuckDB inside or outside. Raises CatalogError; cancellable."""

    async def rows(self, query: str) -> list[Row]:
        """The rows of a query; few are expected."""

    async def fields(self, query: str) -> list[Field]:
        """The columns of a query, without running it."""

    async def run(self, *statements: str) -> None:
        """Run statements that have no rows."""


class Shelf(ABC):
    """What an attached source holds, for kinds whose tables are not found by native queries. It
    keeps what it knows as long as that is true, or believes it for a while."""

    @abstractmethod
    async def tables(self) -> Sequence[Row]:
        """All tables: schema, name, 'BASE TABLE' or 'VIEW', estimated rows."""

    @abstractmethod
    async def table(self, name: str, schema: str | None) -> SourceTable:
        """A table with its columns, whatever the case of its names. Raises TableUnknown."""

    async def indexes(self, table: SourceTable) -> Sequence[IndexColumn]:
        """The table's indexes."""
        return ()


@dataclass(frozen=True, slots=True)
class Door:
    """Where a server listens: it has `timeout` seconds to answer. Who `greets` speaks first."""

    host: str
    port: int
    timeout: int
    greets: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Kind(ABC):
    """A kind of data source. Kinds without a `dialect` are attached to the instance inside, and
    DuckDB reads their tables; the others are asked in their own dialect."""

    name: ClassVar[str]
    title: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    extension: ClassVar[str | None] = None
    dialect: ClassVar[str | None] = None
    """sqlglot's name of the dialect in which the source is asked."""
    writes: ClassVar[bool] = False
    """Whether its tables take rows, and it takes tables."""
    executes: ClassVar[bool] = False
    """Whether statements in its own words may be run in it: NativeKind.execute."""

    @abstractmethod
    def attach(self, record: SourceRecord) -> Sequence[str]:
        """The statements that attach the source as the catalog `attached_as(record)`."""

    @abstractmethod
    def detach(self, record: SourceRecord) -> Sequence[str]:
        """The statements that let it go again; what is not attached is no error."""

    @abstractmethod
    def default_schema(self, record: SourceRecord) -> str:
        """The schema that `source.table` means."""

    def shelf(self, record: SourceRecord, desk: Desk) -> Shelf | None:
        """What the attached source holds; None where NativeKind's queries tell."""
        return None

    def opening(self, record: SourceRecord) -> Sequence[str]:
        """What a line outside begins with, before it asks this source anything."""
        return ()

    def door(self, record: SourceRecord) -> Door | None:
        """Where a source is knocked at before it is attached, if it is a server."""
        return None


class LocalKind(Kind):
    """A file or folder, which is attached inside: its parameter `path`, which `attach` is given as
    the real path that the administrator's folders allow."""


class RemoteKind(Kind):
    """A source that is asked in its own dialect, from the instance outside."""

    dialect: ClassVar[str]

    @abstractmethod
    def ask(self, record: SourceRecord, native: str, *, changing: bool = False) -> str:
        """DuckDB's SELECT of the rows that a query in the source's dialect has; where `changing`,
        as the transaction sees them that the line has open."""

    def introduction(self, record: SourceRecord) -> Sequence[str]:
        """DuckDB's statements behind each BEGIN of a line that make its transaction known to the
        source by its MARK."""
        return ()

    @abstractmethod
    def cancel(self, record: SourceRecord, mark: str) -> Sequence[str]:
        """DuckDB's statements that end what the source runs for the line of that mark; nothing that
        runs is no error."""

    def quoted(self, name: str) -> str:
        """A name in the source's dialect."""
        return quoted(name)

    def select(self, columns: Sequence[SourceColumn], relation: str) -> str:
        """The native query that reads columns of a relation, written natively, without loss."""
        items = ", ".join(f"{column.read} AS {self.quoted(column.name)}" for column in columns)
        return f"SELECT {items} FROM {relation}"

    def failure(self, message: str) -> CatalogError:
        """What an error of the source, in DuckDB's words, is to the client. The text of a
        SourceUnreachable or SourceDenied is the server's message alone."""
        return SourceFailed(message)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a native `query`, fit to stand in brackets, has for columns: `statement`, undone with
    its transaction, makes them known, and the native query `columns` reads them, as
    NativeKind.columns."""

    query: str
    statement: str
    columns: str


class NativeKind(RemoteKind):
    """A server of SQL, which tells of its tables and is written to."""

    writes = True

    @abstractmethod
    def tables(self, record: SourceRecord) -> str:
        """The native query of all tables: schema, name, 'BASE TABLE' or 'VIEW', estimated rows."""

    @abstractmethod
    def columns(
        self, record: SourceRecord, schema: str | None = None, table: str | None = None
    ) -> str:
        """The native query of the columns of all tables, or of one, in order: schema, table, name,
        type as the source writes it, 1 if it may be NULL, key, default, extra."""

    @abstractmethod
    def indexes(
        self, record: SourceRecord, schema: str | None = None, table: str | None = None
    ) -> str:
        """The native query of the indexes of all tables, or of one, a row for each of their
        columns, in order: schema, table, name, 1 if values may repeat, number from 1, column or
        expression, 1 if it may be NULL, type."""

    def shape(self, native: str) -> Shape | None:
        """How to learn the types of a query whose columns are DOUBLE to DuckDB's scanner; None
        where there is no more to learn."""
        return None

    @abstractmethod
    def value_type(self, type_: str) -> str:
        """DuckDB's type in which what `read` reads of that native type comes in."""

    @abstractmethod
    def mysql_type(self, type_: str) -> str:
        """The type, as the source writes it, in MySQL's words."""

    @abstractmethod
    def read(self, column: str, type_: str) -> str:
        """The native expression that reads a quoted column of that native type without loss."""

    def default(self, text: str | None) -> str | None:
        """A column's default, as the source writes it, in MySQL's words."""
        return text

    @abstractmethod
    def call(self, record: SourceRecord, native: str) -> str:
        """DuckDB's statement that runs a native one in the transaction that the line has open."""

    @property
    @abstractmethod
    def writer(self) -> Writer:
        """The statements that write rows."""

    def execute(self, record: SourceRecord, native: str) -> Sequence[str]:
        """DuckDB's statements that have the source run statements in its own words, where it
        `executes` any."""
        return ()


def attached_as(record: SourceRecord) -> str:
    """The name of the catalog that DuckDB knows the source by: none of our own has it."""
    return f"@{record.name.casefold()}"


def quoted(name: str) -> str:
    """A name in DuckDB's SQL, or PostgreSQL's."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in DuckDB's SQL."""
    return "'" + text.replace("'", "''") + "'"


CONNECT_TIMEOUT = Parameter(
    "connect_timeout", "Seconds that the server has to answer", value_type=int, default=10
)


def login(values: Mapping[str, Value]) -> dict[str, Value]:
    """What a server's secret says of its parameters, in the words of DuckDB's scanners."""
    return {
        "HOST": values["host"],
        "PORT": values["port"],
        "USER": values["user"],
        "PASSWORD": values.get("password", ""),
        "DATABASE": values["database"],
    }


def secret(record: SourceRecord, scanner: str, named: Mapping[str, Value]) -> str:
    """DuckDB's statement that keeps what is named for a scanner, in memory."""
    items = ", ".join(f"{name} {literal(str(value))}" for name, value in named.items())
    return f"CREATE OR REPLACE SECRET {quoted(attached_as(record))} (TYPE {scanner}, {items})"


def server_door(
    record: SourceRecord, parameters: Sequence[Parameter], *, greets: bool = False
) -> Door:
    """The door of a source with the parameters host, port and connect_timeout."""
    values = given(record, parameters)
    host, port = str(values["host"]), int(values["port"])
    return Door(host, port, max(1, int(values["connect_timeout"])), greets)


def given(record: SourceRecord, parameters: Sequence[Parameter]) -> Mapping[str, Value]:
    """The values of a source's parameters, secrets and defaults among them."""
    values = {p.name: p.default for p in parameters if p.default is not None}
    return {**values, **record.parameters, **record.secrets}
