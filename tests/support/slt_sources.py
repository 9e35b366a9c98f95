"""Blocks of a `.test` file about data sources, as text and back: servers, files, logs.

Nothing here runs anything; slt_servers.py does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

SEPARATOR = "----"
KINDS = ("postgres", "mariadb", "s3")
EMPTY = "(empty)"
"""How an empty line stands in a file's text."""


@dataclass(frozen=True, slots=True)
class Source:
    """Servers on which the file has a database of its own."""

    line: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Native:
    """SQL that is run past the proxy: on a server, in DuckDB, or in a database file of the folder.

    `admin` makes what it creates the administrator's, not the account's that the proxy has.
    """

    line: int
    where: str
    sql: str
    admin: bool = False


@dataclass(frozen=True, slots=True)
class NativeQuery:
    """The same with rows: the header, then each row, as written cells."""

    line: int
    where: str
    sql: str
    rows: tuple[str, ...]
    rowsort: bool = False


@dataclass(frozen=True, slots=True)
class Log:
    """What a server's log shows of the proxy since the last look: statements with `pattern`, or
    `every` one, or those that are about data."""

    line: int
    kind: str
    rows: tuple[str, ...]
    pattern: str | None = None
    every: bool = False
    rowsort: bool = False


@dataclass(frozen=True, slots=True)
class Power:
    """Stop a server, or start it again."""

    line: int
    kind: str
    on: bool


@dataclass(frozen=True, slots=True)
class File:
    """A file in the folder that the proxy may read."""

    line: int
    name: str
    lines: tuple[str, ...]


SourceExpectation: TypeAlias = NativeQuery | Log
SourceBlock: TypeAlias = Source | Native | NativeQuery | Log | Power | File
WORDS = frozenset({"source", "native", "log", "stop", "start", "file"})
"""What such a block begins with."""


def read(line: int, words: Sequence[str], body: Sequence[str]) -> SourceBlock:
    """A block from its words and the lines below. Raises ValueError and re.error."""
    match words:
        case ["source", *kinds] if kinds:
            return Source(line, tuple(map(_kind, kinds)))
        case ["stop" | "start" as verb, kind]:
            return Power(line, _kind(kind), verb == "start")
        case ["file", name]:
            return File(line, _inside(name), tuple(body))
        case ["log", kind, *rest]:
            return _log(line, _kind(kind), rest, body)
        case ["native", "query", where, *rest]:
            sql, rows = _parts(body)
            return NativeQuery(line, _where(where), sql, rows, _rowsort(rest))
        case ["native", where, *rest] if rest in ([], ["admin"]):
            return Native(line, _where(where), _sql(body), bool(rest))
    raise ValueError("expected: source | native [query] | log | stop | start | file")


def write(block: SourceBlock) -> list[str]:
    """The lines of a block; read() makes the same of them."""
    match block:
        case Source(kinds=kinds):
            return [f"source {' '.join(kinds)}"]
        case Power(kind=kind, on=on):
            return [f"{'start' if on else 'stop'} {kind}"]
        case File(name=name, lines=lines):
            return [f"file {name}", *lines]
        case Log():
            return [_log_head(block), SEPARATOR, *block.rows]
        case NativeQuery(where=where, sql=sql, rows=rows):
            rowsort = " rowsort" * block.rowsort
            return [f"native query {where}{rowsort}", sql, SEPARATOR, *rows]
        case Native(where=where, sql=sql):
            return [f"native {where}{' admin' * block.admin}", sql]


def _log(line: int, kind: str, words: Sequence[str], body: Sequence[str]) -> Log:
    sql, rows = _parts(body)
    rowsort = list(words[:1]) == ["rowsort"]
    rest = " ".join(words[rowsort:])
    pattern = rest[1:-1] if len(rest) > 2 and rest[0] == rest[-1] == "/" else None
    if sql or (pattern is None and rest not in {"", "all"}):
        raise ValueError("expected: log SERVER [rowsort] [all | /pattern/]")
    re.compile(pattern or "")
    return Log(line, kind, rows, pattern, rest == "all", rowsort)


def _log_head(block: Log) -> str:
    which = " all" if block.every else "" if block.pattern is None else f" /{block.pattern}/"
    return f"log {block.kind}{' rowsort' * block.rowsort}{which}"


def _kind(word: str) -> str:
    if word not in KINDS:
        raise ValueError(f"no such server: {word}; there is {', '.join(KINDS)}")
    return word


def _where(word: str) -> str:
    if word.endswith((".sqlite", ".duckdb")):
        return _inside(word)
    return word if word == "duckdb" else _kind(word)


def _inside(name: str) -> str:
    if name.startswith("/") or ".." in name.split("/"):
        raise ValueError(f"{name} is not in the folder")
    return name


def _rowsort(words: Sequence[str]) -> bool:
    if list(words) not in ([], ["rowsort"]):
        raise ValueError("expected: native query WHERE [rowsort]")
    return bool(words)


def _sql(body: Sequence[str]) -> str:
    if not body:
        raise ValueError("no SQL")
    return "\n".join(body)


def _parts(body: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """What is above the separator, and the lines below it."""
    at = list(body).index(SEPARATOR) if SEPARATOR in body else len(body)
    return "\n".join(body[:at]), tuple(body[at + 1 :])
