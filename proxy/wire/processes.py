"""The live connections: what SHOW PROCESSLIST shows and KILL ends.

It holds no SQL but what a session publishes of its own accord, free of secrets.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from proxy.errors import KillDenied, NoSuchThread


@dataclass(frozen=True, slots=True)
class Process:
    """One connection as SHOW PROCESSLIST shows it. `user` is None before login; `info` is what its
    session published of the running statement."""

    connection_id: int
    user: str | None
    host: str
    database: str | None
    command: str
    seconds: int
    info: str | None


@dataclass(slots=True)
class Entry:
    """The live side of a Process; the connection writes it."""

    connection_id: int
    host: str
    kill: Callable[[bool], None]
    """Called with whether only the running statement ends."""
    user: str | None = None
    database: str | None = None
    command: str = "Connect"
    info: str | None = None
    since: float = field(default_factory=time.monotonic)

    def enter(self, command: str) -> None:
        """The connection is now in `command`, and has published nothing of it."""
        self.command = command
        self.info = None
        self.since = time.monotonic()


class Processes:
    """One per server. Ids count up from 1 and are not used again."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._last_id = 0
        self._started = time.monotonic()
        self.questions = 0
        """Statements since the start."""

    @property
    def uptime(self) -> int:
        """Seconds since the start."""
        return int(time.monotonic() - self._started)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, host: str, kill: Callable[[bool], None]) -> Entry:
        """A new connection, not logged in yet."""
        self._last_id += 1
        entry = self._entries[self._last_id] = Entry(self._last_id, host, kill)
        return entry

    def remove(self, entry: Entry) -> None:
        """The connection is closed."""
        del self._entries[entry.connection_id]

    def list(self) -> tuple[Process, ...]:
        """All connections by id. May be called from any thread."""
        now = time.monotonic()
        return tuple(
            Process(
                e.connection_id, e.user, e.host, e.database, e.command, int(now - e.since), e.info
            )
            for e in tuple(self._entries.values())
        )

    def publish(self, connection_id: int, info: str | None) -> None:
        """Shows `info` as the connection's running statement, until its command ends. Whoever
        publishes answers for it: no secrets."""
        if entry := self._entries.get(connection_id):
            entry.info = info

    def use(self, connection_id: int, database: str | None) -> None:
        """The connection's current database is now `database`."""
        if entry := self._entries.get(connection_id):
            entry.database = database

    def kill(self, connection_id: int, *, query_only: bool, by: str) -> None:
        """Ends a connection, or only its running statement, in the name of the account `by`.

        The end is asked for, not awaited. Raises NoSuchThread and KillDenied.
        """
        entry = self._entries.get(connection_id)
        if entry is None:
            raise NoSuchThread(f"Unknown thread id: {connection_id}")
        if entry.user != by:
            raise KillDenied(f"You are not owner of thread {connection_id}")
        entry.kill(query_only)
