"""What prefix order is worth on the embedded model: the same 200 prompts sorted and shuffled.

Ten documents with twenty questions each, the document first. llama.cpp keeps the last prompt of
each of its two slots and reads only what differs from it; a call goes to the slot that shares most.
`measure` is what `make bench` may call; run as a script it prints the figures.
"""

import asyncio
import csv
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from engines.base import Environment
from engines.local.model_file import find_model_file
from engines.local.process import Launch, LocalServer, start, stop

_DATA = Path(os.environ.get("MODELWIRE_TEST_MODEL_DIR") or Path.home() / ".cache" / "modelwire")
_REVIEWS = Path(__file__).resolve().parents[1] / "catalog" / "demo" / "reviews.csv"
_DOCUMENTS, _SLOTS = 10, 2
_TOPICS = (
    *("price", "battery", "noise", "size", "weight", "colour", "delivery", "service", "comfort"),
    *("quality", "taste", "smell", "screen", "sound", "speed", "warranty", "packaging", "repair"),
    *("cleaning", "safety"),
)


@dataclass(frozen=True, slots=True)
class Pass:
    """One order of the prompts: its seconds, the prompt tokens that the model had to read, and
    those that it remembered."""

    seconds: float
    read_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The same prompts in both orders."""

    ordered: Pass
    shuffled: Pass

    @property
    def gain(self) -> float:
        """How many times faster the sorted prompts were answered."""
        return self.shuffled.seconds / self.ordered.seconds


def measure() -> Measured:
    """Run both orders, each on a process of its own. Takes some three minutes on two cores."""
    return asyncio.run(_measure())


def prompts() -> list[str]:
    """Return the 200 prompts, sorted: all that share a document together."""
    with _REVIEWS.open(encoding="utf-8") as file:
        reviews = [row["review"] for row in csv.DictReader(file)]
    documents = [" ".join((reviews * 2)[6 * n : 6 * n + 8]) for n in range(_DOCUMENTS)]
    return [
        f"{document}\n\nQuestion: does anybody mention {topic}? Yes or no."
        for document in documents
        for topic in _TOPICS
    ]


async def _measure() -> Measured:
    path = await find_model_file(Environment(data_dir=_DATA))
    ordered = prompts()
    shuffled = random.Random(1).sample(ordered, len(ordered))
    return Measured(await _pass(path, ordered), await _pass(path, shuffled))


async def _pass(path: Path, asked: list[str]) -> Pass:
    server = await start(Launch(path, "m", _DATA / "prefix.log", slots=_SLOTS))
    try:
        return await _ask_all(server, asked)
    finally:
        await stop(server.process)


async def _ask_all(server: LocalServer, asked: list[str]) -> Pass:
    """Ask in order with a call in flight per slot."""
    waiting, read, cached = iter(asked), 0, 0
    headers = {"Authorization": f"Bearer {server.api_key}"}

    async def work(client: httpx.AsyncClient) -> None:
        nonlocal read, cached
        for prompt in waiting:
            body = {"messages": [{"role": "user", "content": prompt}], "max_tokens": 2}
            answer = await client.post(f"{server.url}/v1/chat/completions", json=body)
            timings = answer.raise_for_status().json()["timings"]
            read += timings["prompt_n"]
            cached += timings["cache_n"]

    started = time.perf_counter()
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=300) as client:
        await asyncio.gather(*(work(client) for _ in range(_SLOTS)))
    return Pass(time.perf_counter() - started, read, cached)


if __name__ == "__main__":
    measured = measure()
    for name, each in (("sorted", measured.ordered), ("shuffled", measured.shuffled)):
        print(f"{name}: {each.seconds:.1f} s, {each.read_tokens:,} prompt tokens read, ", end="")
        print(f"{each.cached_tokens:,} remembered")
    print(f"sorted is {measured.gain:.1f} times as fast")
