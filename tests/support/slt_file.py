"""The text of a `.test` file as blocks, and back: tests/slt/README.md describes the format.

Nothing here runs anything; slt.py does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.support import slt_sources
from tests.support.schemas import Schemas
from tests.support.slt_sources import SEPARATOR, SourceBlock, SourceExpectation

_SCHEMAS: dict[str, Schemas] = {
    "on": True,
    "off": False,
    "ignored": None,
    "structured_outputs": "structured_outputs",
    "guided_json": "guided_json",
    "json_object": "json_object",
    "plain": "plain",
    "none": "none",
}


class FormatError(Exception):
    """A block that is none; the text names file and line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of the proxy, as (name, value) pairs."""

    line: int
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """The endpoint: models it lists, the key it wants, whether it takes JSON schemas."""

    line: int
    models: tuple[str, ...] | None = None
    key: str | None = None
    json_schema: Schemas = True


@dataclass(frozen=True, slots=True)
class Replies:
    """What the endpoint answers from here on, as (part of the prompt, reply) pairs."""

    line: int
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What becomes of fine-tuning jobs from here on, as (name, value) pairs of tuning.py's desk."""

    line: int
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """The client to go on with; made where the name is new, then in `database`."""

    line: int
    name: str
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """Stop the proxy and start it again with the same data."""

    line: int


@dataclass(frozen=True, slots=True)
class Ok:
    """A statement that succeeds; its rows, if any, are not looked at."""

    line: int
    sql: str
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """A statement that succeeds and reports `count` affected rows."""

    line: int
    sql: str
    count: int
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Error:
    """A statement that fails with `code`; `pattern` is found in the message."""

    line: int
    sql: str
    code: int
    pattern: str = ""
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with rows: the header, then each row, as written cells. One that is `awaited` is
    run again and again until it has these."""

    line: int
    sql: str
    rows: tuple[str, ...]
    rowsort: bool = False
    calls: int = 0
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class Warnings:
    """What SHOW WARNINGS says of the statement before: its header and rows."""

    line: int
    rows: tuple[str, ...]


Statement: TypeAlias = Ok | Count | Error | Query
Expectation: TypeAlias = Statement | Warnings | SourceExpectation
Block: TypeAlias = (
    Settings
    | EndpointOptions
    | Replies
    | Tuning
    | Connection
    | Restart
    | Ok
    | Count
    | Error
    | Query
    | Warnings
    | SourceBlock
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One stretch of lines without an empty one: comments, and at most one block."""

    comments: tuple[str, ...]
    block: Block | None


