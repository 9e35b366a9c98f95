"""A chat to learn from, and what is wrong with the rows that were to be one: pure data.

Rows are counted from 1, in the order in which the query answered them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Cell: TypeAlias = str | None
Row: TypeAlias = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as it was found, not checked yet; `at` is its number inside the cell of its
    row, where all of a chat stands in one cell."""

    role: Cell
    content: Cell
    row: int
    at: int | None = None

    def fault(self, text: str) -> "Fault":
        """What is wrong with this message."""
        return Fault(self.row, text if self.at is None else f"message {self.at}: {text}")


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages in their order; `row` is where it begins."""

    turns: tuple[Turn, ...]
    row: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and in which row."""

    row: int
    text: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.text}"


@dataclass(frozen=True, slots=True)
class Reading:
    """The chats that rows could be read as, and the rows that could not. `hint` says how to tell
    chats apart, where the rows did not."""

    chats: tuple[Chat, ...]
    faults: tuple[Fault, ...] = ()
    hint: str = ""
