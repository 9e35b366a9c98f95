"""EVALUATE in a session: what it leaves behind, however it ends, and what it takes from there."""

import asyncio
from collections.abc import Iterator

import pytest

from proxy.result import FieldType, Rows
from tests.fixtures.house import SmallHouse, reply, small_house
from tests.support.endpoint import Endpoint, Reply

LABELS = "(SELECT t.price AS actual, k.label AS prediction FROM things AS t JOIN kind AS k)"
EVALUATE = f"EVALUATE accuracy FROM {LABELS} USING cache = 'off'"
KEPT = "SELECT metric, value FROM information_schema.model_evaluations"
TEMPORARY = "SELECT table_name FROM duckdb_tables() WHERE temporary"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(lambda prompt: Reply(reply(prompt), delay=0.01)) as endpoint:
        yield endpoint


@pytest.fixture
def house(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("evaluate"), endpoint.url) as house:
        yield house


def temporary(house: SmallHouse) -> list[tuple[object, ...]]:
    return house.run(house.session._state.cursor.execute(TEMPORARY))


@pytest.mark.parametrize("milliseconds", range(0, 24, 3))
def test_cancelled_it_leaves_no_table_and_keeps_nothing_half(
    milliseconds: int, house: SmallHouse
) -> None:
    async def cancelled() -> bool:
        running = asyncio.create_task(house.session.query(EVALUATE))
        await asyncio.sleep(milliseconds / 1000)
        running.cancel()
        await asyncio.wait([running])
        return running.cancelled()

    was_cancelled = house.run(cancelled())
    assert temporary(house) == []
    kept = house.rows(KEPT)
    assert kept in ([], [("accuracy", "0")])
    assert was_cancelled or kept


def test_what_is_no_number_costs_its_calls_once_and_keeps_nothing(
    house: SmallHouse, endpoint: Endpoint
) -> None:
    endpoint.forget()
    statement = f"EVALUATE mae FROM {LABELS}"
    told = "1366 EVALUATE mae takes numbers: 'food' in column 'prediction' is none"
    assert [house.outcome(statement), house.outcome(statement)] == [told, told]
    assert endpoint.calls == 5
    assert (temporary(house), house.rows(KEPT)) == ([], [])


def test_it_sees_the_rows_of_its_transaction_and_stays_in_it(house: SmallHouse) -> None:
    house.rows("BEGIN")
    house.rows("DELETE FROM things WHERE name <> 'soup'")
    counted = f"EVALUATE confusion_matrix FROM {LABELS.replace('t.price', 't.name')}"
    assert house.rows(counted) == [("confusion_matrix", "soup", "food", "2", "2", "0")]
    house.rows("ROLLBACK")
    assert house.rows("SELECT COUNT(*) FROM things") == [("6",)]
    assert house.rows(KEPT) == [("confusion_matrix", "2")]


def test_an_error_in_a_transaction_is_one_of_ours(house: SmallHouse) -> None:
    house.rows("BEGIN")
    house.rows("INSERT INTO stock VALUES (9, 9)")
    assert house.outcome(f"EVALUATE r2 FROM {LABELS}").startswith("1366")
    house.rows("COMMIT")
    assert house.rows("SELECT amount FROM stock WHERE thing_id = 9") == [("9",)]


def test_it_ends_at_max_execution_time(house: SmallHouse) -> None:
    house.rows("SET max_execution_time = 5")
    assert house.outcome(EVALUATE).startswith("3024")
    house.rows("SET max_execution_time = 0")
    assert (temporary(house), house.rows(KEPT)) == ([], [])


def test_a_prepared_one_takes_values(house: SmallHouse) -> None:
    sql = (
        "EVALUATE recall FROM (SELECT name AS actual, ? AS prediction FROM things) "
        "USING positive = ?"
    )

    async def executed() -> list[tuple[object, ...]]:
        prepared = house.session.prepare(sql)
        result = await house.session.execute(prepared, ["soup", "soup"])
        assert isinstance(result, Rows)
        return [row async for batch in result.batches for row in batch]

    assert house.run(executed()) == [("recall", None, None, "1", "6", "0")]


def test_its_columns_have_types(house: SmallHouse) -> None:
    columns, _ = house.table("EVALUATE r2 FROM (SELECT 1 AS actual, 1 AS prediction)")
    assert [(column.name, column.type) for column in columns] == [
        ("metric", FieldType.VAR_STRING),
        ("actual", FieldType.VAR_STRING),
        ("prediction", FieldType.VAR_STRING),
        ("value", FieldType.DOUBLE),
        ("rows", FieldType.LONGLONG),
        ("skipped", FieldType.LONGLONG),
    ]


def test_its_calls_are_in_the_accounts_of_one_statement(house: SmallHouse) -> None:
    house.rows(EVALUATE)
    usage = "SELECT model, calls, status FROM information_schema.model_usage"
    assert house.rows(usage) == [("kind", "5", "complete")]


def test_a_chain_of_models_keeps_the_run_for_each(house: SmallHouse) -> None:
    house.rows(
        "EVALUATE accuracy FROM (SELECT 'red' AS actual, c.colour AS prediction FROM things AS t "
        "JOIN kind AS k ON k.name = t.name JOIN colour AS c ON c.label = k.label)"
    )
    models = "SELECT model, rows FROM information_schema.model_evaluations ORDER BY model"
    assert house.rows(models) == [("colour", "6"), ("kind", "6")]


def test_two_models_of_a_union_are_one_evaluation(house: SmallHouse) -> None:
    house.rows(
        "EVALUATE accuracy FROM (SELECT 'food' AS actual, label AS prediction FROM kind "
        "WHERE name = 'soup' UNION ALL SELECT 'red', colour FROM colour WHERE label = 'tool')"
    )
    kept = "SELECT model, value FROM information_schema.model_evaluations ORDER BY model"
    assert house.rows(kept) == [("colour", "0.5"), ("kind", "0.5")]
