"""Real endpoints that take fifty calls a second and refuse the others: nothing is configured.

What the pacer makes of them is in test_pacer.py, to the digit. Here is no time, only what comes
of it: all rows are right, and what is refused is tried again without a storm.
"""

import asyncio
import threading
import time
from collections.abc import Mapping

import pytest

from tests.engines.shares import Kept, Purse, answered, dispatching, limits, numbered
from tests.engines.support import run
from tests.support.endpoint import Endpoint, Reply

RATE = 50
ROWS = 120


class Seconds:
    """Takes so many calls in each second, and counts those that it refuses."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.refusal = Reply("slow down", 429, headers=headers)
        self.second, self.count = 0, 0
        self.taken = self.refused = 0
        self.lock = threading.Lock()

    def __call__(self, prompt: str) -> Reply:
        with self.lock:
            second = int(time.monotonic())
            self.count = self.count + 1 if second == self.second else 1
            self.second = second
            takes = self.count <= RATE
            self.taken += takes
            self.refused += not takes
        return Reply("x", delay=0.05) if takes else self.refusal


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=["bare", "Retry-After"])
def test_every_row_is_answered_with_one_call_taken(headers: Mapping[str, str]) -> None:
    limit = Seconds(headers)

    async def ask_all() -> list[str | None]:
        with Endpoint(limit) as endpoint:
            async with dispatching(endpoint, limits(retry_deadline=60)) as dispatcher:
                share = dispatcher.open(Purse(), Kept(), mode="off")
                statement = asyncio.create_task(answered(share, numbered(ROWS)))
                return [prediction.value for prediction in await statement]

    assert run(ask_all()) == ["x"] * ROWS
    assert limit.taken == ROWS
    assert 0 < limit.refused <= 10 * ROWS
