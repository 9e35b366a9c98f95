"""What is asked of a language model, and what comes back: pure data.

Nothing here talks to anyone.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from engines.chat.template import Template
from engines.errors import EngineError
from engines.quota import Quota as Quota  # noqa: PLC0414 - one of these types
from engines.usage import Usage as Usage  # noqa: PLC0414 - one of these types

Value: TypeAlias = str | int | float | bool | list["Value"] | dict[str, "Value"] | None
"""A value of a USING option: what JSON can say."""


@dataclass(frozen=True, slots=True)
class Target:
    """The column that a model predicts: one of its labels, or free text where it has none."""

    name: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """All that decides a model's answer besides the inputs: compiled once, at CREATE MODEL.

    `parameters` are sent with every call as they are (max_tokens, temperature, …), as
    (name, value) pairs in name order. Up to `rows_per_prompt` tasks may share one request.
    """

    model_name: str
    template: Template
    target: Target
    # Compared, not hashed: a value may be a list.
    parameters: tuple[tuple[str, Value], ...] = field(default=(), hash=False)
    rows_per_prompt: int = 1


@dataclass(frozen=True, slots=True)
class Task:
    """One call: `inputs` in the order of `spec.template.placeholders`, at least one not None."""

    spec: ModelSpec
    inputs: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one task: a value, or None and the error that stands for it."""

    value: str | None
    usage: Usage = field(default_factory=Usage)
    error: EngineError | None = None
    latency: float = 0.0
    """Seconds of the try that answered: its own time on the wire, without waits before it."""
    cached: bool = False
    """No call of the asker's own: from the answer cache, or of a call that somebody else paid."""
    quota: Quota | None = None
    """What the endpoint said of its limits with this answer."""
    truncated: bool = False
    """Whether the answer was cut off at max_tokens: free text that is not the whole of it."""


def sound(text: str) -> str:
    """Return the text with each half of a surrogate pair as U+FFFD: JSON that was cut off inside an
    emoji has such, and nobody can store or send it."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
