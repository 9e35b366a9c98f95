"""What information_schema shows of data sources, their kinds and their definitions.

It asks no source: what is not known without asking is not shown.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from catalog.errors import SourceUnknown
from catalog.records import SourceRecord
from catalog.sources.extensions import extension_file, extension_version
from catalog.sources.kind import Kind, Parameter
from catalog.sources.kinds import all_kinds
from catalog.sources.sources import Sources
from proxy.execute.source_arguments import referring, shown_parameters
from proxy.variables import Value

DATA_SOURCES = (
    "NAME, ENGINE, STATE, ERROR, STATE_SINCE TIMESTAMP_S, TABLES BIGINT, "
    "TABLES_READ_AT TIMESTAMP_S, CONNECTION_DATA, CREATED_AT TIMESTAMP_S"
)
_TYPE_NAMES: dict[type, str] = {str: "str", int: "int", bool: "bool"}


def source_rows(sources: Sources) -> list[tuple[Value, ...]]:
    """The rows of DATA_SOURCES, by name."""
    return [_row(record, sources) for record in sources.records]


def database_rows(records: Sequence[SourceRecord]) -> list[tuple[Value, ...]]:
    """Sources as rows of DATABASES: NAME, TYPE, ENGINE, CONNECTION_DATA."""
    return [(r.name, "data", r.engine, _connection(r)) for r in records]


def handler_rows() -> list[tuple[Value, ...]]:
    """The kinds of sources as rows of HANDLERS."""
    return [_handler(kind) for kind in all_kinds()]


def show_create_source(record: SourceRecord) -> str:
    """The CREATE DATABASE that makes the source again, but for its secrets."""
    references = referring(record)
    lines = [
        f"{name} = {value if name in references else _literal(value)}"
        for name, value in shown_parameters(record).items()
    ]
    using = "\nUSING\n  " + ",\n  ".join(lines) if lines else ""
    return f"CREATE DATABASE {_named(record.name)} WITH ENGINE '{record.engine}'{using}"


def _row(record: SourceRecord, sources: Sources) -> tuple[Value, ...]:
    known = sources.known(record)
    return (
        record.name,
        record.engine,
        known.state,
        known.error,
        _second(known.since),
        known.tables,
        _second(known.read_at),
        _connection(record),
        _second(record.created_at),
    )


def _connection(record: SourceRecord) -> str:
    return json.dumps(shown_parameters(record), ensure_ascii=False)


def _handler(kind: Kind) -> tuple[Value, ...]:
    error = _import_error(kind)
    return (
        kind.name,
        "data",
        kind.title,
        f"Tables of {kind.title}",
        None if kind.extension is None else extension_version(kind.extension),
        json.dumps({p.name: _argument(p) for p in kind.parameters}),
        int(error is None),
        error,
    )


def _argument(parameter: Parameter) -> dict[str, object]:
    shown: dict[str, object] = {
        "type": _TYPE_NAMES[parameter.value_type],
        "description": parameter.description,
        "required": parameter.required,
        "secret": parameter.secret,
    }
    if parameter.choices:
        shown["choices"] = parameter.choices
    return shown if parameter.default is None else {**shown, "default": parameter.default}


def _import_error(kind: Kind) -> str | None:
    """Why a kind cannot be used here, or None."""
    try:
        if kind.extension is not None:
            extension_file(kind.extension)
    except SourceUnknown as error:
        return str(error)
    return None


def _literal(value: Value) -> str:
    """A value as USING reads it."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return json.dumps(value)


def _named(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _second(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
