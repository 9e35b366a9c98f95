"""Whoever ends a statement ends its calls; what was answered is kept."""

import time
from collections.abc import Callable
from contextlib import closing
from threading import Thread
from typing import Any

import pytest
from pymysql.constants import CLIENT

from tests.predictions.support import WINDOW, FirstOnly, Scene, asked, fails, number, numbered

ANSWERED = 100
ROWS = 300


def kill_query(scene: Scene, victim: Any) -> None:
    scene.rows(f"KILL QUERY {victim.thread_id()}")


def kill_connection(scene: Scene, victim: Any) -> None:
    scene.rows(f"KILL CONNECTION {victim.thread_id()}")


def disconnect(scene: Scene, victim: Any) -> None:
    victim._sock.shutdown(2)


def wait(scene: Scene, victim: Any) -> None:
    """max_execution_time ends it."""


def kill_often(scene: Scene, victim: Any) -> None:
    """The later ones meet a statement that is letting go."""
    several = scene.connect(client_flag=CLIENT.MULTI_STATEMENTS)
    with closing(several), several.cursor() as cursor:
        cursor.execute("; ".join([f"KILL QUERY {victim.thread_id()}"] * 20))


WAYS = [kill_query, kill_often, kill_connection, disconnect, wait]
End = Callable[[Scene, Any], None]


def ended(scene: Scene, sql: str, end: End) -> None:
    """Run a statement of which ANSWERED calls get an answer, and end it."""
    scene.endpoint.replies = FirstOnly(ANSWERED)
    with closing(scene.connect(read_timeout=60)) as victim:
        if end is wait:
            asked(victim, "SET SESSION max_execution_time = 3000")
        thread = Thread(target=fails, args=(victim, sql))
        thread.start()
        # each place was free again after its answer: all answers have arrived
        scene.until(
            lambda endpoint: endpoint.in_flight == WINDOW and len(endpoint.answered) == ANSWERED
        )
        end(scene, victim)
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("end", WAYS)
def test_no_call_stays_in_flight_and_none_follows(scene: Scene, end: End) -> None:
    ended(scene, scene.batch(ROWS), end)
    scene.until(lambda endpoint: endpoint.in_flight == 0, patience=2)
    assert scene.endpoint.calls == ANSWERED + WINDOW
    time.sleep(0.5)
    assert scene.endpoint.calls == ANSWERED + WINDOW


@pytest.mark.parametrize("end", WAYS)
def test_what_was_answered_is_not_asked_again(scene: Scene, end: End) -> None:
    sql = scene.batch(ROWS)
    ended(scene, sql, end)
    scene.until(lambda endpoint: endpoint.in_flight == 0, patience=2)
    scene.endpoint.replies = number
    assert scene.calls(sql) == ROWS - ANSWERED
    assert scene.rows(sql) == numbered(ROWS)


@pytest.mark.parametrize("end", WAYS)
def test_its_account_is_closed(scene: Scene, end: End) -> None:
    ended(scene, scene.batch(ROWS), end)
    time.sleep(0.5)
    accounts = "SELECT calls, status FROM information_schema.model_usage"
    assert scene.rows(accounts) == [(ANSWERED + WINDOW, "killed")]


def test_a_call_that_another_client_waits_for_lives_on(scene: Scene) -> None:
    sql = scene.batch(WINDOW)
    held = scene.endpoint.replies = FirstOnly(0)
    rows: list[Any] = []
    with closing(scene.connect()) as victim:
        first = Thread(target=fails, args=(victim, sql))
        second = Thread(target=lambda: rows.extend(scene.rows(sql)))
        first.start()
        scene.until(lambda endpoint: endpoint.in_flight == WINDOW)
        second.start()
        time.sleep(1)  # nothing outside tells that it waits
        assert scene.endpoint.calls == WINDOW  # the second asks nothing of its own
        kill_query(scene, victim)
        first.join(30)
    held.release.set()
    second.join(30)
    assert rows == numbered(WINDOW)
    assert scene.endpoint.calls == WINDOW


def test_the_connection_lives_after_kill_query_and_asks_the_rest(scene: Scene) -> None:
    sql = scene.batch(ROWS)
    scene.endpoint.replies = FirstOnly(ANSWERED)
    with closing(scene.connect()) as victim:
        thread = Thread(target=fails, args=(victim, sql))
        thread.start()
        scene.until(lambda endpoint: endpoint.in_flight == WINDOW)
        kill_query(scene, victim)
        thread.join(30)
        scene.endpoint.replies = number
        assert asked(victim, sql) == numbered(ROWS)
