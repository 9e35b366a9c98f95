"""How soon rows come, in how much memory, and how few calls a LIMIT needs.

The clients here read as they go and leave when they have enough.
"""

import time
from contextlib import closing, suppress
from statistics import median

from pymysql.cursors import SSCursor
from pymysql.err import MySQLError

from benchmarks.behaviour import Behaviour, text
from benchmarks.figure import Figure
from benchmarks.memory import forget_peak, peak
from benchmarks.stage import TEMPLATE, Stage, ask, join, measured, stage

LATENCY = 0.1
LABELS = ("left", "right", "middle", "none")
WINDOW = 32
TRIES = 3


def streaming() -> list[Figure]:
    """The first of 10,000 rows at 100 ms; 1,000,000 rows with 2,000 distinct prompts."""
    with stage() as here:
        first = _first_row(here)
        grown, seconds, rows = _memory(here)
    return [
        Figure(f"first row of 10,000: after the latency, median of {TRIES}", first, "ms", 50),
        Figure("1,000,000 rows: growth of the proxy's memory", grown, "MB", 100),
        Figure("1,000,000 rows: rows received", rows, "", 1_000_000, "="),
        Figure("1,000,000 rows: rows a second", rows / seconds),
    ]


def _first_row(here: Stage) -> float:
    """Milliseconds from a statement to its first row, without the endpoint's latency."""
    table = here.table(10_000)
    return 1000 * median(_first_wait(here, join(table, here.model())) for _ in range(TRIES))


def _first_wait(here: Stage, sql: str) -> float:
    """Seconds to the first row, without the latency; the rest of the rows is not waited for."""
    here.endpoint.play(Behaviour(latency=LATENCY, reply="row"))
    with closing(here.connect()) as client:
        cursor = SSCursor(client)
        started = time.perf_counter()
        cursor.execute(sql)
        cursor.fetchone()
        waited = time.perf_counter() - started
        here.run(f"KILL QUERY {client.thread_id()}")
        with suppress(MySQLError):  # it reads what is left, and the interruption
            cursor.close()
    here.endpoint.wait(lambda stats: not stats.in_flight)
    return waited - LATENCY


def _memory(here: Stage) -> tuple[float, float, int]:
    """Megabytes that the proxy grows by at most, the seconds and the rows of a long SELECT.

    It is a fresh process that has made a small prediction: what was loaded for others is not there
    to be used again.
    """
    table, few, model = here.table(1_000_000, distinct=2000), here.table(100), here.model()
    here.proxy.stop()
    here.proxy.start()
    here.endpoint.play(Behaviour(latency=0.005, reply="row"))
    with closing(here.connect()) as client:
        ask(client, join(few, model))
        before = forget_peak(here.proxy.pid)
        with SSCursor(client) as cursor:
            started = time.perf_counter()
            cursor.execute(join(table, model))
            rows = sum(1 for _ in cursor.fetchall_unbuffered())
            seconds = time.perf_counter() - started
    return peak(here.proxy.pid) - before, seconds, rows


def filtered() -> list[Figure]:
    """WHERE on the predicted column with LIMIT 10, of 10,000 rows; 50 ms."""
    behaviour = Behaviour(latency=0.05, reply="label", labels=LABELS)
    with stage() as here:
        table = here.table(10_000)
        figures = []
        for kind, order in (("as they come", ""), ("ORDER BY id", "ORDER BY s.id")):
            model = here.model(labels=LABELS)
            more = f"WHERE m.answer = 'right' {order} LIMIT 10"
            run = measured(here, behaviour, join(table, model, more))
            expected = _first_ten(behaviour, model)
            missing = len(expected) - len(set(expected) & {row[0] for row in run.rows})
            limit = expected[-1] + 1 + WINDOW
            figures += [
                Figure(f"{kind}: rows that are not the right ones", missing, "", 0, "="),
                Figure(f"{kind}: calls; rows needed and a window", run.stats.calls, "", limit),
            ]
        return figures


def _first_ten(behaviour: Behaviour, model: str) -> list[int]:
    """The first rows that the endpoint calls 'right'."""
    found = [
        number
        for number in range(10_000)
        if text(behaviour, f"{TEMPLATE.replace('{{text}}', f'row {number}')} ({model})") == "right"
    ]
    return found[:10]
