"""Keep-alive HTTP connections to one address, each lent to one request at a time.

No pool of httpx's own: httpcore 1.0.9 looks at all its connections for each request, 3 ms of CPU
at 32 of them (tests/engines/test_lanes.py). A lane is a client of a single connection.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from ssl import PROTOCOL_TLS_CLIENT, SSLContext

import httpx

CONNECT_TIMEOUT = 5.0
_KEPT_ALIVE = 30.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where an endpoint is and what it asks for: its base URL (see `base_url`) and headers.

    `secrets` are the texts that no message may show.
    """

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    timeout: float = 120.0
    max_concurrency: int = 32


class Lanes:
    """At most `max_concurrency` connections; the one used last is used next, others may expire."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._places = asyncio.Semaphore(address.max_concurrency)
        self._idle: list[httpx.AsyncClient] = []
        self._closed = False

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend a client until the block ends. Raises TimeoutError where none gets free in time."""
        async with asyncio.timeout(self._address.timeout):
            await self._places.acquire()
        client = self._idle.pop() if self._idle else _client(self._address)
        try:
            yield client
        finally:
            self._idle.append(client)
            self._places.release()
            if self._closed:
                await self.aclose()

    async def aclose(self) -> None:
        """Close the idle connections, and those in use when they are given back. Idempotent."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()


def _client(address: Address) -> httpx.AsyncClient:
    url = httpx.URL(address.base_url)
    return httpx.AsyncClient(
        headers={"Content-Type": "application/json", **address.headers},
        limits=httpx.Limits(max_connections=1, keepalive_expiry=_KEPT_ALIVE),
        timeout=httpx.Timeout(address.timeout, connect=CONNECT_TIMEOUT),
        verify=_tls() if url.scheme == "https" else _no_tls(),
        # A proxy of the environment is for the world outside, never for this machine itself.
        trust_env=url.host not in ("localhost", "127.0.0.1", "::1"),
    )


@cache
def _tls() -> SSLContext:
    """Load the certificates once, and only where https asks for them: it takes 20 ms and 3 MB."""
    return httpx.create_ssl_context()


@cache
def _no_tls() -> SSLContext:
    """Trust nobody: what a client for http is given, as it cannot do without a context."""
    return SSLContext(PROTOCOL_TLS_CLIENT)
