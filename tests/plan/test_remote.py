"""Statements over tables of sources, and what each source is asked for. No source is there."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlglot import exp

from catalog.database import Cursor, Field
from catalog.records import SourceRecord
from catalog.sources.kind import NativeKind, SourceColumn, SourceTable
from catalog.sources.kinds import find_kind
from proxy.execute.relations import snapshot as make
from proxy.plan.binder import Binder, Facts
from proxy.plan.nodes import Remote, Snapshot, explain
from proxy.plan.planner import Planner
from proxy.plan.remote.lower import Lowering
from proxy.plan.remote.tables import Reach, source_names
from proxy.sql.mysql_to_duckdb import to_duckdb
from proxy.sql.parser import parse
from proxy.sql.statements import Modify, Query
from proxy.variables import Variables, global_variables
from tests.fixtures import cases
from tests.fixtures.house import SmallHouse, fault, small_house

NOW = datetime(2026, 1, 1)
PG = SourceRecord("pg", "postgres", {}, {}, NOW)
MARIA = SourceRecord("maria", "mariadb", {"database": "shop"}, {}, NOW)
COLUMNS = {
    "reviews": "id INTEGER!, user_id BIGINT, stars SMALLINT, body VARCHAR, price DECIMAL(10,2), "
    "f FLOAT, ok BOOLEAN, made DATE, at TIMESTAMP",
    "users": "id INTEGER!, name VARCHAR",
    "orders": "id INTEGER!, name VARCHAR, at TIMESTAMP",
    "": "n INTEGER",
}


def table(source: SourceRecord, name: str) -> SourceTable:
    kind = find_kind(source.engine)
    assert isinstance(kind, NativeKind)
    pairs = [item.split(" ") for item in COLUMNS[name].split(", ")]
    columns = tuple(
        SourceColumn(name, type_.rstrip("!"), "", kind.quoted(name), nullable=type_[-1] != "!")
        for name, type_ in pairs
    )
    return SourceTable(source, "public" if source is PG else "shop", name, columns)


class Asked:
    """Sources that take all that they are asked, and answer with DuckDB's columns."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._last: list[Field] = []

    async def fields(self, query: exp.Query) -> list[Field]:
        self._last = []
        self._last = await self._cursor.describe(to_duckdb(query.copy()))
        return self._last

    async def takes(self, node: Remote) -> list[Field] | None:
        return self._last


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("remote")) as house:
        yield house


async def plan(sql: str, house: SmallHouse) -> str:
    """The plan's lines; or the error's code and text."""
    cursor = house.projects.database.cursor()
    asked = Asked(cursor)

    async def describe(query: exp.Query) -> tuple[str, ...]:
        return tuple(field.name for field in await asked.fields(query))

    try:
        statement = parse(sql)
        assert isinstance(statement, Query | Modify)
        sources = {"pg": PG, "maria": MARIA}
        names = source_names(statement.tree, sources.__contains__, "modelwire")
        tables = {key: table(sources[n.source], n.name) for key, n in names.items()}
        facts = Facts("modelwire", {"database": "modelwire"}, Variables(global_variables({})))
        reach = Reach(sources.__contains__, tables)
        bound = Binder(house.store, house.projects, facts, reach).bind(statement.tree)
        for remote in bound.remotes.values():
            await cursor.execute(make(Snapshot(remote.relation, remote.fields, ())))
        planner = Planner(bound.models, describe)
        writes = not isinstance(bound.tree, exp.Query)
        made = await (planner.write(bound.tree) if writes else planner.query(bound.tree))
        return "\n".join(explain(await Lowering(bound.remotes, asked).lower(made)))
    except Exception as error:
        return fault(error)
    finally:
        await cursor.close()


@cases.every("remote")
def test_statement_asks_this_of_sources(case: cases.Case, house: SmallHouse, accept: bool) -> None:
    lines = house.run(plan(case.sql, house))
    assert lines.splitlines() == cases.expected(case, lines, accept)


@pytest.mark.parametrize("path", cases.files("remote"), ids=lambda path: path.stem)
def test_file_is_written_as_accept_would_write_it(path: Path) -> None:
    assert cases.written(cases.read(path)) == path.read_text(encoding="utf-8")
