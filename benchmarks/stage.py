"""Where a group of figures is measured: a proxy of its own, a played endpoint, tables and models.

It sets up and asks; what is measured is the groups' business.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

from pymysql.err import MySQLError

from benchmarks.behaviour import Behaviour
from benchmarks.endpoint import MODEL
from benchmarks.played import PlayedEndpoint, played_endpoint
from benchmarks.tally import Stats
from tests.support.proxy import ProxyProcess

TEMPLATE = "Say which number this is: {{text}}."
_CLOCK_TICKS = 100  # USER_HZ is 100 on every Linux that there is


@dataclass(slots=True)
class Stage:
    """A proxy with an endpoint; what is made here has names that no other has."""

    proxy: ProxyProcess
    endpoint: PlayedEndpoint
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def connect(self, **options: Any) -> Any:
        """Open a client's connection, in a `with closing(…)`."""
        return self.proxy.connect(autocommit=True, **options)

    def run(self, *statements: str) -> None:
        """Carry statements out on a connection of their own."""
        with closing(self.connect()) as client:
            for sql in statements:
                ask(client, sql)

    def table(self, rows: int, distinct: int | None = None) -> str:
        """Make a table (id, text) of `rows` rows from 0, and name it; text is 'row <number>'.

        With `distinct` the numbers start again after as many.
        """
        name = f"source_{next(self.numbers)}"
        number = f"n % {distinct}" if distinct else "n"
        self.run(
            f"CREATE TABLE {name} AS SELECT n AS id, CONCAT('row ', {number}) AS text "
            f"FROM (SELECT UNNEST(RANGE({rows})) AS n) AS numbers ORDER BY n"
        )
        return name

    def model(
        self,
        labels: Sequence[str] = (),
        template: str = TEMPLATE,
        endpoint: PlayedEndpoint | None = None,
        **options: object,
    ) -> str:
        """Make a model that predicts `answer` from `text`, and its engine; name the model.

        `options` are the engine's. Each model's prompts are its own, no cache knows them.
        """
        name = f"model_{next(self.numbers)}"
        url = (endpoint or self.endpoint).url
        more = "".join(f", {option} = {value}" for option, value in options.items())
        enum = f" ENUM({', '.join(map(repr, labels))})" if labels else ""
        self.run(
            f"CREATE ML_ENGINE engine_of_{name} FROM openai USING api_base = '{url}'{more}",
            f"CREATE MODEL {name} PREDICT answer{enum} USING engine = 'engine_of_{name}', "
            f"model_name = '{MODEL}', prompt_template = '{template} ({name})'",
        )
        return name

    def prompts(self, model: str, numbers: Sequence[int]) -> list[str]:
        """The prompts that a model of TEMPLATE makes of rows."""
        return [f"{TEMPLATE.replace('{{text}}', f'row {n}')} ({model})" for n in numbers]

    def cpu_seconds(self) -> float:
        """What the proxy has used of the processor so far, all its threads."""
        fields = Path(f"/proc/{self.proxy.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS


@dataclass(frozen=True, slots=True)
class Run:
    """A statement that was carried out: its rows, its seconds, what the endpoint saw of it."""

    rows: Sequence[tuple[Any, ...]]
    seconds: float
    cpu_seconds: float
    stats: Stats


@contextmanager
def stage(behaviour: Behaviour | None = None) -> Iterator[Stage]:
    """A fresh proxy and a fresh endpoint, which end with the block."""
    with ExitStack() as stack:
        endpoint = stack.enter_context(played_endpoint())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        proxy = stack.enter_context(ProxyProcess(directory / "data"))
        endpoint.play(behaviour or Behaviour())
        yield Stage(proxy, endpoint)


def measured(where: Stage, behaviour: Behaviour, sql: str) -> Run:
    """Carry a statement out against an endpoint that behaves so."""
    with closing(where.connect()) as client:
        where.endpoint.play(behaviour)
        cpu, started = where.cpu_seconds(), time.perf_counter()
        rows = ask(client, sql)
        seconds = time.perf_counter() - started
        return Run(rows, seconds, where.cpu_seconds() - cpu, where.endpoint.stats())


@contextmanager
def running(where: Stage, sql: str, milliseconds: int = 0) -> Iterator[Any]:
    """A client in a thread of its own whose statement fails before the block ends.

    `milliseconds` are what the statement may take; 0 is no limit.
    """
    with closing(where.connect()) as victim:
        ask(victim, f"SET SESSION max_execution_time = {milliseconds}")
        thread = Thread(target=_fails, args=(victim, sql))
        thread.start()
        yield victim
        thread.join()


def _fails(client: Any, sql: str) -> None:
    try:
        ask(client, sql)
    except (MySQLError, OSError):
        return
    raise AssertionError("a statement that was to be ended came to its end")


def crashed(where: Stage, behaviour: Behaviour, sql: str, after: int = 500) -> tuple[Stats, float]:
    """Kill the proxy by kill -9 when `after` answers of a statement are there.

    What the endpoint saw until then, and when that was by time.monotonic().
    """
    where.endpoint.play(behaviour)
    with running(where, sql):
        where.endpoint.wait(lambda stats: stats.answered >= after)
        killed = time.monotonic()
        where.proxy.kill()
    where.endpoint.wait(lambda stats: not stats.in_flight)
    return where.endpoint.stats(), killed


def join(table: str, model: str, more: str = "") -> str:
    """The SELECT that predicts each row of a table."""
    return f"SELECT s.id, m.answer FROM {table} AS s JOIN {model} AS m ON m.text = s.text {more}"


def ask(client: Any, sql: str) -> Any:
    """Run a statement and fetch all of its rows."""
    with client.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def wrong_rows(rows: Sequence[tuple[Any, ...]], expected: int, distinct: int | None = None) -> int:
    """How many of `expected` rows are missing, out of order, or have another row's answer."""
    right = sum(
        (identity, answer) == (number, str(number % distinct if distinct else number))
        for number, (identity, answer) in enumerate(rows)
    )
    return max(expected, len(rows)) - right
