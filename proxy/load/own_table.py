"""A table of a project as the target of a file's rows.

What IGNORE and REPLACE leave out is found before a row is inserted; values are made elsewhere.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from sqlglot import exp

from catalog.database import Row
from catalog.errors import DuplicateKey, WrongKind
from proxy.load.keys import Key, quoted
from proxy.load.target import Added, Incoming, TargetColumn
from proxy.queries import columns_of
from proxy.sql.mysql_to_duckdb import to_duckdb
from proxy.sql.statements import Duplicates, Name
from proxy.state import State

_HELD = '"__mw_load"'
"""The rows of a portion whose keys are looked at, numbered."""

_COLUMNS = """
SELECT column_name, data_type, is_nullable, column_default FROM duckdb_columns()
WHERE schema_name = $1 AND lower(table_name) = lower($2) AND database_name = current_database()
ORDER BY column_index
"""
_KEYS = """
SELECT constraint_type, constraint_column_names FROM duckdb_constraints()
WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND schema_name = $1
  AND lower(table_name) = lower($2) AND database_name = current_database()
"""
_KIND = (
    "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() "
    "AND schema_name = $1 AND lower(table_name) = lower($2)"
)


async def own_table(table: exp.Table, state: State) -> "OwnTable":
    """The table that a name means to a session. Raises TableUnknown, DatabaseUnknown, NoDatabase,
    WrongKind for a view, Unsupported for a model."""
    bound = _bound(table, state)
    names = [bound.db, bound.name]
    await columns_of(Name(bound.name, bound.db), state)  # which knows what is near a wrong name
    cursor = state.reader
    if not (await cursor.execute(_KIND, names))[0][0]:
        raise WrongKind(f"'{bound.db}.{bound.name}' is not BASE TABLE")
    found = [
        TargetColumn(name, type_, bool(nullable), default or "NULL")
        for name, type_, nullable, default in await cursor.execute(_COLUMNS, names)
    ]
    keys = [
        Key("PRIMARY" if kind == "PRIMARY KEY" else columns[0], tuple(columns))
        for kind, columns in await cursor.execute(_KEYS, names)
    ]
    return OwnTable(state, to_duckdb(bound), found, keys)


def _bound(table: exp.Table, state: State) -> exp.Table:
    """The table as an INSERT names it, which refuses models and information_schema."""
    insert = exp.Insert(this=table.copy(), expression=exp.select("1"))
    bound = state.binder().bind(insert).tree.this
    assert isinstance(bound, exp.Table)
    return bound


class OwnTable:
    """The Target; proxy/load/target.py has the contract. `table` is its name in DuckDB's SQL."""

    def __init__(
        self,
        state: State,
        table: str,
        columns: Sequence[TargetColumn],
        keys: Sequence[Key],
    ) -> None:
        self.columns = columns
        self._state = state
        self._table = table
        self._keys = keys

    def changing(self) -> AbstractAsyncContextManager[None]:
        """One transaction: the session's, or one of its own."""
        return self._state.transactions.in_parts()

    async def add(self, rows: Incoming, duplicates: Duplicates) -> Added:
        """Insert a portion."""
        given = {name.casefold() for name in rows.columns}
        keys = [key for key in self._keys if given.issuperset(map(str.casefold, key.columns))]
        if not keys or duplicates == "fail":
            return Added(await self._insert(rows.columns, rows.query, rows.parameters))
        names = ", ".join(map(quoted, rows.columns))
        await self._run(
            f"CREATE OR REPLACE TEMP TABLE {_HELD} AS SELECT row_number() OVER () AS __n, * "
            f"FROM ({rows.query}) AS __given ({names})",
            rows.parameters,
        )
        meet = self._ignore if duplicates == "ignore" else self._replace
        deleted, left_out = await meet(keys)
        query = f"SELECT {names} FROM {_HELD} ORDER BY __n"
        await self._insert(rows.columns, query, ())
        await self._run(f"DROP TABLE {_HELD}")
        return Added(rows.count - len(left_out), deleted, left_out)

    async def _ignore(self, keys: Sequence[Key]) -> tuple[int, list[DuplicateKey]]:
        """Leave out the rows whose key is there already, or comes a second time."""
        left_out: list[DuplicateKey] = []
        for key in keys:
            there = f"EXISTS (SELECT 1 FROM {self._table} AS __t WHERE {key.same})"
            found = await self._run(
                f"DELETE FROM {_HELD} AS __r WHERE {key.whole} "
                f"AND (__n IN ({key.seconds(_HELD)}) OR {there}) "
                f"RETURNING concat_ws('-', {key.listed})"
            )
            left_out += (
                DuplicateKey(f"Duplicate entry '{entry}' for key '{key.name}'")
                for (entry,) in found
            )
        return 0, left_out

    async def _replace(self, keys: Sequence[Key]) -> tuple[int, list[DuplicateKey]]:
        """Take away what has the key of a row that comes: of the table, and of the file."""
        seconds = " UNION ALL ".join(key.seconds(_HELD, last=True) for key in keys)
        ((deleted,),) = await self._run(f"DELETE FROM {_HELD} WHERE __n IN ({seconds})")
        for key in keys:
            ((gone,),) = await self._run(
                f"DELETE FROM {self._table} AS __t WHERE EXISTS "
                f"(SELECT 1 FROM {_HELD} AS __r WHERE {key.same})"
            )
            deleted += gone
        return deleted, []

    async def _insert(self, columns: Sequence[str], query: str, parameters: Sequence[str]) -> int:
        names = ", ".join(map(quoted, columns))
        sql = f"INSERT INTO {self._table} ({names}) {query}"
        ((stored,),) = await self._run(sql, parameters)
        return int(stored)

    async def _run(self, sql: str, parameters: Sequence[str] = ()) -> list[Row]:
        return await self._state.cursor.execute(sql, parameters)
