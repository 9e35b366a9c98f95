"""One row of literals needs no table: it answers as the same row out of a table does."""

from collections.abc import Iterator

import pytest

from catalog.records import ModelRecord, TargetRecord
from tests.fixtures.house import LONG_AGO, SmallHouse, small_house
from tests.support.endpoint import Endpoint

VALUES = [
    "'soup'",
    "'it''s \"quoted\"'",
    "'back \\\\ slash'",
    "'{{x}} %s \\n?'",
    "'한 ✓'",
    "''",
    "NULL",
    "1",
    "-1",
    "1.50",
    "1e3",
    "TRUE",
    "0x41",
    "CONCAT('a', 'b')",
    "UPPER('ab')",
    "DATE '2026-02-28'",
    "1 + 1",
    "18446744073709551615",
]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(lambda prompt: prompt) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def house(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("constant"), endpoint.url) as house:
        options = {"model_name": "small", "prompt_template": "Echo {{x}}."}
        given = ("modelwire", "echo", 1, "e", (TargetRecord("said"),), ("x",), options, LONG_AGO)
        house.run(house.store.add_model(ModelRecord(*given), or_replace=False))
        house.rows("CREATE TABLE one (n INT)")
        house.rows("INSERT INTO one VALUES (1)")
        yield house


@pytest.mark.parametrize("value", VALUES)
def test_a_literal_is_asked_as_a_column_of_that_value(
    value: str, house: SmallHouse, endpoint: Endpoint
) -> None:
    house.rows("SET SESSION prediction_cache = 'off'")
    endpoint.forget()
    constant = house.rows(f"SELECT said, CHAR_LENGTH(said) FROM echo WHERE x = {value}")
    column = f"(SELECT {value} AS x FROM one) t"
    table = house.rows(f"SELECT said, CHAR_LENGTH(said) FROM {column} JOIN echo ON echo.x = t.x")
    prompts = [request.prompt for request in endpoint.requests]
    assert constant == table
    assert prompts[: len(prompts) // 2] == prompts[len(prompts) // 2 :]


@pytest.mark.parametrize("value", ["'soup'", "1", "NULL", "'한'"])
def test_columns_are_the_same_both_ways(value: str, house: SmallHouse) -> None:
    columns, _ = house.table(f"SELECT said FROM echo WHERE x = {value}")
    others, _ = house.table(
        f"SELECT said FROM (SELECT {value} AS x FROM one) t JOIN echo ON echo.x = t.x"
    )
    assert [(c.name, c.type) for c in columns] == [(c.name, c.type) for c in others]


def test_null_is_not_asked(house: SmallHouse, endpoint: Endpoint) -> None:
    endpoint.forget()
    assert house.rows("SELECT said FROM echo WHERE x = NULL") == [(None,)]
    assert endpoint.calls == 0


def test_a_prediction_of_literals_leaves_no_table_behind(house: SmallHouse) -> None:
    house.rows("SELECT said FROM echo WHERE x = 'a'")
    cursor = house.session._state.cursor
    assert house.run(cursor.execute("FROM duckdb_tables() WHERE temporary")) == []


def test_a_prediction_over_a_table_leaves_no_table_behind(house: SmallHouse) -> None:
    house.rows("SELECT said FROM one JOIN echo ON echo.x = one.n")
    cursor = house.session._state.cursor
    assert house.run(cursor.execute("FROM duckdb_tables() WHERE temporary")) == []
