"""Models called as functions: prepared, streamed, and in changes beside other clients' changes."""

import asyncio
from collections.abc import Iterator

import pytest

from proxy.result import Cell, Done, FieldType, Rows
from proxy.session import Session
from proxy.wire.handler import Client
from tests.fixtures.house import SmallHouse, fault, reply, small_house
from tests.support.endpoint import Endpoint, Reply

_SLOW = 0.3
"""Seconds that an answer takes, in which another client has done its work."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        endpoint.replies = lambda prompt: Reply(reply(prompt))
        yield endpoint


@pytest.fixture
def house(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("calls"), endpoint.url) as house:
        yield house


async def executed(house: SmallHouse, sql: str, *values: str | int) -> list[tuple[Cell, ...]] | int:
    """The rows of a prepared statement, or how many it changed."""
    result = await house.session.execute(house.session.prepare(sql), values)
    if isinstance(result, Done):
        return result.affected_rows
    assert isinstance(result, Rows)
    return [row async for batch in result.batches for row in batch]


def test_parameters_are_arguments(house: SmallHouse, endpoint: Endpoint) -> None:
    sql = "SELECT kind(?) AS k, PREDICT(pair, ?, ?) AS p"
    assert house.run(executed(house, sql, "soup", "a", 1)) == [("food", "a+1")]
    assert house.run(executed(house, sql, "tea", "{{name}}", "b")) == [("food", "{{name}}+b")]
    assert endpoint.calls == 4


def test_prepared_change_asks_with_its_values(house: SmallHouse, endpoint: Endpoint) -> None:
    sql = "UPDATE things SET name = CONCAT(kind(name), ?) WHERE price < ? AND kind(name) = ?"
    assert house.run(executed(house, sql, "!", 3, "tool")) == 1
    assert house.rows("SELECT id, name FROM things WHERE name LIKE '%!'") == [("2", "tool!")]
    assert endpoint.calls == 2


def test_prepare_describes_and_asks_nobody(house: SmallHouse, endpoint: Endpoint) -> None:
    prepared = house.session.prepare(
        "SELECT facts(?), PREDICT(facts.cost, ?) AS c, AI_COMPLETE(e, ?)"
    )
    columns = house.run(house.session.columns(prepared))
    assert [column.name for column in columns] == ["facts(?)", "c", "AI_COMPLETE(e, ?)"]
    assert [column.type for column in columns[:2]] == [FieldType.TINY, FieldType.NEWDECIMAL]
    assert (endpoint.calls, endpoint.requests) == (0, [])


def test_rows_of_values_are_asked_together(house: SmallHouse, endpoint: Endpoint) -> None:
    endpoint.replies = lambda _: Reply("x", delay=_SLOW)
    rows = ", ".join(f"({n}, pair('v', {n}))" for n in range(4))
    house.rows(f"INSERT INTO colours (label, colour) VALUES {rows}")
    assert (endpoint.calls, endpoint.max_in_flight) == (4, 4)


async def beside(house: SmallHouse, sql: str, other: str) -> str:
    """The outcome of a statement that asks a model while another client's changes rows."""
    session = Session(house.state)
    await session.open(Client(2, "other", "127.0.0.1"))
    asking = asyncio.create_task(house.session.query(sql))
    await asyncio.sleep(_SLOW / 2)
    await session.query(other)
    await session.close()
    try:
        await asking
    except Exception as error:
        return fault(error)
    return "ok"


def test_update_leaves_rows_alone_that_came_meanwhile(
    house: SmallHouse, endpoint: Endpoint
) -> None:
    endpoint.replies = lambda prompt: Reply(reply(prompt), delay=_SLOW)
    sql = "UPDATE things SET name = kind(name) WHERE id = 1"
    other = "INSERT INTO things VALUES (1, 'knife', 1)"
    assert house.run(beside(house, sql, other)) == "ok"
    rows = house.rows("SELECT name FROM things WHERE id = 1 ORDER BY name")
    assert rows == [("food",), ("knife",)]
    assert endpoint.calls == 1


def test_update_of_rows_that_changed_meanwhile_is_refused(
    house: SmallHouse, endpoint: Endpoint
) -> None:
    endpoint.replies = lambda prompt: Reply(reply(prompt), delay=_SLOW)
    sql = "UPDATE things SET name = kind(name) WHERE id = 1"
    other = "UPDATE things SET name = 'tea' WHERE id = 1"
    assert house.run(beside(house, sql, other)).startswith("1213 ")
    assert house.rows("SELECT name FROM things WHERE id = 1") == [("tea",)]
    assert not house.session.in_transaction


def test_change_in_a_transaction_is_rolled_back_with_it(house: SmallHouse) -> None:
    house.rows("BEGIN")
    house.rows("DELETE FROM things WHERE kind(name) = 'food'")
    assert house.rows("SELECT COUNT(*) AS n FROM things") == [("4",)]
    house.rows("ROLLBACK")
    assert house.rows("SELECT COUNT(*) AS n FROM things") == [("6",)]


def test_table_with_a_column_of_the_row_numbers_name_is_refused(
    house: SmallHouse, endpoint: Endpoint
) -> None:
    house.rows("CREATE TABLE odd (rowid INT, name VARCHAR(9))")
    told = house.outcome("UPDATE odd SET name = kind(name)")
    assert told == "1235 UPDATE with a model of a table with a column 'rowid' is not supported"
    assert endpoint.calls == 0


def test_function_that_is_no_model_is_the_databases(house: SmallHouse) -> None:
    assert house.rows("SELECT translate('abc', 'a', 'x') AS t") == [("xbc",)]


def test_model_of_another_database_needs_its_name(house: SmallHouse) -> None:
    house.rows("CREATE DATABASE aside")
    house.run(house.session.use("aside"))
    assert house.rows("SELECT modelwire.kind('soup') AS k") == [("food",)]
    assert house.outcome("SELECT kind('soup')") == "1305 FUNCTION kind does not exist"
