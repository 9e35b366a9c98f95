"""What these tests share: a table of numbered rows, a model that says a row's number, its calls.

The endpoint is tests/support/endpoint.py's; nothing is mocked above the socket.
"""

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from typing import Any

import pymysql
import pytest

from tests.support.endpoint import Endpoint, Reply
from tests.support.proxy import ProxyProcess

WINDOW = 8
PATIENCE = 20.0


@dataclass
class Scene:
    """A proxy and an endpoint; the tables, engines and models made here have names of their own."""

    proxy: ProxyProcess
    endpoint: Endpoint
    numbers: Any = field(default_factory=lambda: count(1))

    def connect(self, **options: Any) -> Any:
        return self.proxy.connect(autocommit=True, **options)

    def source(self, rows: int, distinct: int | None = None) -> str:
        """A table (id, text): ids from 0, text 'row <id>', or 'row <id modulo distinct>'."""
        name = f"source_{next(self.numbers)}"
        number = f"n % {distinct}" if distinct else "n"
        self.rows(
            f"CREATE TABLE {name} AS SELECT n AS id, CONCAT('row ', {number}) AS text "
            f"FROM (SELECT UNNEST(RANGE({rows})) AS n) AS numbers ORDER BY n"
        )
        return name

    def model(self, max_concurrency: int = WINDOW, key: str = "sk-test") -> str:
        """A model that predicts `answer` from `text`, and an engine for it alone."""
        name = f"model_{next(self.numbers)}"
        self.rows(
            f"CREATE ML_ENGINE engine_of_{name} FROM openai USING api_base = '{self.endpoint.url}',"
            f" openai_api_key = '{key}', max_concurrency = {max_concurrency}"
        )
        self.rows(
            f"CREATE MODEL {name} PREDICT answer USING engine = 'engine_of_{name}', "
            f"model_name = 'm', prompt_template = 'Number of {{{{text}}}}? ({name})'"
        )
        return name

    def batch(self, rows: int, distinct: int | None = None, max_concurrency: int = WINDOW) -> str:
        """The SELECT that predicts every row of a new table with a new model."""
        return joined(self.source(rows, distinct), self.model(max_concurrency))

    def rows(self, sql: str, **options: Any) -> Sequence[tuple[Any, ...]]:
        """Carry a statement out on a connection of its own."""
        with closing(self.connect(**options)) as client:
            return asked(client, sql)

    def calls(self, sql: str) -> int:
        """The calls that a statement costs; its rows must be right."""
        before = self.endpoint.calls
        assert wrong(self.rows(sql)) == []
        return self.endpoint.calls - before

    def until(self, so: Callable[[Endpoint], bool], patience: float = PATIENCE) -> None:
        """Wait until the endpoint has seen what is due."""
        deadline = time.monotonic() + patience
        while not so(self.endpoint):
            assert time.monotonic() < deadline, "the endpoint did not see what was due"
            time.sleep(0.002)


def joined(source: str, model: str, more: str = "") -> str:
    return f"SELECT s.id, m.answer FROM {source} AS s JOIN {model} AS m ON m.text = s.text {more}"


def asked(client: Any, sql: str) -> Sequence[tuple[Any, ...]]:
    with client.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def fails(client: Any, sql: str) -> None:
    """Run a statement that somebody ends."""
    with pytest.raises((pymysql.MySQLError, OSError)):
        asked(client, sql)


def numbered(rows: int, distinct: int | None = None) -> list[tuple[int, str]]:
    """What a right answer looks like."""
    return [(n, str(n % distinct if distinct else n)) for n in range(rows)]


def wrong(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows that are not (id, its own number)."""
    return [row for row in rows if row[1] != str(row[0])]


def number(prompt: str) -> str:
    """The answer of an endpoint that does its work."""
    found = re.search(r"row (\d+)", prompt)
    assert found is not None
    return found[1]


class FirstOnly:
    """Answers the first `count` calls at once and holds those after until `release` is set."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.release = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, prompt: str) -> Reply:
        with self._lock:
            self.left -= 1
            return Reply(number(prompt), held=None if self.left >= 0 else self.release)


class Dice:
    """Fails a share of all tries, drawn by the prompt and the number of its try; counts both."""

    def __init__(self, share: float, statuses: Sequence[int]) -> None:
        self.share = share
        self.statuses = statuses
        self.failed = 0
        self._tries: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, prompt: str) -> Reply:
        with self._lock:
            turn = self._tries[prompt] = self._tries.get(prompt, 0) + 1
            drawn = blake2b(f"{turn} {number(prompt)}".encode(), digest_size=2).digest()
            if int.from_bytes(drawn) >= self.share * 65536:
                return Reply(number(prompt))
            self.failed += 1
            return Reply("try again", self.statuses[self.failed % len(self.statuses)])


class Limit:
    """Takes `rate` calls a second, with a bucket of `burst`; the others are 429."""

    def __init__(self, rate: float, burst: float, headers: dict[str, str]) -> None:
        self.rate = rate
        self.burst = self.tokens = burst
        self.headers = headers
        self._filled = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, prompt: str) -> Reply:
        with self._lock:
            now = time.monotonic()
            self.tokens = min(self.burst, self.tokens + (now - self._filled) * self.rate)
            self._filled = now
            if self.tokens < 1:
                return Reply("slow down", 429, headers=self.headers)
            self.tokens -= 1
            return Reply(number(prompt))
