"""The one text of an answer, and the values of a model's targets in it.

Pure. The text is what is stored of an answer, so that it may never change its meaning.
"""

import json
from collections.abc import Sequence

from engines.task import ModelSpec

_NULL = "null"


def joined(values: Sequence[str | None]) -> str:
    """Return the text that stands for the values of several targets."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def text_of(values: Sequence[str | None]) -> str:
    """Return the text that stands for a model's values: of a single one the value itself, or
    `null`."""
    if len(values) > 1:
        return joined(values)
    return _NULL if values[0] is None else values[0]


def values(spec: ModelSpec, text: str) -> tuple[str | None, ...]:
    """Return the value of each of the spec's targets: the text itself, where there is only one;
    `null` is none, where it was asked for as JSON."""
    if len(spec.targets) > 1:
        return tuple(json.loads(text))
    return (None,) if text == _NULL and spec.is_object else (text,)
