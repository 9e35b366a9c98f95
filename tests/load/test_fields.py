"""Rows of a file's text, against MySQL's own algorithm, character by character."""

import random

import pytest

from proxy.load.fields import Row
from proxy.load.file_reader import FileReader
from proxy.load.plain import Plain
from proxy.sql.statements import FileFormat

MEANINGS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a"}
FORMATS = {
    "tsv": FileFormat(),
    "csv": FileFormat(field=",", enclosed='"'),
    "rfc": FileFormat(field=",", enclosed='"', escaped=""),
    "windows": FileFormat(field=";", enclosed='"', line="\r\n"),
    "sql": FileFormat(field=",", enclosed='"', escaped='"'),
    "long": FileFormat(field="||", enclosed="'", line="\n"),
    "alike": FileFormat(field=",,", line=",\n"),
    "prefix": FileFormat(field=",", enclosed='"', start="x:"),
    "none": FileFormat(field=",", escaped=""),
    "hive": FileFormat(field="\x01", line="\n"),
    "private": FileFormat(field="\x1f", line="\x1e", enclosed="\x1d"),
}


class Reference:
    """READ_INFO::read_field and next_line of MySQL's sql_load.cc, in Python."""

    def __init__(self, text: str, written: FileFormat) -> None:
        self.text, self.at, self.w = text, 0, written
        self.null = self.line_ended = self.eof = False

    def get(self) -> str:
        self.at += 1
        return self.text[self.at - 1 : self.at]

    def ends(self, sign: str) -> bool:
        """Whether the terminator stands where a character was just read."""
        if sign and self.text.startswith(sign, self.at - 1):
            self.at += len(sign) - 1
            return True
        return False

    def rows(self) -> list[Row]:
        rows: list[Row] = []
        while not self.eof:
            row: Row = []
            self.line_ended = False
            if self.w.start:
                found = self.text.find(self.w.start, self.at)
                if found < 0:
                    break
                self.at = found + len(self.w.start)
            while not self.line_ended and (field := self.field()) is not False:
                row.append(field)
            if row:
                rows.append(row)
        return rows

    def field(self) -> str | bool | None:  # noqa: C901, PLR0911, PLR0912
        self.null = False
        sign = self.get()
        if not sign:
            self.eof = True
            return False
        out = ""
        quote = None
        if self.w.enclosed and sign == self.w.enclosed:
            quote, out = sign, sign
        else:
            self.at -= 1
        while True:
            sign = self.get()
            if not sign:
                self.line_ended = self.eof = True
                return self.value(out, enclosed=False)
            if self.w.escaped and sign == self.w.escaped:
                behind = self.get()
                # there MySQL takes the last quote of a file for a part of its field
                if not behind and not (quote and self.w.escaped == quote):
                    self.line_ended = self.eof = True
                    return self.value(out + sign, enclosed=False)
                if self.w.escaped != self.w.enclosed or behind == self.w.escaped:
                    self.null |= behind == "N" and self.w.escaped != self.w.enclosed
                    out += MEANINGS.get(behind, behind)
                    continue
                self.at -= 1
            if quote is None and self.ends(self.w.line):
                self.line_ended = True
                return self.value(out, enclosed=False)
            if quote is not None and sign == quote:
                behind = self.get()
                if behind == quote:
                    out += quote
                    continue
                if not behind or self.ends(self.w.line):
                    self.line_ended = True
                    self.eof = not behind
                    return self.value(out[1:], enclosed=True)
                if self.ends(self.w.field):
                    return self.value(out[1:], enclosed=True)
                self.at -= 1
            elif quote is None and self.ends(self.w.field):
                return self.value(out, enclosed=False)
            out += sign

    def value(self, out: str, *, enclosed: bool) -> str | None:
        if not enclosed and self.w.enclosed and out == "NULL":
            return None
        return None if self.null and len(out) == 1 else out


def read(text: str, written: FileFormat, pieces: int, *, plainly: bool) -> list[Row]:
    reader = FileReader(written, 0, "utf-8", (), 1 << 30)
    reader._plainly = plainly and reader._plainly
    rows: list[Row] = []
    step = max(1, len(text) // pieces)
    found = []
    for start in range(0, len(text), step):
        reader._enough = 1
        found += reader.feed(text[start : start + step])
    found += reader.finish()
    for portion in found:
        lines = portion.rows()
        assert len(lines) == portion.count
        rows += [[None if field == portion.null else field for field in row] for row in lines]
    return rows


def some_text(random_: random.Random, written: FileFormat) -> str:
    """A file that a program may have written, or nobody."""
    signs = ["a", "N", "NULL", " ", "n", written.escaped, written.enclosed, "0", "x:"]
    signs += [written.field] * 2 + [written.line, written.field[0], written.line[0]]
    if random_.random() < 0.5:
        return "".join(random_.choice(signs) for _ in range(random_.randrange(40)))
    quote = written.enclosed
    inner = [sign for sign in signs if sign not in (written.escaped, quote)] + [quote * 2]
    fields = []
    for _ in range(random_.randrange(1, 12)):
        inside = "".join(random_.choice(inner) for _ in range(random_.randrange(4)))
        plain = random_.choice(["1", "", "NULL", f"{written.escaped}N", "b"])
        end = random_.choice([written.field, written.field, written.line])
        start = written.start if not fields or fields[-1].endswith(written.line) else ""
        fields.append(start + random_.choice([f"{quote}{inside}{quote}", plain]) + end)
    return "".join(fields)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("plainly", [True, False])
def test_rows_are_those_that_mysql_reads(name: str, plainly: bool) -> None:
    random_ = random.Random(f"{name} {plainly}")
    written = FORMATS[name]
    for _ in range(3000):
        text = some_text(random_, written)
        wanted = Reference(text, written).rows()
        assert read(text, written, random_.randrange(1, 6), plainly=plainly) == wanted, repr(text)


@pytest.mark.parametrize(
    ("name", "able"),
    [("tsv", True), ("csv", True), ("windows", True), ("sql", False), ("alike", False)],
)
def test_what_programs_write_is_read_at_once(name: str, able: bool) -> None:
    assert Plain(FORMATS[name]).able is able
