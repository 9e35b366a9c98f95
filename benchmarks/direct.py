"""The bound T*, and the loop of asyncio and httpx that shows how near to it a client can come.

No proxy and no SQL here.
"""

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from ssl import PROTOCOL_TLS_CLIENT, SSLContext

import httpx

from benchmarks.endpoint import MODEL, new_event_loop
from benchmarks.tally import Stats


def bound(stats: Stats, slots: int) -> float:
    """T* in seconds for the calls that the endpoint took in.

    Equal latencies come in whole rounds; else it is their mean share of a slot, or the longest.
    """
    mean = stats.latency_sum / stats.calls
    if math.isclose(mean, stats.latency_longest):
        return math.ceil(stats.calls / slots) * mean
    return max(stats.latency_sum / slots, stats.latency_longest)


def run_direct(url: str, prompts: Sequence[str], slots: int) -> float:
    """Ask every prompt once, `slots` at a time; the seconds that it took."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_all(url, prompts, slots))


async def _all(url: str, prompts: Sequence[str], slots: int) -> float:
    no_tls = SSLContext(PROTOCOL_TLS_CLIENT)  # loading certificates takes 20 ms a client
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, verify=no_tls)
            )
            for _ in range(slots)
        ]
        waiting = iter(prompts)
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(_slot(client, waiting))
        return time.perf_counter() - started


async def _slot(client: httpx.AsyncClient, waiting: Iterator[str]) -> None:
    """One connection that is never idle: a pool of httpx's own is slow with many."""
    for prompt in waiting:
        reply = await client.post("/chat/completions", json=body(prompt))
        reply.raise_for_status().json()


def body(prompt: str) -> dict[str, object]:
    """The request that the proxy sends for a prompt."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}
