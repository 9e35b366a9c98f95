"""A source that goes away, and comes back by itself; servers that do not answer at all."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from catalog.errors import CatalogError, SourceUnreachable
from tests.sources.room import Room, over, record
from tests.support.servers.server import Database

pytestmark = pytest.mark.parametrize("kind", ["postgres", "mariadb"])
SLEEP = {"postgres": "SELECT pg_sleep({})", "mariadb": "SELECT sleep({})"}
TITLE = {"postgres": "PostgreSQL", "mariadb": "MariaDB"}


@pytest.fixture
def database(kind: str, request: pytest.FixtureRequest) -> Database:
    made: Database = request.getfixturevalue(kind)
    return made


async def pooled(opened: Room, kind: str) -> None:
    """Leave several connections in DuckDB's pool."""
    await opened.sources.reach(opened.record)
    await asyncio.gather(*(opened.ask(SLEEP[kind].format(0.3)) for _ in range(6)))


async def failure(opened: Room, native: str = "SELECT 1 AS a") -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        await opened.ask(native)
    return caught.value


def test_a_statement_that_runs_while_the_server_stops_is_told(
    kind: str, database: Database, tmp_path: Path
) -> None:
    async def asked(opened: Room) -> CatalogError:
        await opened.sources.reach(opened.record)
        told = asyncio.ensure_future(failure(opened, SLEEP[kind].format(60)))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(database.server.stop)
        return await told

    assert isinstance(over(tmp_path, record(database), asked), SourceUnreachable)


def test_each_statement_is_told_at_once_while_the_server_is_down(
    kind: str, database: Database, tmp_path: Path
) -> None:
    async def asked(opened: Room) -> tuple[list[CatalogError], tuple[str, str | None], float]:
        await pooled(opened, kind)
        await asyncio.to_thread(database.server.stop)
        began = time.perf_counter()
        told = [await failure(opened) for _ in range(3)]
        return told, opened.sources.state(opened.record), time.perf_counter() - began

    told, state, seconds = over(tmp_path, record(database), asked)
    where = f"Can't connect to {TITLE[kind]} 'shop' at 127.0.0.1:{database.names['port']}: "
    assert {type(error) for error in told} == {SourceUnreachable}
    assert all(str(error).startswith(where) for error in told)
    assert str(told[-1]) == where + "Connection refused"
    assert state == ("unreachable", str(told[-1]))
    assert seconds < 2


def test_it_comes_back_by_itself_without_an_error_for_any_pooled_connection(
    kind: str, database: Database, tmp_path: Path
) -> None:
    async def asked(opened: Room) -> tuple[list[object], tuple[str, str | None]]:
        await pooled(opened, kind)
        await asyncio.to_thread(database.server.stop)
        await failure(opened)
        database.server.start()  # here: it ends with the thread that starts it
        rows: list[object] = [await opened.ask("SELECT 1 AS a") for _ in range(3)]
        rows += await asyncio.gather(*(opened.ask("SELECT 1 AS a") for _ in range(6)))
        return rows, opened.sources.state(opened.record)

    rows, state = over(tmp_path, record(database), asked)
    assert rows == [[(1,)]] * 9
    assert state == ("attached", None)


def test_a_restart_that_nobody_saw_costs_no_statement(
    kind: str, database: Database, tmp_path: Path
) -> None:
    async def asked(opened: Room) -> list[object]:
        await pooled(opened, kind)
        await asyncio.to_thread(database.server.stop)
        database.server.start()  # here: it ends with the thread that starts it
        return [await opened.ask("SELECT 1 AS a") for _ in range(6)]

    assert over(tmp_path, record(database), asked) == [[(1,)]] * 6


@contextmanager
def mute(*, accepts: bool) -> Iterator[int]:
    """A port whose other side says nothing, or does not even accept."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(8 if accepts else 0)
        for _ in range(0 if accepts else 3):  # the queue is full then
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.parametrize("accepts", [True, False])
def test_a_server_that_does_not_answer_is_told_within_connect_timeout(
    kind: str, accepts: bool, database: Database, tmp_path: Path
) -> None:
    with mute(accepts=accepts) as port:
        source = record(database, port=port)
        began = time.perf_counter()
        with pytest.raises(SourceUnreachable, match=r"No answer within 2 seconds|timeout expired"):
            over(tmp_path, source, lambda opened: opened.sources.check(source))
        assert time.perf_counter() - began < 5


def test_who_waits_for_an_answer_can_be_ended(
    kind: str, database: Database, tmp_path: Path
) -> None:
    async def asked(opened: Room) -> float:
        task = asyncio.ensure_future(opened.sources.check(opened.record))
        await asyncio.sleep(0.3)
        task.cancel()
        began = time.perf_counter()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.perf_counter() - began

    with mute(accepts=False) as port:
        assert over(tmp_path, record(database, port=port), asked) < 1
