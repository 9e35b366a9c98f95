"""What a model says of itself, and statements that would make a thing again.

Rows of text made of records; whatever can be a SELECT stands in show.py.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from decimal import Decimal

from catalog.records import EngineRecord, ModelRecord
from engines.base import Handler
from proxy.execute.targets import written_type
from proxy.result import Batch, Batches, Cell, Column, Rows

MODEL_CARDS = "https://huggingface.co/"
MASK = "******"


def text_rows(names: Sequence[str], rows: Batch) -> Rows:
    """Rows of text under these names."""

    async def once() -> AsyncGenerator[Batch, None]:
        if rows:
            yield rows

    return Rows(tuple(Column(name) for name in names), Batches(once()))


def columns_of_model(model: ModelRecord) -> Rows:
    """A version's columns, as MySQL prints those of a table."""
    inputs = [(name, "text", "YES", "", None, "input") for name in model.inputs]
    targets = [(t.name, t.type, "YES", "", None, "prediction") for t in model.targets]
    return text_rows(("Field", "Type", "Null", "Key", "Default", "Extra"), [*inputs, *targets])


def args_of_model(model: ModelRecord, engine: EngineRecord) -> Rows:
    """The options given."""
    options = {"engine": engine.name, **model.options}
    return text_rows(("key", "value"), [(k, _text(v)) for k, v in options.items()])


def metadata_of_model(model: ModelRecord, engine: EngineRecord, handler: Handler) -> Rows:
    """What is known of the model."""
    return text_rows(("key", "value"), _metadata(model, engine, handler))


def examples_of_model(model: ModelRecord) -> Rows:
    """The examples that it keeps, under the names of their columns."""
    return text_rows((*model.inputs, *model.target_names), list(model.examples))


def show_create_model(model: ModelRecord, handler: Handler) -> str:
    """The CREATE MODEL that makes the version again."""
    targets = ", ".join(f"{_named(t.name)} {written_type(t, model)}" for t in model.targets)
    source = ""
    if model.select_data_query is not None:
        source = f"FROM {_named(model.source or model.project)} ({model.select_data_query})\n"
    options = {"engine": model.engine, **model.options}
    secret = {option.name for option in handler.model_options if option.secret}
    return (
        f"CREATE MODEL {_named(model.project)}.{_named(model.name)}\n{source}"
        f"PREDICT {targets}\nUSING\n  {_using(options, secret)}"
    )


def show_create_engine(engine: EngineRecord) -> str:
    """The CREATE ML_ENGINE that makes the engine again, but for its secrets."""
    options = {**engine.arguments, **engine.secrets}
    using = f"\nUSING\n  {_using(options, set(engine.secrets))}" if options else ""
    return f"CREATE ML_ENGINE {_named(engine.name)} FROM {_named(engine.handler)}{using}"


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
        ("target", ", ".join(model.target_names)),
        ("labels", ", ".join(model.targets[0].labels) or None),
        ("created_at", f"{model.created_at:%Y-%m-%d %H:%M:%S}"),
    ]


def _text(value: object) -> Cell:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _using(options: Mapping[str, object], secret: set[str]) -> str:
    given = {name: MASK if name in secret else value for name, value in options.items()}
    return ",\n  ".join(f"{name} = {_literal(value)}" for name, value in given.items())


def _literal(value: object) -> str:
    """A value as USING reads it."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quoted(k)}: {_literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"  # 1e-07 would not be read
    return json.dumps(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _named(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
