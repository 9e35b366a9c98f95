"""What is asked of a language model, and what comes back: pure data.

Nothing here talks to anyone.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from engines.errors import EngineError
from engines.template import Template

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
    (name, value) pairs in name order.
    """

    model_name: str
    template: Template
    target: Target
    # Compared, not hashed: a value may be a list.
    parameters: tuple[tuple[str, Value], ...] = field(default=(), hash=False)


@dataclass(frozen=True, slots=True)
class Task:
    """One call: `inputs` in the order of `spec.template.placeholders`, at least one not None."""

    spec: ModelSpec
    inputs: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one task: a value, or None and the error that stands for it."""

    value: str | None
    usage: Usage = field(default_factory=Usage)
    error: EngineError | None = None
