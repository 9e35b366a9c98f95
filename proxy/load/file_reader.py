"""A file's text, fed in pieces, as portions that DuckDB splits into rows and fields by itself.

What is written plainly goes on as it is; the rest is read by fields.py and written plainly.
"""

from collections.abc import Iterator, Sequence

from proxy.errors import PacketTooLarge
from proxy.load.fields import Fields, Row
from proxy.load.plain import Plain
from proxy.load.portion import Portion, portion_of
from proxy.sql.statements import FileFormat

SLICE = 64 * 1024
"""Characters that are looked at in one go: some milliseconds' work."""

PORTION = 1024 * 1024
"""Characters, about, that are loaded in one go."""


class FileReader:
    """Reads one file. `binary` are the places of fields whose bytes are wanted: they go on in
    hexadecimal digits, as `codec` has them. No row is longer than `longest` characters."""

    def __init__(
        self, written: FileFormat, skipped: int, codec: str, binary: Sequence[int], longest: int
    ) -> None:
        self._written = written
        self._fields = Fields.of(written)
        self._skipped = skipped
        self._codec = codec
        self._binary = binary
        self._longest = longest
        self._text = ""
        self._pieces: list[str] = []
        self._size = 0
        self._enough = SLICE
        self._begun = not written.start
        self._plain = Plain(written)
        self._plainly = not binary and self._plain.able

    def feed(self, text: str) -> Iterator[Portion]:
        """More of the file: the rows that are whole now. Raises PacketTooLarge for a row that does
        not end."""
        self._pieces.append(text)
        self._size += len(text)
        if self._size >= self._enough:
            yield from self._read(last=False)
            self._size = len(self._text)
            self._enough = max(SLICE, 2 * self._size)  # a long row is not read at every piece
        if self._size > max(SLICE, self._longest):
            raise PacketTooLarge("A row of the file is longer than 'max_allowed_packet' bytes")

    def finish(self) -> Iterator[Portion]:
        """The file is at its end: the rest of its rows."""
        yield from self._read(last=False)
        yield from self._read(last=True)

    def _read(self, *, last: bool) -> Iterator[Portion]:
        self._text = "".join([self._text, *self._pieces])
        self._pieces.clear()
        if not self._past_start():
            return
        plain = None if last or not self._plainly else self._plain.write(self._text)
        if plain is not None:
            portion, self._text = plain
            if portion is not None:
                yield portion
            return
        text = self._text
        rows, taken = self._fields.rows(text, last=last)
        self._text = text[taken:]
        if rows:
            yield portion_of(self._hexed(rows), text)

    def _past_start(self) -> bool:
        """Whether the text begins with a row, behind what is skipped."""
        return self._past_lines() and (self._begun or self._past_prefix())

    def _past_lines(self) -> bool:
        at = 0
        while self._skipped and (end := self._fields.line_end(self._text, at)) is not None:
            self._skipped -= 1
            at = end
        self._text = self._text[at:]
        return not self._skipped

    def _past_prefix(self) -> bool:
        before, found, behind = self._text.partition(self._written.start)
        kept = len(self._written.start) - 1  # its end may still come
        self._text = behind if found else before[len(before) - min(kept, len(before)) :]
        self._begun = bool(found)
        return self._begun

    def _hexed(self, rows: list[Row]) -> list[Row]:
        for row in rows:
            for place in self._binary:
                value = row[place] if place < len(row) else None
                if value is not None:
                    row[place] = value.encode(self._codec, "surrogateescape").hex()
        return rows
