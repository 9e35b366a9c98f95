import asyncio

import httpcore
import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from engines.http_lanes import Address, Lanes


class Counting:
    """A server that remembers the client ports it saw, one per connection."""

    def __init__(self) -> None:
        self.ports: list[int] = []

    async def answer(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self.ports.append(request.transport.get_extra_info("peername")[1])
        await asyncio.sleep(0.01)
        return web.Response(text="ok")

    def server(self) -> TestServer:
        app = web.Application()
        app.router.add_get("/", self.answer)
        return TestServer(app)


def test_calls_in_turn_share_one_connection() -> None:
    counting = Counting()

    async def use() -> None:
        async with counting.server() as server:
            lanes = Lanes(Address(str(server.make_url("/"))))
            for _ in range(3):
                async with lanes.lane() as client:
                    await client.get(server.make_url("/").human_repr())
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

            async def call() -> None:
                async with lanes.lane() as client:
                    await client.get(url)

            await asyncio.gather(*(call() for _ in range(12)))
            await lanes.aclose()

    asyncio.run(use())
    assert len(counting.ports) == 12
    assert len(set(counting.ports)) == 3


def test_lane_that_does_not_get_free_in_time_is_a_timeout() -> None:
    async def use() -> None:
        lanes = Lanes(Address("http://127.0.0.1:9/v1", timeout=0.05, max_concurrency=1))
        async with lanes.lane():
            with pytest.raises(TimeoutError):
                async with lanes.lane():
                    pass
        await lanes.aclose()

    asyncio.run(use())


def test_client_in_use_is_closed_when_given_back() -> None:
    async def use() -> None:
        lanes = Lanes(Address("http://127.0.0.1:9/v1"))
        async with lanes.lane() as client:
            await lanes.aclose()
            assert not client.is_closed
        assert client.is_closed

    asyncio.run(use())


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
