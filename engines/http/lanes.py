"""Keep-alive HTTP connections to one address, each lent to one request at a time.

No pool of httpx's own: httpcore 1.0.9 looks at all its connections for each request, 3 ms of CPU
at 32 of them (tests/engines/test_lanes.py). Where a proxy stands between, httpx's client does it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from ssl import SSLContext
from urllib.request import getproxies

import httpx

from engines.http.lane import Lane

CONNECT_TIMEOUT = 5.0
_KEPT_ALIVE = 30.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where an endpoint is and what it asks for: its base URL (see `base_url`) and headers.

    `secrets` are the texts that no message may show. `renew` gives the address with headers as they
    are now, where its key may change: it reads files and raises OptionError.
    """

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    timeout: float = 120.0
    max_concurrency: int = 32
    renew: Callable[[], "Address"] | None = field(default=None, repr=False, compare=False)


class Lanes:
    """At most `max_concurrency` connections; the one used last is used next, and those that
    nobody used for `kept_alive` seconds are closed."""

    def __init__(self, address: Address, kept_alive: float = _KEPT_ALIVE) -> None:
        self._url = httpx.URL(address.base_url)
        self._timeout = address.timeout
        self._kept_alive = kept_alive
        self._places = asyncio.Semaphore(address.max_concurrency)
        self._idle: deque[tuple[float, Lane]] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._proxied = _Proxied(address.max_concurrency) if _has_proxy(self._url) else None
        self._closed = False

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """Lend a connection until the block ends. Raises TimeoutError where none gets free in
        time."""
        await self._place()
        try:
            if self._proxied is not None:
                yield self._proxied
                return
            lane = self._idle.pop()[1] if self._idle else self._fresh()
            try:
                yield lane
            finally:
                self._give_back(lane)
        finally:
            self._places.release()

    async def _place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()  # at once
            return
        async with asyncio.timeout(self._timeout):
            await self._places.acquire()

    async def aclose(self) -> None:
        """Close the idle connections, and those in use when they are given back. Idempotent."""
        self._closed = True
        self._close_idle(float("inf"))
        if self._proxied is not None:
            await self._proxied.aclose()

    def _fresh(self) -> Lane:
        return Lane(self._url, tls_context() if self._url.scheme == "https" else None)

    def _give_back(self, lane: Lane) -> None:
        if self._closed:
            lane.close()
            return
        loop = asyncio.get_running_loop()
        self._idle.append((loop.time(), lane))
        if self._sweep is None:
            self._sweep = loop.call_later(self._kept_alive, self._expire)

    def _expire(self) -> None:
        """Close what is idle for too long: on the left, as the last used is taken first."""
        loop = asyncio.get_running_loop()
        self._sweep = None
        self._close_idle(loop.time() - self._kept_alive)
        if self._idle:
            self._sweep = loop.call_at(self._idle[0][0] + self._kept_alive, self._expire)

    def _close_idle(self, before: float) -> None:
        while self._idle and self._idle[0][0] <= before:
            self._idle.popleft()[1].close()
        if not self._idle and self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None


class _Proxied(httpx.AsyncBaseTransport):
    """httpx's own client, which finds the environment's proxy for each URL."""

    def __init__(self, max_connections: int) -> None:
        limits = httpx.Limits(max_connections=max_connections, keepalive_expiry=_KEPT_ALIVE)
        self._client = httpx.AsyncClient(limits=limits, verify=tls_context())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        await self._client.aclose()


def _has_proxy(url: httpx.URL) -> bool:
    """Whether the environment names one: for the world outside, never for this machine itself."""
    if url.host in ("localhost", "127.0.0.1", "::1"):
        return False
    return not getproxies().keys().isdisjoint(("http", "https", "all"))


@cache
def tls_context() -> SSLContext:
    """Load the certificates once, and only where https asks for them: it takes 20 ms and 3 MB."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
