"""Rows whose answers are known, chosen and checked: what a model is shown before each question.

Pure; how they are told is chat/prompt.py's.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from itertools import zip_longest
from typing import Final, TypeAlias

from engines.base import Option
from engines.chat.canonical import Unfit, canonical
from engines.chat.schema import may_be_null
from engines.errors import OptionError
from engines.options import did_you_mean
from engines.task import Example, ModelSpec, Target, Value

EXAMPLE_OPTIONS = (
    Option("example_count", (int,), "examples that are used at most, 20 unless given"),
    Option(
        "example_order",
        (str,),
        "'given', 'reversed', 'random' (the same each time), or 'balanced': label by label in "
        "turn, the default where there are labels",
    ),
)

_USUAL_COUNT: Final = 20

Row = Sequence[str | None]


def choose_examples(
    spec: ModelSpec, rows: Sequence[Row], options: Mapping[str, Value], owner: str
) -> tuple[Example, ...]:
    """Return the examples to show, of rows that have the spec's inputs and then its targets.

    Raises OptionError, which names the first row (from 1) that has no input, or whose answer is
    none that the model may give.
    """
    order = _order(spec, options, owner)
    examples = [
        _example(spec, row, f"example {number} of {owner}") for number, row in enumerate(rows, 1)
    ]
    count = options.get("example_count")
    return tuple(order(examples, count if isinstance(count, int) else _USUAL_COUNT))


def _order(spec: ModelSpec, options: Mapping[str, Value], owner: str) -> "_Order":
    usual = "balanced" if spec.target.labels else "given"
    name = str(options.get("example_order") or usual).lower()
    if name not in _ORDERS:
        near = did_you_mean(name, _ORDERS)
        raise OptionError(f"option 'example_order' of {owner} is not '{name}'{near}")
    return _ORDERS[name]


def _example(spec: ModelSpec, row: Row, which: str) -> Example:
    expected = [*spec.inputs, *(target.name for target in spec.targets)]
    if len(row) != len(expected):
        raise OptionError(f"{which} has {len(row)} values, expected {', '.join(expected)}")
    inputs = spec.filled(row[: len(spec.inputs)])
    if inputs is None:
        raise OptionError(f"{which} has no input: {', '.join(spec.inputs)} is NULL")
    answers = zip(spec.targets, row[len(spec.inputs) :], strict=True)
    return Example(inputs, tuple(_answer(target, text, which) for target, text in answers))


def _answer(target: Target, text: str | None, which: str) -> str | None:
    if text is None:
        if may_be_null(target):
            return None
        raise OptionError(f"{which} has no answer: '{target.name}' is NULL")
    try:
        return canonical(target, json.loads(text) if target.type.name == "json" else text)
    except Unfit as error:
        expected = str(error)
    except (ValueError, RecursionError):
        expected = "a JSON value"
    raise OptionError(f"{which} has {text[:80]!r} for '{target.name}', expected {expected}")


def _given(examples: list[Example], most: int) -> list[Example]:
    return examples[:most]


def _reversed(examples: list[Example], most: int) -> list[Example]:
    return examples[:most][::-1]


def _random(examples: list[Example], most: int) -> list[Example]:
    def digest(example: Example) -> bytes:
        text = json.dumps([example.inputs, example.values])
        return blake2b(text.encode(), digest_size=16).digest()

    return sorted(examples, key=digest)[:most]


def _balanced(examples: list[Example], most: int) -> list[Example]:
    """Each answer of the first target in turn, as long as there are any."""
    groups: dict[str | None, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.values[0], []).append(example)
    turns = zip_longest(*groups.values())
    return [example for turn in turns for example in turn if example is not None][:most]


_Order: TypeAlias = Callable[[list[Example], int], list[Example]]
_ORDERS: Final[dict[str, _Order]] = {
    "given": _given,
    "balanced": _balanced,
    "random": _random,
    "reversed": _reversed,
}
