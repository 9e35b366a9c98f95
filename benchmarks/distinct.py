"""How many calls an answer costs: equal prompts of a statement, of many clients, of another day."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from benchmarks.behaviour import Behaviour
from benchmarks.figure import Figure
from benchmarks.stage import Stage, ask, join, measured, stage, wrong_rows

CLIENTS = 10
BEHAVIOUR = Behaviour(latency=0.02, reply="row")


def distinct() -> list[Figure]:
    """1,000 rows with 50 distinct prompts; then 10 clients at once, twice, and after a restart."""
    with stage() as here:
        few = measured(here, BEHAVIOUR, join(here.table(1000, distinct=50), here.model()))
        sql = join(here.table(1000), here.model())
        at_once = _clients(here, sql)
        again = measured(here, BEHAVIOUR, sql)
        here.proxy.stop()
        here.proxy.start()
        restarted = measured(here, BEHAVIOUR, sql)
    wrong = wrong_rows(few.rows, 1000, distinct=50)
    wrong += wrong_rows(again.rows, 1000) + wrong_rows(restarted.rows, 1000)
    return [
        Figure("1,000 rows, 50 distinct prompts: calls", few.stats.calls, "", 50, "="),
        Figure("10 clients at once, the same 1,000 rows: calls", at_once, "", 1000, "="),
        Figure("the same again: calls", again.stats.calls, "", 0, "="),
        Figure("after a restart: calls", restarted.stats.calls, "", 0, "="),
        Figure("wrong rows", wrong, "", 0, "="),
        Figure("1,000 rows from the cache", 1000 * again.seconds, "ms"),
    ]


def _clients(here: Stage, sql: str) -> int:
    """The calls that the same statement of many clients costs in all."""
    here.endpoint.play(BEHAVIOUR)
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(_ask, [here] * CLIENTS, [sql] * CLIENTS))
    wrong = sum(wrong_rows(rows, 1000) for rows in answers)
    if wrong:
        raise AssertionError(f"{wrong} rows of {CLIENTS} clients at once are wrong")
    return here.endpoint.stats().calls


def _ask(here: Stage, sql: str) -> list[tuple[object, ...]]:
    with closing(here.connect()) as client:
        return list(ask(client, sql))
