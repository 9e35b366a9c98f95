"""A file's text as rows of fields, by MySQL's rules of what ends, encloses and escapes them.

Pure: one regular expression reads a whole stretch of text. What a field means is values.py's.
https://dev.mysql.com/doc/refman/8.0/en/load-data.html#load-data-field-line-handling
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from proxy.sql.statements import FileFormat

Row: TypeAlias = list[str | None]

_NEVER = "(?!)"
MEANINGS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a"}


@dataclass(frozen=True, slots=True)
class Fields:
    """The rows of one format. `last` is whether nothing follows the text that is read."""

    written: FileFormat
    _pattern: re.Pattern[str]
    _last_pattern: re.Pattern[str]
    _line: re.Pattern[str]

    @classmethod
    def of(cls, written: FileFormat) -> "Fields":
        """The reader of a format."""
        return cls(
            written, _fields(written, last=False), _fields(written, last=True), _line(written)
        )

    def line_end(self, text: str, start: int) -> int | None:
        """Where the line ends that begins at `start`, as one that is not looked into; None where
        its end is not in the text."""
        found = self._line.match(text, start)
        return found.end() if found else None

    def rows(self, text: str, *, last: bool) -> tuple[list[Row], int]:
        """The rows from the start of a text, and how much of it they took: all that have an end,
        and where it is the last text those that have none."""
        rows: list[Row] = []
        row: Row = []
        taken = begun = 0  # characters of rows, and of the row that is not at its end
        for enclosed, plain, end, rest in (self._last_pattern if last else self._pattern).findall(
            text
        ):
            if rest:
                if last:
                    row.append(self._unterminated(rest))
                break
            if not (enclosed or plain or end):  # nothing, at the end of all
                break
            row.append(self._value(enclosed, plain))
            begun += len(enclosed) + len(plain) + len(end)
            if end != self.written.field:
                rows.append(row)
                row = []
                taken, begun = taken + begun, 0
        if last:
            return [*rows, row] if row else rows, len(text)
        return rows, taken

    def _value(self, enclosed: str, plain: str) -> str | None:
        escaped, quote = self.written.escaped, self.written.enclosed
        if enclosed:
            inside = enclosed[1:-1]
            is_plain = quote not in inside and (not escaped or escaped not in inside)
            return inside if is_plain else self._opened(inside)
        if escaped and escaped in plain:
            if plain == escaped + "N":
                return None
            plain = self._unescaped(plain)
        return None if quote and plain == "NULL" else plain

    def _opened(self, inside: str) -> str | None:
        """What stands between two quotes; a doubled one is one."""
        quote, escaped = self.written.enclosed, self.written.escaped
        if quote == escaped or not escaped:
            return inside.replace(quote * 2, quote)
        if inside == escaped + "N":
            return None
        pair = rf"{re.escape(escaped)}(.?)|{re.escape(quote * 2)}"
        return re.sub(pair, self._meant, inside, flags=re.DOTALL)

    def _unescaped(self, plain: str) -> str:
        escaped = re.escape(self.written.escaped)
        if self.written.escaped == self.written.enclosed:
            return plain.replace(self.written.escaped * 2, self.written.escaped)
        return re.sub(rf"{escaped}(.?)", self._meant, plain, flags=re.DOTALL)

    def _meant(self, pair: re.Match[str]) -> str:
        """What an escaped character means; a quote where two stand."""
        if pair[1] is None:
            return self.written.enclosed
        return MEANINGS.get(pair[1], pair[1] or self.written.escaped)

    def _unterminated(self, rest: str) -> str | None:
        """A field whose closing quote never came: the opening one is part of it."""
        inside = self._opened(rest[1:])
        return rest[:1] + ("N" if inside is None else inside)


def _fields(written: FileFormat, *, last: bool) -> re.Pattern[str]:
    """Matches a field: enclosed with its quotes, or plain, then what ends it; or else, as a fourth
    group, all that is left, which holds no whole field."""
    field, line = re.escape(written.field), re.escape(written.line)
    quote, escape = re.escape(written.enclosed), re.escape(written.escaped)
    stop = f"{line}|{field}" + (r"|\Z" if last else "")
    end = f"{_row_end(written, last=last)}|{field}" + (r"|\Z" if last else "")
    both = written.escaped == written.enclosed
    pair = (
        (escape * 2 if both else f"{escape}" + (r"(?:.|\Z)" if last else ".")) if escape else _NEVER
    )
    ends = re.escape("".join({written.field[0], written.line[0]}))
    lone = "" if both or not escape else f"|{escape}"
    plain = f"(?:[^{ends}{escape}]++|{pair}|(?!{line}|{field}{lone}).)*+"
    if not quote:
        return re.compile(f"({_NEVER})?({plain})({end})|(.+)", re.DOTALL)
    inside = "" if both or not escape else f"|{pair}"
    outside = "" if both else escape
    enclosed = (
        f"{quote}(?:[^{quote}{outside}]++{inside}|{quote}{quote}|{quote}(?!{quote}|{stop}))*+"
        f"{quote}(?={stop})"
    )
    return re.compile(f"(?:({enclosed})|(?!{quote})({plain}))({end})|(.+)", re.DOTALL)


def _row_end(written: FileFormat, *, last: bool) -> str:
    """What ends a row: where rows start behind something, all up to the next."""
    line, start = re.escape(written.line), re.escape(written.start)
    if not start:
        return line
    return f"{line}(?:.*?{start}" + (r"|.*\Z)" if last else ")")


def _line(written: FileFormat) -> re.Pattern[str]:
    """Matches a line that is skipped: only an escaped end of line does not end it."""
    line, escape = re.escape(written.line), re.escape(written.escaped)
    pair = f"{escape}." if escape else _NEVER
    first = re.escape(written.line[0])
    return re.compile(f"(?:[^{first}{escape}]++|{pair}|(?!{line}).)*+{line}", re.DOTALL)
