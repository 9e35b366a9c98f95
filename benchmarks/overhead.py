"""What the proxy adds to a call, what it weighs, how soon it answers.

One client, one call at a time.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.behaviour import Behaviour
from benchmarks.direct import body
from benchmarks.figure import Figure
from benchmarks.memory import resident
from benchmarks.stage import Stage, ask, stage
from tests.support.proxy import ProxyProcess

ROUNDS = 200
WARM_UP = 50
IDLE_SECONDS = 3.0
"""What was freed is handed back to the system within these."""


def overhead() -> list[Figure]:
    """One prediction at a time against an endpoint that answers at once."""
    started = _start_seconds()
    with stage(Behaviour()) as here:
        model = here.model()
        with closing(here.connect()) as client, httpx.Client(trust_env=False) as direct:
            through, without = _interleaved(here, client, direct, model)
            time.sleep(IDLE_SECONDS)
            memory = resident(here.proxy.pid)
    return [
        Figure("SELECT 1 after process start", started, "s", 2),
        Figure(f"direct httpx call, median of {ROUNDS}", without, "ms"),
        Figure(f"prediction over the wire, median of {ROUNDS}", through, "ms"),
        Figure("what the proxy adds", through - without, "ms", 3),
        Figure("resident memory of the proxy, idle after that", memory, "MB", 150),
    ]


def _start_seconds() -> float:
    """From the start of a process with an empty data directory to its first answer."""
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        with ProxyProcess(Path(directory) / "data") as proxy, closing(proxy.connect()) as client:
            ask(client, "SELECT 1")
            return time.perf_counter() - started


def _interleaved(here: Stage, client: Any, direct: httpx.Client, model: str) -> tuple[float, float]:
    """The medians, in milliseconds, of predictions through the proxy and of direct calls.

    Each text is new, so that no cache can answer; the two kinds of call take turns, so that both
    see the same machine.
    """
    through, without = [], []
    for number, prompt in enumerate(here.prompts(model, range(WARM_UP + ROUNDS))):
        sql = f"SELECT answer FROM {model} WHERE text = 'row {number}'"
        through.append(_timed(ask, client, sql))
        without.append(_timed(_complete, direct, here.endpoint.url, prompt))
    return median(through[WARM_UP:]) * 1000, median(without[WARM_UP:]) * 1000


def _timed(function: Callable[..., object], *arguments: object) -> float:
    """The seconds that a call takes."""
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def _complete(direct: httpx.Client, url: str, prompt: str) -> str:
    """Make one chat completion, with the body that the proxy sends."""
    reply = direct.post(f"{url}/chat/completions", json=body(prompt)).raise_for_status()
    return str(reply.json()["choices"][0]["message"]["content"])
