"""What is asked of a language model, and what comes back: pure data.

Nothing here talks to anyone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

from engines.chat.template import Template
from engines.errors import EngineError
from engines.quota import Quota as Quota  # noqa: PLC0414 - one of these types
from engines.secrets import SecretReference
from engines.types import TEXT, Type
from engines.usage import Usage as Usage  # noqa: PLC0414 - one of these types

Value: TypeAlias = (
    str | int | float | bool | list["Value"] | dict[str, "Value"] | SecretReference | None
)
"""A value of a USING option: what JSON can say, or a key by reference."""

Struct: TypeAlias = tuple[tuple[str, "str | Struct"], ...]
"""The keys of a JSON object in their order, each with what it holds or with keys of its own."""

Mode: TypeAlias = Literal["default", "conversational", "conversational-full", "embedding"]
"""What a model makes of rows: each alone, the last or every one with those before it as what was
said so far, or each as a vector."""


@dataclass(frozen=True, slots=True)
class Target:
    """A column that a model predicts. `labels` are what it may be: those of an ENUM, or those that
    the template of an untyped target writes out; without any it is whatever its type allows.
    `struct` has the keys of a JSON target, () where any JSON will do."""

    name: str
    labels: tuple[str, ...] = ()
    type: Type = TEXT
    struct: Struct = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A row whose answer is known: `inputs` in the order of `spec.inputs`, `values` those of the
    targets, as chat/canonical.py writes them."""

    inputs: tuple[str, ...]
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """All that decides a model's answer besides the inputs: compiled once, at CREATE MODEL.

    `parameters` are sent with every call as they are (max_tokens, temperature, …), as
    (name, value) pairs in name order. Up to `rows_per_prompt` tasks may share one request.
    `examples` are told before every question. In a conversation `given_answer` names the input
    with an earlier row's answer where that is known; it stands last and in no prompt.
    """

    model_name: str
    template: Template
    targets: tuple[Target, ...]
    # Compared, not hashed: a value may be a list.
    parameters: tuple[tuple[str, Value], ...] = field(default=(), hash=False)
    rows_per_prompt: int = 1
    system: Template | None = None
    mode: Mode = "default"
    examples: tuple[Example, ...] = ()
    given_answer: str | None = None

    @property
    def target(self) -> Target:
        """The first target, most models' only one."""
        return self.targets[0]

    @property
    def is_labelled(self) -> bool:
        """Whether the answer is one label and nothing else."""
        return len(self.targets) == 1 and bool(self.target.labels)

    @property
    def is_object(self) -> bool:
        """Whether the answer is asked for as a JSON object of the targets."""
        if self.mode == "embedding" or self.is_labelled:
            return False
        return len(self.targets) > 1 or self.target.type != TEXT

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what a task has to give, in its order: template, system, given answer."""
        if self.system is None and self.given_answer is None:
            return self.template.placeholders
        names = [name for name, _ in self._mentions]
        given = [] if self.given_answer is None else [self.given_answer]
        return tuple(dict.fromkeys([*names, *given]))

    @property
    def optional(self) -> tuple[str, ...]:
        """The inputs that nobody has to give: with a default wherever they are mentioned, or the
        given answer."""
        needed = {name for name, default in self._mentions if default is None}
        return tuple(name for name in self.inputs if name not in needed)

    def filled(self, given: Sequence[str | None]) -> tuple[str, ...] | None:
        """Return what is asked where a row gives `given`, in the order of `inputs`; None where
        nothing is: there are inputs without default, and all of them are NULL.

        NULL beside a given value is its default, or empty text.
        """
        if None not in given:
            return tuple(map(str, given))
        needed, defaults = _rule(self)
        if any(needed) and all(
            value is None for value, is_needed in zip(given, needed, strict=True) if is_needed
        ):
            return None
        return tuple(
            default if value is None else value
            for value, default in zip(given, defaults, strict=True)
        )

    @property
    def _mentions(self) -> tuple[tuple[str, str | None], ...]:
        return self.template.mentions + (() if self.system is None else self.system.mentions)


@lru_cache(maxsize=256)
def _rule(spec: ModelSpec) -> tuple[tuple[bool, ...], tuple[str, ...]]:
    """Which inputs have to be given, and what stands for each where it is not: asked row by row."""
    optional = spec.optional
    defaults = {name: default for name, default in spec._mentions if default is not None}
    needed = tuple(name not in optional for name in spec.inputs)
    return needed, tuple(defaults.get(name, "") for name in spec.inputs)


@dataclass(frozen=True, slots=True)
class Task:
    """One call: `inputs` in the order of `spec.inputs`, at least one not None. `history` is what
    was said before it, each time the user's text and its answer."""

    spec: ModelSpec
    inputs: tuple[str | None, ...]
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one task, or None and the error that stands for it.

    `value` is the target's text; of several targets a JSON array of their texts and nulls, in their
    order, see chat/values.py."""

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
