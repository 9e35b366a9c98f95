"""Rows of a file on their way to DuckDB: one text, with signs between them that no field has.

How a file's text becomes that is its neighbours' business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from proxy.load.fields import Row

_SIGNS = tuple(map(chr, (*range(0x1F, 0x1B, -1), *range(0x01, 0x08), *range(0x0E, 0x1A))))


@dataclass(frozen=True, slots=True)
class Portion:
    """Whole rows: `text` without the end of its last line, what ends fields and lines in it, the
    field that is NULL, and how many rows there are."""

    text: str
    field: str
    line: str
    null: str
    count: int

    def joined(self, other: "Portion") -> "Portion | None":
        """Both as one, if they are written alike."""
        if (self.field, self.line, self.null) != (other.field, other.line, other.null):
            return None
        text = f"{self.text}{self.line}{other.text}"
        return replace(self, text=text, count=self.count + other.count)

    def rows(self) -> list[list[str]]:
        """Its rows, for what is not DuckDB's."""
        return [line.split(self.field) for line in self.text.split(self.line)]


def portion_of(rows: Sequence[Row], text: str) -> Portion:
    """Rows that were read in a text, written plainly."""
    field, line, null = unused(text, 3)
    written = line.join([field.join([null if v is None else v for v in row]) for row in rows])
    return Portion(written, field, line, null, len(rows))


def unused(text: str, count: int) -> Sequence[str]:
    """Signs that a text does not have, nor what is escaped in it."""
    signs = _SIGNS[:count]
    if not any(sign in text for sign in signs):
        return signs
    private = map(chr, chain(range(0xE000, 0xF900), range(0xF0000, 0x110000)))
    free = (sign for sign in private if sign not in text)
    return [next(free) for _ in range(count)]
