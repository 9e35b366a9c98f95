import asyncio

import httpcore
import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from engines.http.lane import Lane
from engines.http.lanes import Address, Lanes
from tests.engines.support import until


class Counting:
    """A server that remembers the client ports it saw, one per connection."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self._server: RawTestServer | None = None

    @property
    def open(self) -> int:
        """Connections that are open now."""
        assert self._server is not None
        return len(self._server.handler.connections)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        self.ports.append(request.transport.get_extra_info("peername")[1])
        await asyncio.sleep(0.01)
        return web.Response(text="ok")

    def server(self) -> RawTestServer:
        self._server = RawTestServer(self.answer)
        return self._server


async def call(lanes: Lanes, url: str) -> int:
    request = httpx.Request("GET", url, extensions={"timeout": {"connect": 5.0, "read": 5.0}})
    async with lanes.lane() as transport:
        response = await transport.handle_async_request(request)
        await response.aread()
        await response.aclose()
    return response.status_code


def test_calls_in_turn_share_one_connection() -> None:
    counting = Counting()

    async def use() -> None:
        async with counting.server() as server:
            url = server.make_url("/").human_repr()
            lanes = Lanes(Address(url))
            assert [await call(lanes, url) for _ in range(3)] == [200, 200, 200]
            await lanes.aclose()

    asyncio.run(use())
    assert len(counting.ports) == 3
    assert len(set(counting.ports)) == 1


def test_calls_at_once_share_as_many_as_allowed() -> None:
    counting = Counting()

    async def use() -> None:
        async with counting.server() as server:
            url = server.make_url("/").human_repr()
            lanes = Lanes(Address(url, max_concurrency=3))
            await asyncio.gather(*(call(lanes, url) for _ in range(12)))
            await lanes.aclose()

    asyncio.run(use())
    assert len(counting.ports) == 12
    assert len(set(counting.ports)) == 3


def test_connections_that_nobody_uses_are_closed() -> None:
    counting = Counting()

    async def use() -> list[int]:
        async with counting.server() as server:
            url = server.make_url("/").human_repr()
            lanes = Lanes(Address(url), kept_alive=0.2)
            await asyncio.gather(*(call(lanes, url) for _ in range(8)))
            connections = [counting.open]
            await until(lambda: not counting.open)
            assert await call(lanes, url) == 200
            await lanes.aclose()
            return [*connections, len(set(counting.ports))]

    assert asyncio.run(asyncio.wait_for(use(), 10)) == [8, 9]


def test_lane_that_does_not_get_free_in_time_is_a_timeout() -> None:
    async def use() -> None:
        lanes = Lanes(Address("http://127.0.0.1:9/v1", timeout=0.05, max_concurrency=1))
        async with lanes.lane():
            with pytest.raises(TimeoutError):
                async with lanes.lane():
                    pass
        await lanes.aclose()

    asyncio.run(use())


def test_connection_in_use_is_closed_when_given_back() -> None:
    counting = Counting()

    async def use() -> int:
        async with counting.server() as server:
            url = server.make_url("/").human_repr()
            lanes = Lanes(Address(url))
            calling = asyncio.create_task(call(lanes, url))
            await until(lambda: counting.open == 1)
            await lanes.aclose()
            status = await calling
            await until(lambda: not counting.open)
            return status

    assert asyncio.run(asyncio.wait_for(use(), 10)) == 200


def test_the_environments_proxy_is_used_but_never_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def forward(request: web.BaseRequest) -> web.Response:
        asked.append(str(request.url))
        return web.Response(text="ok")

    async def use() -> bool:
        async with RawTestServer(forward) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.make_url("/").human_repr())
            lanes = Lanes(Address("http://models.example/v1"))
            assert await call(lanes, "http://models.example/v1/models") == 200
            await lanes.aclose()
            async with Lanes(Address("http://127.0.0.1:9/v1")).lane() as transport:
                return isinstance(transport, Lane)

    assert asyncio.run(use())
    assert asked == ["http://models.example/v1/models"]


def test_httpcores_own_pool_looks_at_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason for lanes: when this fails, they may go."""
    looked = 0
    original = httpcore.AsyncHTTPConnection.has_expired

    def has_expired(self: httpcore.AsyncHTTPConnection) -> bool:
        nonlocal looked
        looked += 1
        return original(self)

    async def use() -> None:
        nonlocal looked
        async with Counting().server() as server, httpx.AsyncClient() as client:
            url = server.make_url("/").human_repr()
            await asyncio.gather(*(client.get(url) for _ in range(20)))
            looked = 0
            await client.get(url)

    monkeypatch.setattr(httpcore.AsyncHTTPConnection, "has_expired", has_expired)
    asyncio.run(use())
    assert looked >= 20
