"""Transactions as MySQL has them, over a real DuckDB."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.fixtures.house import SmallHouse, small_house


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("transactions")) as house:
        house.rows("CREATE TABLE t (x INT PRIMARY KEY)")
        yield house


@pytest.fixture
def house(furnished: SmallHouse) -> SmallHouse:
    """The house in the state just after login, `t` empty."""
    furnished.run(furnished.session.reset())
    furnished.rows("DELETE FROM t")
    return furnished


def count(house: SmallHouse) -> str | bytes | None:
    return house.rows("SELECT COUNT(*) FROM t")[0][0]


def test_without_a_transaction_every_statement_counts(house: SmallHouse) -> None:
    house.rows("INSERT INTO t VALUES (1)")
    house.rows("ROLLBACK")
    assert count(house) == "1"


def test_rollback_takes_back(house: SmallHouse) -> None:
    house.rows("BEGIN")
    house.rows("INSERT INTO t VALUES (1)")
    house.rows("ROLLBACK")
    assert count(house) == "0"


def test_commit_keeps(house: SmallHouse) -> None:
    house.rows("START TRANSACTION")
    house.rows("INSERT INTO t VALUES (1)")
    house.rows("COMMIT")
    house.rows("ROLLBACK")
    assert count(house) == "1"


def test_begin_commits_the_transaction_before(house: SmallHouse) -> None:
    house.rows("BEGIN")
    house.rows("INSERT INTO t VALUES (1)")
    house.rows("BEGIN")
    house.rows("ROLLBACK")
    assert count(house) == "1"


def test_definition_commits_the_transaction_before(house: SmallHouse) -> None:
    house.rows("BEGIN")
    house.rows("INSERT INTO t VALUES (1)")
    house.rows("CREATE TABLE IF NOT EXISTS u (x INT)")
    house.rows("ROLLBACK")
    assert count(house) == "1"


def test_without_autocommit_the_first_change_opens_a_transaction(house: SmallHouse) -> None:
    house.rows("SET autocommit = 0")
    assert not house.session.in_transaction
    house.rows("INSERT INTO t VALUES (1)")
    assert house.session.in_transaction
    house.rows("ROLLBACK")
    assert count(house) == "0"


def test_switching_autocommit_on_commits(house: SmallHouse) -> None:
    house.rows("SET autocommit = 0")
    house.rows("INSERT INTO t VALUES (1)")
    house.rows("SET autocommit = 1")
    house.rows("ROLLBACK")
    assert (count(house), house.session.autocommit) == ("1", True)


def test_the_default_of_autocommit_is_on(house: SmallHouse) -> None:
    house.rows("SET autocommit = 0")
    house.rows("SET autocommit = DEFAULT")
    assert house.session.autocommit


@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT", "ROLLBACK"])
def test_a_cancelled_end_or_beginning_is_carried_out(statement: str, house: SmallHouse) -> None:
    async def cancel_after(seconds: float) -> None:
        running = asyncio.create_task(house.session.query(statement))
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.wait([running])

    for tenths in range(30):
        house.rows("DELETE FROM t")
        house.rows("BEGIN")
        house.rows("INSERT INTO t VALUES (1)")
        house.run(cancel_after(tenths / 10_000))
        house.rows("ROLLBACK")
        assert count(house) == ("0" if statement == "ROLLBACK" else "1")


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK"])
def test_ending_nothing_is_no_error(statement: str, house: SmallHouse) -> None:
    assert house.outcome(statement) == "ok"


def test_reset_rolls_back(house: SmallHouse) -> None:
    house.rows("BEGIN")
    house.rows("INSERT INTO t VALUES (1)")
    house.run(house.session.reset())
    assert (count(house), house.session.in_transaction) == ("0", False)


def test_a_failed_statement_outside_of_a_transaction_leaves_none(house: SmallHouse) -> None:
    assert house.outcome("SELECT * FROM nothing").startswith("1146 ")
    assert not house.session.in_transaction


def test_after_an_error_that_ended_a_transaction_commit_says_so(house: SmallHouse) -> None:
    house.rows("INSERT INTO t VALUES (1)")
    house.rows("BEGIN")
    house.rows("INSERT INTO t VALUES (2)")
    assert house.outcome("INSERT INTO t VALUES (1)").startswith("1062 ")
    assert house.outcome("COMMIT").startswith("1213 ")
    assert count(house) == "1"


def test_after_an_error_that_ended_a_transaction_rollback_goes_on(house: SmallHouse) -> None:
    house.rows("INSERT INTO t VALUES (1)")
    house.rows("BEGIN")
    house.outcome("INSERT INTO t VALUES (1)")
    house.rows("ROLLBACK")
    house.rows("INSERT INTO t VALUES (2)")
    assert count(house) == "2"
