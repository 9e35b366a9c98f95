"""The servers of a test session: each started when the first test asks, all stopped at its end.

What a server is, the other modules here know.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from tests.support.servers.mariadb import MariaDB
from tests.support.servers.postgres import Postgres
from tests.support.servers.program import Missing
from tests.support.servers.s3 import S3
from tests.support.servers.server import Database, Server

KINDS: dict[str, type[Server]] = {kind.kind: kind for kind in (Postgres, MariaDB, S3)}


class Fleet:
    """At most one server of each kind, used in a `with`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._servers: dict[str, Server] = {}
        self._missing: dict[str, Missing] = {}

    def server(self, kind: str) -> Server:
        """The server of a kind, which runs. Raises Missing, KeyError and process.Broken."""
        if kind in self._missing:
            raise self._missing[kind]
        if kind not in self._servers:
            try:
                self._servers[kind] = self._stack.enter_context(KINDS[kind]())
            except Missing as missing:
                self._missing[kind] = missing
                raise
        return self._servers[kind]

    @contextmanager
    def database(self, kind: str) -> Iterator[Database]:
        """A new empty database on the server of a kind, dropped at the end."""
        with self.server(kind).database() as made:
            yield made

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all of them."""
        self._stack.close()
