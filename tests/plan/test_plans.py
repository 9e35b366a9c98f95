"""Statements over a small catalog, and the plans that are made of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlglot import exp

from proxy.plan.binder import Binder, Facts
from proxy.plan.nodes import explain
from proxy.plan.planner import Planner
from proxy.sql.mysql_to_duckdb import to_duckdb
from proxy.sql.parser import parse
from proxy.sql.statements import Modify, Query
from proxy.variables import Variables, global_variables
from tests.fixtures import cases
from tests.fixtures.house import SmallHouse, fault, small_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("plan")) as house:
        yield house


async def plan(sql: str, house: SmallHouse) -> str:
    """The plan's lines and its warnings; or the error's code and text."""
    cursor = house.projects.database.cursor()

    async def describe(query: exp.Query) -> tuple[str, ...]:
        return tuple(field.name for field in await cursor.describe(to_duckdb(query.copy())))

    facts = Facts("modelwire", {"database": "modelwire"}, Variables(global_variables({})))
    try:
        statement = parse(sql)
        assert isinstance(statement, Query | Modify)
        bound = Binder(house.store, house.projects, facts).bind(statement.tree)
        planner = Planner(bound.models, describe)
        if isinstance(bound.tree, exp.Query):
            lines = explain(await planner.query(bound.tree))
        else:
            lines = explain(await planner.write(bound.tree))
    except Exception as error:
        return fault(error)
    finally:
        await cursor.close()
    return "\n".join([*lines, *(f"Warning: {text}" for text in planner.warnings)])


@cases.every("plan")
def test_statement_has_this_plan(case: cases.Case, house: SmallHouse, accept: bool) -> None:
    lines = house.run(plan(case.sql, house))
    assert lines.splitlines() == cases.expected(case, lines, accept)


@pytest.mark.parametrize("path", cases.files("plan"), ids=lambda path: path.stem)
def test_file_is_written_as_accept_would_write_it(path: Path) -> None:
    assert cases.written(cases.read(path)) == path.read_text(encoding="utf-8")
