"""Files as DuckDB reads them: which format a name tells, and the table function that reads it.

What a file holds DuckDB finds out; this only writes what it is asked.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from catalog.errors import ConversionFailed, FileBroken, SourceFailed
from catalog.records import SourceRecord
from catalog.sources.kind import Desk, Parameter, Value, given, literal

_NAME = re.compile(
    r"(?P<stem>.+?)\.(?P<format>csv|tsv|tab|json|ndjson|jsonl|parquet|pq)(?:\.(?:gz|zst))?", re.I
)
_FORMATS = {"csv": "csv", "tsv": "csv", "tab": "csv", "parquet": "parquet", "pq": "parquet"}
_TABBED = ("tsv", "tab")
_NOTHING = "(empty)"
"""What sniff_csv calls no quote at all."""
_WORDS = {"delimiter": "delim"}
_SNIFFED = {
    "delimiter": "Delimiter",
    "quote": "Quote",
    "escape": "Escape",
    "comment": "Comment",
    "skip": "SkipRows",
    "header": "HasHeader",
    "dateformat": "DateFormat",
    "timestampformat": "TimestampFormat",
    "columns": "Columns",
}
_SNIFFING = ("sample_size", "all_varchar", "union_by_name")
"""Options that have done their work when the columns are known."""
Columns: TypeAlias = Sequence[tuple[str, str]]

OPTIONS = (
    Parameter(
        "delimiter", "What stands between two values of a CSV file", aliases=("delim", "sep")
    ),
    Parameter("header", "Whether the first line has the columns' names", value_type=bool),
    Parameter("quote", "What values of a CSV file are quoted with"),
    Parameter("escape", "What stands before a quote that is part of a value"),
    Parameter("comment", "What lines begin with that are skipped"),
    Parameter("skip", "Lines to skip at the start of a CSV file", value_type=int),
    Parameter("encoding", "Character set of CSV files, like latin-1 or utf-16"),
    Parameter("nullstr", "The text that means NULL"),
    Parameter("dateformat", "How dates are written, like %d.%m.%Y"),
    Parameter("timestampformat", "How points in time are written"),
    Parameter("decimal_separator", "The comma of numbers, like ,"),
    Parameter("sample_size", "Rows that tell a column's type; -1 is all", value_type=int),
    Parameter("all_varchar", "Whether all columns of CSV files are text", value_type=bool),
    Parameter(
        "union_by_name", "Whether files of one table may have other columns", value_type=bool
    ),
)
_CSV = {option.name for option in OPTIONS}
_JSON = {"dateformat", "timestampformat", "sample_size", "union_by_name"}
_READS = {"csv": _CSV, "json": _JSON, "parquet": {"union_by_name"}}


@dataclass(frozen=True, slots=True)
class Format:
    """What the name of a file tells: `stem` is it without its suffixes, `kind` csv, json or
    parquet."""

    stem: str
    kind: str
    tabbed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A SELECT of all rows of some files, and its columns: names and DuckDB's types."""

    select: str
    columns: Columns


def format_of(name: str) -> Format | None:
    """The format of a file of that name, None where it is none that DuckDB reads."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    suffix = match["format"].lower()
    return Format(match["stem"], _FORMATS.get(suffix, "json"), suffix in _TABBED)


def options_of(record: SourceRecord, format_: Format) -> dict[str, Value]:
    """The options of a source that files of that format are read with."""
    values = given(record, OPTIONS)
    options = {name: value for name, value in values.items() if name in _READS[format_.kind]}
    return {"delimiter": "\t", **options} if format_.tabbed else options


async def read(
    desk: Desk, format_: Format, paths: Sequence[str], options: Mapping[str, Value]
) -> Reading:
    """How to read files of one format as one table. Raises CatalogError."""
    if format_.kind == "csv" and len(paths) == 1:
        return await _sniffed(desk, paths[0], options)
    select = _select(format_.kind, paths, options)
    columns = [(field.name, field.type) for field in await desk.fields(select)]
    if format_.kind == "json" and len(paths) == 1 and [name for name, _ in columns] != ["json"]:
        # DuckDB looks into the file once, and not each time that a statement is bound.
        kept = {name: value for name, value in options.items() if name not in _SNIFFING}
        select = _select("json", paths, kept, columns)
    return Reading(select, columns)


async def _sniffed(desk: Desk, path: str, options: Mapping[str, Value]) -> Reading:
    """A CSV file, with all that DuckDB found out of it written down."""
    sniffed = await _sniff(desk, path, options)
    if sniffed["quote"] == "" and not {"quote", "escape"} & options.keys():
        # Without a quote in the sample DuckDB takes those behind it for part of a value.
        try:
            quoted = await _sniff(desk, path, {**options, "quote": '"', "escape": '"'})
        except (ConversionFailed, FileBroken, SourceFailed):
            quoted = sniffed
        if quoted["columns"] == sniffed["columns"]:
            sniffed = quoted
    columns = [(str(each["name"]), str(each["type"])) for each in sniffed.pop("columns")]
    found = {name: value for name, value in sniffed.items() if value is not None}
    kept = {name: value for name, value in options.items() if name not in _SNIFFING}
    written = {**kept, **found, "auto_detect": False}
    return Reading(_select("csv", [path], written, columns), columns)


async def _sniff(desk: Desk, path: str, options: Mapping[str, Value]) -> dict[str, Any]:
    """What DuckDB finds out of a CSV file, by the names of read_csv's options."""
    given_ = {name: value for name, value in options.items() if name != "union_by_name"}
    arguments = ", ".join([literal(path), *_arguments(given_)])
    [row] = await desk.rows(f"SELECT {', '.join(_SNIFFED.values())} FROM sniff_csv({arguments})")
    return {n: "" if v == _NOTHING else v for n, v in zip(_SNIFFED, row, strict=True)}


def _select(
    kind: str, paths: Sequence[str], options: Mapping[str, Value], columns: Columns = ()
) -> str:
    files = ", ".join(literal(path) for path in paths)
    arguments = [f"[{files}]", *_arguments(options)]
    if columns:
        types = ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in columns)
        arguments.append(f"columns = {{{types}}}")
    return f"SELECT * FROM read_{kind}({', '.join(arguments)})"


def _arguments(options: Mapping[str, Value]) -> list[str]:
    return [f"{_WORDS.get(name, name)} = {_argument(v)}" for name, v in options.items()]


def _argument(value: Value) -> str:
    return literal(value) if isinstance(value, str) else str(value).lower()
