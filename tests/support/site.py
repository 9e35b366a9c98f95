"""A small web site on loopback, for tests of what fetches pages: each path has one answer.

It runs in a thread with an event loop of its own and remembers the paths that it was asked for.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self, TypeAlias

from aiohttp import web

Page: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """`with Site(pages) as site:` serves at `site.url` until the block ends, 404 for the rest."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self.pages = dict(pages)
        self.paths: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._serve())
        return self

    def __exit__(self, *exc_info: object) -> None:
        assert self._runner is not None
        self._wait(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _wait(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.raw_path)
        self.headers.append(dict(request.headers))
        page = self.pages.get(request.raw_path)
        return web.Response(status=404) if page is None else await page(request)
