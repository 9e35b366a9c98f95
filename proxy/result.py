"""What a statement answers: data that the executor makes and the wire writes.

Values are MySQL's text form already; nothing here formats or encodes.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

Cell: TypeAlias = str | bytes | None
"""One value in MySQL's text form: text as str, binary strings as bytes, NULL as None."""

Row: TypeAlias = tuple[Cell, ...]

Batch: TypeAlias = list[Row]


class FieldType(IntEnum):
    """The column types that we send, by their protocol numbers.

    https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
    """

    TINY = 1
    SHORT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    NULL = 6
    TIMESTAMP = 7
    LONGLONG = 8
    DATE = 10
    TIME = 11
    DATETIME = 12
    YEAR = 13
    JSON = 245
    NEWDECIMAL = 246
    ENUM = 247
    BLOB = 252
    VAR_STRING = 253


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result. `length` is the display length in characters; `decimals` the scale,
    or the digits of a second's fraction."""

    name: str
    type: FieldType = FieldType.VAR_STRING
    length: int = 255
    decimals: int = 0
    unsigned: bool = False
    not_null: bool = False
    schema: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The answer of a statement without rows."""

    affected_rows: int = 0
    last_insert_id: int = 0
    info: str = ""


async def _nothing() -> None:
    return


class Batches:
    """The rows of a result in order, to be read once. Whoever was given them calls `aclose`, unless
    it has read them to their end.

    Closing a generator that has not begun runs none of its code; what a result holds already is
    therefore let go by `release`, which must bear being called when that is gone.
    """

    def __init__(
        self,
        batches: AsyncGenerator[Batch, None],
        release: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self._batches = batches
        self._release = release

    def __aiter__(self) -> AsyncIterator[Batch]:
        return self._batches

    async def aclose(self) -> None:
        """No more rows are read: all that the statement holds is let go. Idempotent."""
        try:
            await self._batches.aclose()
        finally:
            await self._release()


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer of a statement with rows. `deadline` is the loop's time at which they must be out,
    where the statement has one."""

    columns: tuple[Column, ...]
    batches: Batches
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class ClientFile:
    """The answer of a statement that reads a file of the client's, which is asked for it by `name`.

    `load` takes the file's bytes, in pieces of any size, and answers the statement; it need not
    read them to their end. Until it is called the statement holds nothing. It may be cancelled, and
    raises what the statement does: either way nothing of the file is kept."""

    name: str
    load: Callable[[AsyncIterator[bytes]], Awaitable[Done]]


Result: TypeAlias = Done | Rows | ClientFile
