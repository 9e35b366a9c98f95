"""How soon the endpoint is left alone when nobody wants the answers, and what a crash costs.

The endpoint's own clock tells when the last call ended; both processes read the same one.
"""

import time
from collections.abc import Callable
from contextlib import closing
from socket import SHUT_RDWR
from typing import Any

from benchmarks.behaviour import Behaviour
from benchmarks.figure import Figure
from benchmarks.stage import Stage, ask, crashed, join, measured, running, stage, wrong_rows
from benchmarks.tally import between

SLOW = Behaviour(latency=20, reply="row")
WINDOW = 32
TRIES = 3
STEADY = Behaviour(latency=0.1, sigma=0.5, reply="row")  # answers come one by one
COMMIT = 0.05


def cancel() -> list[Figure]:
    """1,000 rows, 32 calls in flight that take 20 s; the worst of three."""
    with stage() as here:
        sql = join(here.table(1000), here.model())
        ways = {way: _worst(_until_idle, here, sql, end) for way, end in WAYS.items()}
        ways["max_execution_time"] = _worst(_out_of_time, here, sql)
    return [
        Figure(f"{way}: until no call is in flight", worst, "ms", 100)
        for way, worst in ways.items()
    ]


End = Callable[[Any, Any], None]
"""What ends a statement, given the client that kills and the one that is killed."""


def _kill(words: str) -> End:
    return lambda killer, victim: ask(killer, f"{words} {victim.thread_id()}")


def _vanish(killer: Any, victim: Any) -> None:
    assert killer
    victim._sock.shutdown(SHUT_RDWR)  # as a client that crashes


WAYS: dict[str, End] = {
    "KILL QUERY": _kill("KILL QUERY"),
    "KILL CONNECTION": _kill("KILL CONNECTION"),
    "client gone": _vanish,
}


def _worst(ended: Callable[..., float], *arguments: object) -> float:
    """Milliseconds from the end of a statement to the end of its last call, at the most."""
    return 1000 * max(ended(*arguments) for _ in range(TRIES))


def _until_idle(here: Stage, sql: str, end: End) -> float:
    here.endpoint.play(SLOW)
    with closing(here.connect()) as killer, running(here, sql) as victim:
        here.endpoint.wait(lambda stats: stats.in_flight >= WINDOW)
        ended = time.monotonic()
        end(killer, victim)
        stats = here.endpoint.wait(lambda stats: not stats.in_flight)
    return stats.idle_since - ended


def _out_of_time(here: Stage, sql: str) -> float:
    here.endpoint.play(SLOW)
    with running(here, sql, milliseconds=2000):
        started = time.monotonic()
        here.endpoint.wait(lambda stats: stats.in_flight >= WINDOW)
        stats = here.endpoint.wait(lambda stats: not stats.in_flight)
    return stats.idle_since - started - 2.0


def crash() -> list[Figure]:
    """1,000 rows; the proxy is killed by kill -9 after 500 answers; the statement again."""
    with stage() as here:
        sql = join(here.table(1000), here.model())
        before, killed = crashed(here, STEADY, sql)
        here.proxy.start()
        run = measured(here, STEADY, sql)
    lost = run.stats.calls - (1000 - before.answered)
    late = between(before.answers, killed - COMMIT, time.monotonic())
    return [
        Figure("answered before the crash", before.answered),
        Figure("in flight at the crash", before.abandoned),
        Figure("calls of the statement again", run.stats.calls),
        Figure("answers asked again; those of the last 50 ms", lost, "", late),
        Figure("wrong rows", wrong_rows(run.rows, 1000), "", 0, "="),
    ]
