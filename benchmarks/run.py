"""`make bench`: what the proxy adds to a call, what it weighs, how soon it answers.

Everything is measured from outside, by clients over sockets.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.endpoint import MODEL
from tests.support.proxy import ProxyProcess

ROUNDS = 200
WARM_UP = 50
IDLE_SECONDS = 1.0
PROMPT = "Classify the sentiment of the text: "


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement; lower is better."""

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def met(self) -> bool:
        """Whether the target, if there is one, is met."""
        return self.target is None or self.value <= self.target

    def __str__(self) -> str:
        """One line of the table."""
        measured = f"{self.name:<48}{self.value:>9.2f} {self.unit:<3}"
        if self.target is None:
            return measured
        return f"{measured}{self.target:>8g} {self.unit:<3} {'met' if self.met else 'MISSED'}"


def main() -> None:
    """Print the table; exit with 1 if a target is missed."""
    figures = measure()
    print(f"{'':<48}{'measured':>9}{'':<4}{'target':>8}")
    print(*figures, sep="\n")
    sys.exit(not all(figure.met for figure in figures))


def measure() -> list[Figure]:
    """Run the whole benchmark with a fresh proxy and endpoint."""
    with ExitStack() as stack:
        url = stack.enter_context(instant_endpoint())
        data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "data"
        started = time.perf_counter()
        proxy = stack.enter_context(ProxyProcess(data_dir))
        client = stack.enter_context(closing(proxy.connect()))
        ask(client, "SELECT 1")
        first_answer = time.perf_counter() - started
        make_model(client, url)
        direct = stack.enter_context(httpx.Client())
        through, without = interleaved(client, direct, url)
        time.sleep(IDLE_SECONDS)
        memory = resident_megabytes(proxy.pid)
    return [
        Figure("SELECT 1 after process start", first_answer, "s", 2),
        Figure(f"direct httpx call, median of {ROUNDS}", without, "ms"),
        Figure(f"prediction over the wire, median of {ROUNDS}", through, "ms"),
        Figure("what the proxy adds", through - without, "ms", 3),
        Figure("resident memory of the proxy, idle after that", memory, "MB", 150),
    ]


@contextmanager
def instant_endpoint() -> Iterator[str]:
    """The base URL of an endpoint in another process, which ends with the block."""
    command = [sys.executable, "-m", "benchmarks.endpoint"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        process.stdin.close()


def make_model(client: Any, url: str) -> None:
    """Make the model that is measured: one input, free text."""
    ask(client, f"CREATE ML_ENGINE instant FROM openai USING api_base = '{url}'")
    ask(
        client,
        f"CREATE MODEL mood PREDICT sentiment USING engine = 'instant', model_name = '{MODEL}', "
        f"prompt_template = '{PROMPT}{{{{text}}}}'",
    )


def interleaved(client: Any, direct: httpx.Client, url: str) -> tuple[float, float]:
    """The medians, in milliseconds, of predictions through the proxy and of direct calls.

    Each text is new, so that no cache can answer; the two kinds of call take turns, so that both
    see the same machine.
    """
    through, without = [], []
    for number in range(WARM_UP + ROUNDS):
        text = f"review number {number} says it is good"
        through.append(timed(ask, client, f"SELECT sentiment FROM mood WHERE text = '{text}'"))
        without.append(timed(complete, direct, url, PROMPT + text))
    return median(through[WARM_UP:]) * 1000, median(without[WARM_UP:]) * 1000


def timed(function: Any, *arguments: Any) -> float:
    """The seconds that a call takes."""
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def ask(client: Any, sql: str) -> Any:
    """Run a statement and fetch all of its rows."""
    with client.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def complete(direct: httpx.Client, url: str, prompt: str) -> str:
    """Make one chat completion, with the body that the proxy sends."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}
    reply = direct.post(f"{url}/chat/completions", json=body).raise_for_status()
    return str(reply.json()["choices"][0]["message"]["content"])


def resident_megabytes(pid: int) -> float:
    """The resident set of a process, as Linux counts it."""
    status = Path(f"/proc/{pid}/status").read_text()
    (kilobytes,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kilobytes) / 1024


if __name__ == "__main__":
    main()
