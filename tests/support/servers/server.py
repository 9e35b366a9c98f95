"""What every server can do for a test: start, stop, make a database, run SQL, tell its log.

Each kind has a module of its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import ClassVar, NamedTuple, Self, TypeAlias

from tests.support.servers.process import HOST, Process, free_port
from tests.support.servers.program import give

Cell: TypeAlias = str | bytes | None


class Rows(NamedTuple):
    """A result as text: names of columns, then rows."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class NativeError(Exception):
    """The server's own message about SQL that was run on it directly."""


class Server(ABC):
    """A server with an account for the proxy, used in a `with`; each has data of its own.

    `user` may do everything in the databases of database(), and nothing elsewhere.
    Entering raises program.Missing, where the machine has no such server, and process.Broken.
    """

    kind: ClassVar[str]
    user: ClassVar[str] = "reader"
    password: ClassVar[str] = "reads-what-it-may"
    host = HOST

    def __init__(self, logged: bool = True) -> None:
        self.logged = logged
        self.port = free_port()
        self._stack = ExitStack()
        self._numbers = count(1)

    def __enter__(self) -> Self:
        """Initialise its data and start it."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix=f"{self.kind}-")))
            give(folder)
            self.process = self._initialised(folder)
            stack.callback(self.stop)
            self.start()
            self._furnish()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it and remove its data."""
        self._stack.close()

    def start(self) -> None:
        """Start on the same port with the same data; idempotent."""
        self.process.start()

    def stop(self) -> None:
        """Stop, so that its port refuses connections; idempotent."""
        self.process.stop()

    @contextmanager
    def database(self) -> Iterator["Database"]:
        """A new empty database, dropped at the end; the server runs again then."""
        name = f"shop{next(self._numbers)}"
        self._create(name)
        try:
            yield Database(self, name, self.mark())
        finally:
            self.start()
            self._drop(name)

    @abstractmethod
    def names(self, database: str) -> dict[str, str]:
        """What a test needs to reach a database: host, port, user and so on."""

    @abstractmethod
    def native(self, database: str, sql: str, admin: bool = False) -> Rows:
        """Run statements directly; the rows of the one among them that has rows.

        What they make belongs to `user`, or to the administrator. Raises NativeError.
        """

    @abstractmethod
    def mark(self) -> int:
        """The end of the log now."""

    @abstractmethod
    def statements_since(self, mark: int) -> list[str]:
        """What `user` has had run since then, in order, as it stands in the log."""

    @abstractmethod
    def _initialised(self, folder: Path) -> Process:
        """The process, not yet started, over new data in a folder."""

    @abstractmethod
    def _furnish(self) -> None:
        """Make what the first start needs."""

    @abstractmethod
    def _create(self, database: str) -> None: ...

    @abstractmethod
    def _drop(self, database: str) -> None: ...


@dataclass(slots=True)
class Database:
    """A database of one test, and how far the test has read the server's log."""

    server: Server
    name: str
    seen: int = field(repr=False)

    @property
    def names(self) -> dict[str, str]:
        """What a test needs to reach it: host, port, user and so on."""
        return self.server.names(self.name)

    def native(self, sql: str, admin: bool = False) -> Rows:
        """Run SQL directly; see Server.native()."""
        return self.server.native(self.name, sql, admin)

    def statements(self) -> list[str]:
        """What the proxy has had run since the last look, or since the beginning."""
        seen, self.seen = self.seen, self.server.mark()
        return self.server.statements_since(seen)
