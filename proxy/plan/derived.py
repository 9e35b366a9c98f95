"""A model with some of its options changed, as one statement wants it.

It makes a record of another and keeps nothing; what an option may be, CREATE MODEL's own check
says.
"""

from collections.abc import Mapping
from dataclasses import replace

from catalog.records import ModelRecord, TargetRecord
from engines.base import Handler
from engines.model import compile_model
from engines.task import ModelSpec, Target, Value
from engines.types import parse_type

_IN_PLACE_OF = (
    ({"prompt_template"}, {"question_column", "context_column", "input_text"}),
    ({"question_column"}, {"prompt_template", "input_text"}),
    ({"input_text"}, {"prompt_template", "question_column", "context_column"}),
    ({"system"}, {"prompt"}),
    ({"prompt"}, {"system"}),
)
"""Options that say the same in other ways: who gives the first ones gives up the second."""


def derived(model: ModelRecord, given: Mapping[str, Value], handler: Handler) -> ModelRecord:
    """The model with the `given` options in the place of its own; its examples stay as far as they
    have its inputs. Raises OptionError."""
    options = {**without(model.options, given), **given}
    targets = _targets(model, given)
    # an engine's own model (AI_COMPLETE) has no name before the endpoint is asked for one
    named = {"model_name": model.name, **options}
    spec = compile_model(model.name, targets, named, handler)
    examples = _fitting(model, spec.inputs)
    compile_model(model.name, targets, named, handler, examples)  # sees that they fit
    return replace(
        model,
        options=options,
        targets=target_records(spec),
        inputs=spec.inputs,
        optional=spec.optional,
        examples=examples,
    )


def target_records(spec: ModelSpec) -> tuple[TargetRecord, ...]:
    """The targets as the catalog keeps them."""
    return tuple(TargetRecord(t.name, str(t.type), t.labels) for t in spec.targets)


def without(options: Mapping[str, Value], given: Mapping[str, Value]) -> dict[str, Value]:
    """The model's options but for those that the given ones stand in for."""
    gone = {name for first, second in _IN_PLACE_OF if first & given.keys() for name in second}
    return {name: value for name, value in options.items() if name not in gone}


def _targets(model: ModelRecord, given: Mapping[str, Value]) -> list[Target]:
    """The targets; labels of an untyped one are those that a new template writes out."""
    keeps = "prompt_template" not in given
    return [Target(t.name, t.labels if keeps else (), parse_type(t.type)) for t in model.targets]


def _fitting(model: ModelRecord, inputs: tuple[str, ...]) -> tuple[tuple[str | None, ...], ...]:
    """The examples for these inputs; none where one of them is not in there."""
    if not set(inputs) <= set(model.inputs):
        return ()
    places = [model.inputs.index(name) for name in inputs]
    places += range(len(model.inputs), len(model.inputs) + len(model.targets))
    return tuple(tuple(row[at] for at in places) for row in model.examples)
