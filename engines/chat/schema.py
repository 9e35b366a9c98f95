"""What an answer has to look like: targets as a JSON schema for machines, as words for the model.

Pure. Only keywords that OpenAI's strict mode, vLLM and llama.cpp all take:
https://platform.openai.com/docs/guides/structured-outputs
"""

import json
from collections.abc import Sequence
from typing import Final

from engines.chat.canonical import bounds, listed
from engines.task import Struct, Target, Value
from engines.types import Type

Schema = dict[str, Value]

_EXACT: Final = 1 << 53
"""The greatest whole number that every JSON library reads as it is."""
_NARROWING: Final = ("minimum", "maximum", "pattern")
_NEVER_NULL: Final = ("text", "varchar", "enum", "boolean")
_PATTERNS: Final = {
    "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "time": "^[0-9]{2}:[0-9]{2}:[0-9]{2}$",
    "datetime": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$",
}
_SHAPES: Final = {"date": "YYYY-MM-DD", "time": "HH:MM:SS", "datetime": "YYYY-MM-DD HH:MM:SS"}
_WORDS: Final = {
    "boolean": "true or false",
    "decimal": "a number with up to {scale} decimal places, or null if unknown",
    "float": "a number, or null if unknown",
    "double": "a number, or null if unknown",
    "json": "a JSON value",
    "varchar": "a text of at most {length} characters",
    **{name: f'"{shape}", or null if unknown' for name, shape in _SHAPES.items()},
}


def object_schema(targets: Sequence[Target], *, lengths: bool = False) -> Schema:
    """Return the schema of a JSON object of the targets, in their order; with `lengths` a varchar
    is held to its own."""
    members = {target.name: _schema(target) for target in targets}
    for target in targets if lengths else ():
        if target.type.name == "varchar":
            members[target.name]["maxLength"] = target.type.length
    return closed(members)


def may_be_null(target: Target) -> bool:
    """Whether the model is told that it may answer null."""
    return not (target.labels or target.struct or target.type.name in _NEVER_NULL)


def closed(properties: dict[str, Schema]) -> Schema:
    """Return the schema of an object with these members, all of them and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def is_strict(targets: Sequence[Target]) -> bool:
    """Whether all of the schema can be held to: JSON of any kind cannot."""
    return all(target.type.name != "json" or target.struct for target in targets)


def response_format(name: str, schema: Schema, *, strict: bool = True) -> Schema:
    """Return the `response_format` that has an endpoint answer by `schema`."""
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": strict, "schema": schema},
    }


def plain(schema: Value) -> Value:
    """Return a schema without the keywords that some models behind OpenAI's API refuse."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: plain(part) for name, part in value.items()}
        if key == "properties" and isinstance(value, dict)
        else plain(value)
        for key, value in schema.items()
        if key not in _NARROWING
    }


def in_words(targets: Sequence[Target]) -> str:
    """Return the JSON object that is wanted as a model is told of it."""
    members = (f"{_quoted(target.name)}: {_described(target)}" for target in targets)
    return "{" + ", ".join(members) + "}"


def _schema(target: Target) -> Schema:
    if target.labels:
        return {"type": "string", "enum": list(target.labels)}
    if target.struct:
        return _structured(target.struct)
    if (range_ := bounds(target.type)) is not None:
        return _or_null(_whole(*range_))
    return dict(_SCHEMAS.get(target.type.name, {"type": "string"}))


def _whole(least: int, most: int) -> Schema:
    """A whole number; its bounds where all JSON libraries read them exactly."""
    schema: Schema = {"type": "integer"}
    return {**schema, "minimum": least, "maximum": most} if most <= _EXACT else schema


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _structured(struct: Struct) -> Schema:
    return closed(
        {
            key: _structured(part)
            if isinstance(part, tuple)
            else {"type": ["string", "null"], "description": part}
            for key, part in struct
        }
    )


def _described(target: Target) -> str:
    if target.labels:
        return f"one of {listed(target.labels)}"
    if target.struct:
        return _structure(target.struct)
    return _kind(target.type)


def _kind(kind: Type) -> str:
    if bounds(kind) is not None:
        return "a whole number, or null if unknown"
    words = _WORDS.get(kind.name, "a text")
    return words.format(length=kind.length, scale=kind.scale)


def _structure(struct: Struct) -> str:
    members = (
        f"{_quoted(key)}: {_structure(part) if isinstance(part, tuple) else part}"
        for key, part in struct
    )
    return "{" + ", ".join(members) + "}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


_SCHEMAS: Final[dict[str, Schema]] = {
    "boolean": {"type": "boolean"},
    **{name: {"type": ["number", "null"]} for name in ("decimal", "float", "double")},
    **{
        name: _or_null({"type": "string", "pattern": _PATTERNS[name], "description": shape})
        for name, shape in _SHAPES.items()
    },
    "json": {"type": ["object", "array", "string", "number", "boolean", "null"]},
}
