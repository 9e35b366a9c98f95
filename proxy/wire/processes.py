"""The live connections: what SHOW PROCESSLIST shows and KILL ends.

It holds no SQL but what a session publishes of its own accord, free of secrets.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from proxy.errors import KillDenied, NoSuchThread


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running statement is. Stages count from 1; `done` is the share of this stage that
    is done, 0 to 1, None where the whole is not known; `text` says it in words, free of secrets.

    https://mariadb.com/kb/en/progress-reporting/
    """

    stage: int
    max_stage: int
    done: float | None
    text: str

    @property
    def percent(self) -> float:
        """What is done of this stage: 0 to 100, with three digits."""
        return round(100 * min(max(self.done or 0.0, 0.0), 1.0), 3)


Watch: TypeAlias = Callable[[], Progress | None]
"""Asked for the progress of a running statement: at once, from any thread, without raising. None
says that there is none to tell of (yet)."""

NO_PROGRESS = Progress(0, 0, None, "")


@dataclass(frozen=True, slots=True)
class Process:
    """One connection as SHOW PROCESSLIST shows it. `user` is None before login; `info` is what its
    session published of the running statement. `time_ms` has three digits behind its point,
    `progress` is the percentage of its stage; without progress, that and the stages are 0."""

    connection_id: int
    user: str | None
    host: str
    database: str | None
    command: str
    seconds: int
    info: str | None
    state: str = ""
    time_ms: float = 0.0
    stage: int = 0
    max_stage: int = 0
    progress: float = 0.0


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
    watch: Watch | None = None
    since: float = field(default_factory=time.monotonic)

    def enter(self, command: str) -> None:
        """The connection is now in `command`, and has published nothing of it."""
        self.command = command
        self.info = None
        self.watch = None
        self.since = time.monotonic()

    def progress(self) -> Progress | None:
        """How far the running statement is, if it can be told."""
        watch = self.watch
        return None if watch is None else watch()

    def shown(self) -> Process:
        """What the process list shows of it now."""
        elapsed = time.monotonic() - self.since
        progress = self.progress() or NO_PROGRESS
        return Process(
            self.connection_id,
            self.user,
            self.host,
            self.database,
            self.command,
            int(elapsed),
            self.info,
            progress.text,
            round(1000 * elapsed, 3),
            progress.stage,
            progress.max_stage,
            progress.percent,
        )


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
        return tuple(entry.shown() for entry in tuple(self._entries.values()))

    def publish(self, connection_id: int, info: str | None) -> None:
        """Shows `info` as the connection's running statement, until its command ends or it runs the
        next one; progress is told anew. Whoever publishes answers for it: no secrets."""
        if entry := self._entries.get(connection_id):
            entry.info = info
            entry.watch = None

    def watch(self, connection_id: int, progress: Watch) -> None:
        """Shows what `progress` tells of the connection's running statement, for as long as what it
        published; clients that know MariaDB's progress reports get it too."""
        if entry := self._entries.get(connection_id):
            entry.watch = progress

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
