"""What the wire asks of the rooms above: one Handler per client, one Accounts per server.

The wire knows no SQL; whoever implements Handler knows no packets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeAlias

from proxy.result import Column, Result
from proxy.wire.accounts import Account

Parameter: TypeAlias = str | bytes | int | float | Decimal | date | datetime | timedelta | None
"""A typed value bound to a `?` of a prepared statement. Text is str, binary data bytes, TIME
timedelta; a zero date, which Python has no value for, is text."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who is connected. `host` is the peer's address as text; `database` as asked for at login, or
    None."""

    connection_id: int
    user: str
    host: str
    database: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    found_rows: bool = False
    """CLIENT_FOUND_ROWS: UPDATE reports matched rows, not changed ones."""


class Prepared(Protocol):
    """A statement that waits for its parameters."""

    @property
    def parameters(self) -> int:
        """How many `?` it has, outside strings and comments."""


class Handler(Protocol):
    """The state of one client. Every method may raise an error that proxy/errors.py has a code for;
    the wire turns it into an ERR packet and goes on. Every coroutine may be cancelled (KILL, lost
    client) and then leaves nothing running."""

    @property
    def in_transaction(self) -> bool:
        """A transaction is open."""

    @property
    def autocommit(self) -> bool:
        """Each statement is a transaction of its own."""

    @property
    def warning_count(self) -> int:
        """Warnings of the last statement, final once its result is drained."""

    @property
    def wait_timeout(self) -> float:
        """Seconds that the client may stay silent."""

    async def open(self, client: Client) -> None:
        """The client is authenticated. Raises UnknownDatabase, which refuses the login."""

    def split(self, sql: str) -> list[str]:
        """The single statements of a text, for clients that send several at once; [] for an empty
        text."""

    async def query(self, sql: str) -> Result:
        """Runs one statement."""

    def prepare(self, sql: str) -> Prepared:
        """Checks one statement whose values come later, without running it."""

    async def columns(self, prepared: Prepared) -> tuple[Column, ...]:
        """The columns of a prepared statement's rows as far as they are known before it runs, which
        it does not; () where they are not known."""

    async def execute(self, prepared: Prepared, parameters: Sequence[Parameter]) -> Result:
        """Runs a prepared statement with as many values as it has `?`."""

    async def use(self, database: str) -> None:
        """Makes `database` the current one (COM_INIT_DB)."""

    async def fields(self, table: str) -> tuple[Column, ...]:
        """The columns of a table of the current database (COM_FIELD_LIST)."""

    async def reset(self) -> None:
        """Back to the state just after login: transaction rolled back, variables at their
        defaults."""

    async def close(self) -> None:
        """The client is gone. Called exactly once, whatever happened before."""


class Accounts(Protocol):
    """Who may log in."""

    def find(self, user: str) -> Account | None:
        """The account of that name. Called at each login, on the event loop."""