@dataclass(frozen=True, slots=True)
class Script:
    """A whole file."""

    path: Path
    paragraphs: tuple[Paragraph, ...] = field(default=())

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks in order, without comments."""
        return tuple(part.block for part in self.paragraphs if part.block is not None)


def read(path: Path) -> Script:
    """Parse a file. Raises FormatError."""
    return parse(path.read_text(encoding="utf-8"), path)


def parse(text: str, path: Path = Path("<text>")) -> Script:
    """Parse the text of a file. Raises FormatError."""
    paragraphs: list[Paragraph] = []
    lines: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            lines.append(line)
        elif lines:
            paragraphs.append(_paragraph(path, number - len(lines), lines))
            lines = []
    return Script(path, tuple(paragraphs))


def _paragraph(path: Path, first: int, lines: list[str]) -> Paragraph:
    comments = 0
    while comments < len(lines) and lines[comments].startswith("#"):
        comments += 1
    body = lines[comments:]
    try:
        block = _block(first + comments, body[0].split(), body[1:]) if body else None
    except (ValueError, LookupError, re.error) as error:
        raise FormatError(f"{path}:{first + comments}: cannot read {body[0]!r}: {error}") from error
    return Paragraph(tuple(lines[:comments]), block)


def _block(line: int, words: list[str], body: list[str]) -> Block:  # noqa: C901, PLR0911
    match words:
        case ["settings"]:
            return Settings(line, tuple(_pair(text, "=") for text in body))
        case ["endpoint"]:
            return _endpoint(line, body)
        case ["replies"]:
            return Replies(line, tuple(_pair(text, "=>") for text in body))
        case ["tuning"]:
            return Tuning(line, tuple(_pair(text, "=") for text in body))
        case ["connection", name, *rest]:
            return Connection(line, name, rest[0] if rest else None)
        case ["restart"]:
            return Restart(line)
        case ["warnings"]:
            return Warnings(line, tuple(body))
        case ["statement", *rest]:
            return _statement(line, rest, "\n".join(body))
        case ["query", *rest]:
            return _query(line, rest, body)
        case [word, *_] if word in slt_sources.WORDS:
            return slt_sources.read(line, words, body)
    raise ValueError("no such block")


def _pair(text: str, sign: str) -> tuple[str, str]:
    left, found, right = text.partition(sign)
    if not found:
        raise ValueError(f"{sign} is missing in {text!r}")
    return left.strip(), right.strip()


def _endpoint(line: int, body: list[str]) -> EndpointOptions:
    options = dict[str, str](text.split(maxsplit=1) for text in body)
    if unknown := options.keys() - {"models", "key", "json_schema"}:
        raise ValueError(f"no such option: {', '.join(sorted(unknown))}")
    models = options.get("models")
    return EndpointOptions(
        line,
        models=None if models is None else tuple(models.split()),
        key=options.get("key"),
        json_schema=_SCHEMAS[options.get("json_schema", "on")],
    )


def _statement(line: int, words: list[str], sql: str) -> Statement:
    words, calls = _take_calls(words)
    if not sql:
        raise ValueError("no SQL")
    match words:
        case ["ok"]:
            return Ok(line, sql, calls)
        case ["count", count]:
            return Count(line, sql, int(count), calls)
        case ["error", code, *pattern]:
            re.compile(" ".join(pattern))
            return Error(line, sql, int(code), " ".join(pattern), calls)
    raise ValueError("expected: statement ok | count N | error CODE [pattern]")


def _query(line: int, words: list[str], body: list[str]) -> Query:
    words, calls = _take_calls(words)
    awaited, rowsort = "until" in words, "rowsort" in words
    if words != ["until"] * awaited + ["rowsort"] * rowsort:
        raise ValueError("expected: query [until] [rowsort] [calls N]")
    at = body.index(SEPARATOR) if SEPARATOR in body else len(body)
    if not body[:at]:
        raise ValueError("no SQL")
    return Query(line, "\n".join(body[:at]), tuple(body[at + 1 :]), rowsort, calls, awaited=awaited)


def _take_calls(words: list[str]) -> tuple[list[str], int]:
    """`calls N` stands after the kind of the block, before an error's pattern."""
    if "calls" not in words:
        return words, 0
    at = words.index("calls")
    if at > 2 or not words[at + 1].isdigit():
        return words, 0
    return words[:at] + words[at + 2 :], int(words[at + 1])


def write(script: Script) -> str:
    """The text of a file; parse(write(script)) has the same blocks."""
    paragraphs = [
        "\n".join([*part.comments, *([] if part.block is None else [_written(part.block)])])
        for part in script.paragraphs
    ]
    return "\n\n".join(paragraphs) + "\n"


def _written(block: Block) -> str:  # noqa: C901, PLR0911
    match block:
        case Settings(pairs=pairs):
            return _lines("settings", [f"{name}={value}" for name, value in pairs])
        case EndpointOptions():
            return _lines("endpoint", _endpoint_lines(block))
        case Replies(pairs=pairs):
            return _lines("replies", [f"{prompt} => {reply}" for prompt, reply in pairs])
        case Tuning(pairs=pairs):
            return _lines("tuning", [f"{name} = {value}" for name, value in pairs])
        case Connection(name=name, database=database):
            return " ".join(filter(None, ["connection", name, database]))
        case Restart():
            return "restart"
        case Warnings(rows=rows):
            return _lines("warnings", rows)
        case Ok(sql=sql):
            return _lines(f"statement ok{_calls(block)}", [sql])
        case Count(sql=sql, count=count):
            return _lines(f"statement count {count}{_calls(block)}", [sql])
        case Error(sql=sql, code=code, pattern=pattern):
            return _lines(f"statement error {code}{_calls(block)} {pattern}".rstrip(), [sql])
        case Query(sql=sql, rows=rows):
            words = " until" * block.awaited + " rowsort" * block.rowsort
            head = f"query{words}{_calls(block)}"
            return _lines(head, [sql, SEPARATOR, *rows])
        case _:
            return "\n".join(slt_sources.write(block))


def _lines(head: str, body: Sequence[str]) -> str:
    return "\n".join([head, *body])


def _calls(statement: Statement) -> str:
    return f" calls {statement.calls}" if statement.calls else ""


def _endpoint_lines(options: EndpointOptions) -> list[str]:
    lines = []
    if options.models is not None:
        lines.append(f"models {' '.join(options.models)}")
    if options.key is not None:
        lines.append(f"key {options.key}")
    if options.json_schema is not True:
        names = {value: name for name, value in _SCHEMAS.items()}
        lines.append(f"json_schema {names[options.json_schema]}")
    return lines
