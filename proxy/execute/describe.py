"""What a model says of itself, and statements that would make a thing again.

Rows of text made of records; whatever can be a SELECT stands in show.py.
"""

import json
from collections.abc import AsyncGenerator, Sequence

from catalog.records import EngineRecord, ModelRecord
from engines.base import Handler
from proxy.errors import UnknownColumn
from proxy.result import Batch, Batches, Cell, Column, Rows

_ATTRIBUTES = ("args", "metadata")
MODEL_CARDS = "https://huggingface.co/"


def text_rows(names: Sequence[str], rows: Batch) -> Rows:
    """Rows of text under these names."""

    async def once() -> AsyncGenerator[Batch, None]:
        if rows:
            yield rows

    return Rows(tuple(Column(name) for name in names), Batches(once()))


def describe_model(
    model: ModelRecord, engine: EngineRecord, handler: Handler, attribute: str
) -> Rows:
    """DESCRIBE model.args: the options given; model.metadata: what is known of the model.

    Raises UnknownColumn for another attribute.
    """
    if attribute.lower() == "args":
        options = {"engine": engine.name, **model.options}
        return text_rows(("key", "value"), [(k, _text(v)) for k, v in options.items()])
    if attribute.lower() == "metadata":
        return text_rows(("key", "value"), _metadata(model, engine, handler))
    raise UnknownColumn(
        f"Model '{model.name}' has no attribute '{attribute}': there are {', '.join(_ATTRIBUTES)}"
    )


def show_create_model(model: ModelRecord) -> str:
    """The CREATE MODEL that makes the model again."""
    labels = f" ENUM ({', '.join(map(_quoted, model.labels))})" if model.labels else ""
    options = {"engine": model.engine, **model.options}
    using = ",\n  ".join(f"{name} = {_literal(value)}" for name, value in options.items())
    source = f"FROM … ({model.select_data_query})\n" if model.select_data_query else ""
    return (
        f"CREATE MODEL `{model.project}`.`{model.name}`\n{source}"
        f"PREDICT `{model.target}`{labels}\nUSING\n  {using}"
    )


def show_create_table(name: str, columns: Batch) -> str:
    """A CREATE TABLE of what SHOW COLUMNS says: Field, Type, Null, Key, Default, Extra."""
    lines = [_column(row) for row in columns]
    keys = [f"`{row[0]!s}`" for row in columns if row[3] == "PRI"]
    if keys:
        lines.append(f"  PRIMARY KEY ({','.join(keys)})")
    return f"CREATE TABLE `{name}` (\n" + ",\n".join(lines) + "\n) ENGINE=DuckDB"


def _column(row: tuple[Cell, ...]) -> str:
    field, type_, null, _, default, *_ = row
    nullable = "" if null == "YES" else " NOT NULL"
    given = "" if default is None else f" DEFAULT {default!s}"
    return f"  `{field!s}` {type_!s}{nullable}{given}"


def _metadata(model: ModelRecord, engine: EngineRecord, handler: Handler) -> Batch:
    model_name = str(model.options.get("model_name", ""))
    return [
        ("name", model.name),
        ("project", model.project),
        ("version", str(model.version)),
        ("engine", engine.name),
        ("handler", handler.name),
        ("handler_title", handler.title),
        ("model_name", model_name),
        ("model_card", f"{MODEL_CARDS}{model_name}"),
        ("inputs", ", ".join(model.inputs)),
        ("target", model.target),
        ("labels", ", ".join(model.labels) or None),
        ("created_at", f"{model.created_at:%Y-%m-%d %H:%M:%S}"),
    ]


def _text(value: object) -> Cell:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _literal(value: object) -> str:
    return _quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
