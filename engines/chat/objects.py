"""Answers that are asked for as a JSON object of the targets: how to ask, and what a reply says.

Pure; a model of one text or one label is prompt.py's.
"""

import json
import re
from typing import Final

from engines.chat.canonical import Unfit, canonical, said, unquoted
from engines.chat.schema import Schema, in_words, is_strict, object_schema, response_format
from engines.chat.values import text_of
from engines.errors import BadReply
from engines.task import ModelSpec, Target, Value

_FENCE: Final = re.compile(r"```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_SHOWN: Final = 80


def asked_format(spec: ModelSpec, *, lengths: bool = False) -> Schema:
    """Return the `response_format` of the spec's answer, a label's too, which is then the only
    member of an object. With `lengths` texts are held to theirs, which not every endpoint takes.

    https://platform.openai.com/docs/guides/structured-outputs
    """
    strict = is_strict(spec.targets)
    schema = object_schema(spec.targets, lengths=lengths)
    return response_format("prediction", schema, strict=strict)


def instruction(spec: ModelSpec) -> str:
    """Return what tells the model which object is wanted."""
    return (
        f"Answer with one JSON object: {in_words(spec.targets)}. "
        "Write the object alone: no explanation, no other word."
    )


def answer(spec: ModelSpec, values: tuple[str | None, ...]) -> str:
    """Return the object that a model would answer with these canonical values."""
    pairs = zip(spec.targets, values, strict=True)
    return json.dumps({t.name: said(t, text) for t, text in pairs}, ensure_ascii=False)


def read(spec: ModelSpec, text: str) -> str:
    """Return the answer's text, see chat/values.py, that a reply gives: the object whole, fenced,
    or with words around it; of a single target its mere value, too. Raises BadReply, which names
    every target that is missing or does not fit."""
    bare = unfenced(text.strip())
    found = _found(bare)
    if len(spec.targets) == 1:
        return text_of(_checked(spec, {spec.target.name: _single(spec.target, found, bare)}))
    if not isinstance(found, dict):
        raise BadReply(f"the model answered {_shown(text)}, expected a JSON object")
    return text_of(_checked(spec, found))


def unfenced(text: str) -> str:
    """Drop the fences of a block of code that is all there is."""
    fenced = _FENCE.fullmatch(text)
    return fenced[1].strip() if fenced else text


class _Nothing:
    """In the place of what is no JSON: null is some."""


_NOTHING: Final = _Nothing()


def _checked(spec: ModelSpec, given: dict[str, Value]) -> list[str | None]:
    members = {name.casefold(): value for name, value in given.items()}
    read: list[str | None] = []
    wrong = []
    for target in spec.targets:
        try:
            read.append(_value(target, members))
        except BadReply as error:
            wrong.append(str(error))
    if wrong:
        raise BadReply("; ".join(wrong))
    return read


def _value(target: Target, members: dict[str, Value]) -> str | None:
    name = target.name.casefold()
    if name not in members:
        raise BadReply(f"the model gave no '{target.name}'")
    try:
        return canonical(target, members[name])
    except Unfit as error:
        shown = _shown(members[name])
        message = f"the model answered {shown} for '{target.name}', expected {error}"
        raise BadReply(message) from error


def _single(target: Target, found: Value | _Nothing, bare: str) -> Value:
    """Return what a reply says for the only target."""
    if isinstance(found, _Nothing):
        return unquoted(bare)
    if isinstance(found, dict):
        members = {name.casefold(): value for name, value in found.items()}
        return members.get(target.name.casefold(), found)
    return found


def _found(text: str) -> Value | _Nothing:
    """Return the JSON in `text`: all of it, else the object that begins at its first brace."""
    start = text.find("{")
    for position in (0, start) if start > 0 else (0,):
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            continue
        if position or not text[end:].strip():
            found: Value = value
            return found
    return _NOTHING


def _refused(constant: str) -> Value:
    raise ValueError(f"{constant} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refused)


def _shown(value: Value) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return repr(text.strip()[:_SHOWN])
