"""An endpoint that fails, refuses one prompt, or takes so many calls a second and no more.

What counts is that rows are right, what it costs, and that no setting is touched.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

from benchmarks.behaviour import Behaviour
from benchmarks.figure import Figure
from benchmarks.played import PlayedEndpoint, played_endpoint
from benchmarks.stage import Stage, ask, join, measured, stage, wrong_rows
from benchmarks.tally import Stats, between

FAILING = Behaviour(latency=0.02, failing=0.3, reply="row")
REFUSING = Behaviour(latency=0.02, refused_part="row 77.", reply="row")
RATE = 50
SETTLED = 3.0  # seconds after which the rate must be found
LIMITED_ROWS = 700
LIMITS = {
    "bucket": Behaviour(latency=0.1, rate=RATE, reply="row"),
    "bucket, Retry-After": Behaviour(latency=0.1, rate=RATE, retry_after=1, reply="row"),
    "seconds": Behaviour(latency=0.1, rate=RATE, windows=True, reply="row"),
    "seconds, Retry-After": Behaviour(
        latency=0.1, rate=RATE, windows=True, retry_after=1, reply="row"
    ),
}


def failures() -> list[Figure]:
    """1,000 rows, 30 % of the calls answered 429 or 500; 1,000 rows, one of them always 400."""
    with stage() as here:
        table = here.table(1000)
        failing = measured(here, FAILING, join(table, here.model()))
        refusing = measured(here, REFUSING, join(table, here.model()))
        warnings = _warnings(here, join(table, here.model()))
    # The tries that the played failures make necessary.
    needed = failing.stats.failed + 1000
    return [
        Figure("30 % fail: wrong rows", wrong_rows(failing.rows, 1000), "", 0, "="),
        Figure("30 % fail: calls beyond the needed", failing.stats.calls - needed, "", 0, "="),
        Figure("30 % fail: seconds", failing.seconds, "s"),
        Figure("one always 400: rows not as expected", _but_77(refusing.rows), "", 0, "="),
        Figure("one always 400: calls", refusing.stats.calls, "", 1000, "="),
        Figure("one always 400: warnings", warnings, "", 1, "="),
    ]


def rate() -> list[Figure]:
    """700 rows against endpoints that take 50 calls a second, four kinds of limit at once."""
    with ExitStack() as stack:
        here = stack.enter_context(stage())
        table = here.table(LIMITED_ROWS)
        endpoints = [stack.enter_context(played_endpoint()) for _ in LIMITS]
        with ThreadPoolExecutor(len(LIMITS)) as pool:
            runs = pool.map(_limited, [here] * 4, [table] * 4, endpoints, LIMITS.values())
        return [
            figure
            for kind, (rows, stats) in zip(LIMITS, runs, strict=True)
            for figure in _limit_figures(kind, rows, stats)
        ]


def _limited(
    here: Stage, table: str, endpoint: PlayedEndpoint, behaviour: Behaviour
) -> tuple[Sequence[tuple[object, ...]], Stats]:
    model = here.model(endpoint=endpoint)
    endpoint.play(behaviour)
    with closing(here.connect()) as client:
        return ask(client, join(table, model)), endpoint.stats()


def _limit_figures(
    kind: str, rows: Sequence[tuple[object, ...]], stats: Stats
) -> tuple[Figure, ...]:
    """What the endpoint saw from 3 s after the first call on, to the last one that it took."""
    start = stats.arrivals[0] + SETTLED
    refused_at = set(stats.refusals)
    taken = [moment for moment in stats.arrivals if moment not in refused_at]
    end = max(taken[-1], start + 0.001)
    sustained = between(taken, start, end) / (end - start)
    later = between(stats.arrivals, start, end) or 1
    share = between(stats.refusals, start, end) / later
    return (
        Figure(f"{kind}: calls taken a second, of {RATE}", sustained, "", 45, ">="),
        Figure(f"{kind}: share refused after {SETTLED:g} s", 100 * share, "%", 10),
        Figure(f"{kind}: wrong rows", wrong_rows(rows, LIMITED_ROWS), "", 0, "="),
    )


def _but_77(rows: Sequence[tuple[object, ...]]) -> int:
    """How many rows are not as expected, where row 77 is expected to be NULL."""
    null = sum(row == (77, None) for row in rows)
    return wrong_rows(rows, 1000) - null


def _warnings(here: Stage, sql: str) -> int:
    """How many warnings there are after a statement of which one row is refused."""
    here.endpoint.play(REFUSING)
    with closing(here.connect()) as client:
        ask(client, sql)
        return len(ask(client, "SHOW WARNINGS"))
