"""What a session remembers from one statement to the next."""

import asyncio
from collections.abc import Iterator

import pytest

from proxy.result import Rows
from proxy.session import Session
from proxy.wire.handler import Client
from tests.fixtures.house import SmallHouse, reply, small_house
from tests.support.endpoint import Endpoint, Reply

ASKING = "SELECT t.id, k.label FROM things AS t JOIN kind AS k WHERE k.label <> 'x'"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(lambda prompt: Reply(reply(prompt), delay=0.01)) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def furnished(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("session"), endpoint.url) as house:
        yield house


@pytest.fixture
def house(furnished: SmallHouse) -> SmallHouse:
    """The house in the state just after login."""
    furnished.run(furnished.session.reset())
    return furnished


def warned(house: SmallHouse) -> list[str | bytes | None]:
    """The codes that SHOW WARNINGS lists."""
    return [code for _, code, _ in house.rows("SHOW WARNINGS")]


def test_a_result_that_is_never_begun_leaves_nothing_behind(house: SmallHouse) -> None:
    async def answered_and_closed() -> None:
        result = await house.session.query(ASKING)
        assert isinstance(result, Rows)
        await result.batches.aclose()
        await result.batches.aclose()

    house.run(answered_and_closed())
    left = "SELECT table_name FROM duckdb_tables() WHERE temporary"
    assert house.run(house.session._state.cursor.execute(left)) == []


@pytest.mark.parametrize(
    ("sql", "code"),
    [("SELECT bad bad bad", "1064"), (f"SELECT {'(' * 3000}1{')' * 3000}", "1436")],
    ids=["syntax", "depth"],
)
def test_an_error_replaces_the_warnings_of_before(sql: str, code: str, house: SmallHouse) -> None:
    house.outcome("SELECT * FROM nothing")
    house.outcome(sql)
    assert warned(house) == [code]


def test_an_error_of_a_field_list_is_shown(house: SmallHouse) -> None:
    with pytest.raises(Exception, match="doesn't exist"):
        house.run(house.session.fields("nothing"))
    assert warned(house) == ["1146"]


def test_dropping_another_database_leaves_the_current_one(house: SmallHouse) -> None:
    house.rows("CREATE DATABASE other")
    house.rows("USE information_schema")
    house.rows("DROP DATABASE other")
    assert house.rows("SELECT DATABASE()") == [("information_schema",)]


def test_dropping_the_current_database_leaves_none(house: SmallHouse) -> None:
    house.rows("CREATE DATABASE other")
    house.rows("USE other")
    house.rows("DROP DATABASE OTHER")
    assert house.rows("SELECT DATABASE()") == [(None,)]


def test_an_endless_time_limit_is_none(house: SmallHouse) -> None:
    house.rows(f"SET max_execution_time = {10**400}")
    assert house.rows("SELECT 1") == [("1",)]


def test_a_dropped_database_keeps_no_model_that_is_being_made(house: SmallHouse) -> None:
    create = (
        "CREATE MODEL shop.m PREDICT a USING engine = 'e', model_name = 'x', "
        "prompt_template = '{{x}}'"
    )

    async def meanwhile(seconds: float) -> None:
        other = Session(house.state)
        await other.open(Client(2, "tester", "127.0.0.1"))
        making = asyncio.create_task(house.session.query(create))
        await asyncio.sleep(seconds)
        await other.query("DROP DATABASE shop")
        await asyncio.wait([making])
        making.exception()
        await other.close()

    for milliseconds in range(8):
        house.rows("CREATE DATABASE shop")
        house.run(meanwhile(milliseconds / 1000))
        assert house.store.find_model("shop", "m") is None


@pytest.mark.parametrize("milliseconds", range(0, 24, 3))
def test_a_cancelled_query_leaves_no_relations(milliseconds: int, house: SmallHouse) -> None:
    async def cancelled() -> None:
        running = asyncio.create_task(house.session.query(ASKING))
        await asyncio.sleep(milliseconds / 1000)
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled():  # it was faster
            await running.result().batches.aclose()

    house.run(cancelled())
    kept = house.session._state.cursor.execute("FROM duckdb_tables() WHERE temporary")
    assert house.run(kept) == []
