import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from proxy.wire.auth import make_account
from proxy.wire.limits import Limits
from proxy.wire.listener import Listener
from proxy.wire.processes import Processes
from proxy.wire.tls import Keys, rsa_key, self_signed_context
from tests.wire.fake import FakeAccounts, FakeHandler
from tests.wire.raw import RawClient

USER, PASSWORD = "alice", "wonder land"


@dataclass
class Server:
    """A listener on a loop of its own in a thread of its own."""

    listener: Listener
    accounts: FakeAccounts
    loop: asyncio.AbstractEventLoop
    log: list[object]
    port: int = 0
    raw_clients: list[RawClient] = field(default_factory=list)
    handlers: list[FakeHandler] = field(default_factory=list)

    def call(self, coroutine: Any, timeout: float = 15) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def connect(self, user: str = USER, password: str = PASSWORD, **options: Any) -> Any:
        options.setdefault("ssl_disabled", True)
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            connect_timeout=5,
            read_timeout=10,
            **options,
        )

    def raw(self, **options: Any) -> RawClient:
        client = RawClient(self.port, **options)
        self.raw_clients.append(client)
        return client

    def settle(self) -> None:
        """Until nothing more happens: the client reads nothing, and all buffers are full."""
        before = -1
        while before != len(self.log):
            before = len(self.log)
            time.sleep(0.1)

    def wait_for(self, entry: object, timeout: float = 5) -> None:
        deadline = time.monotonic() + timeout
        while entry not in self.log:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.005)


@pytest.fixture(scope="session")
def key_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="session")
def server_key(key_directory: Path) -> rsa.RSAPrivateKey:
    return rsa_key(key_directory / "rsa.pem")


@pytest.fixture(scope="session")
def tls(key_directory: Path) -> ssl.SSLContext:
    return self_signed_context(key_directory)


ACCOUNTS = (
    make_account(USER, PASSWORD),
    make_account("bob", "builder"),
    make_account("open", ""),
)


@pytest.fixture
def serve(server_key: rsa.RSAPrivateKey) -> Iterator[Callable[..., Server]]:
    """Starts servers; the options are Listener's."""
    servers: list[tuple[Server, threading.Thread]] = []

    def start(
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        **options: Any,
    ) -> Server:
        loop = loop or asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        log: list[object] = []
        accounts = FakeAccounts(*ACCOUNTS)

        handlers: list[FakeHandler] = []

        def handler(processes: Processes) -> FakeHandler:
            handlers.append(FakeHandler(processes, log))
            return handlers[-1]

        async def listen() -> Server:
            listener = Listener(
                handler,
                accounts,
                Keys(server_key, tls),
                "8.0.40-test",
                limits,
                **options,
            )
            port = await listener.start("127.0.0.1", 0)
            return Server(listener, accounts, loop, log, port, handlers=handlers)

        server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        for client in server.raw_clients:
            client.close()
        server.call(server.listener.stop(0))
        server.loop.call_soon_threadsafe(server.loop.stop)
        thread.join(5)
        server.loop.close()


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()
