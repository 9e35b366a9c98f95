"""CREATE MODEL as the engines see it: options in, a checked ModelSpec out.

It asks no endpoint; whether the model is served is for Engine.check.
"""

from collections.abc import Mapping

from engines.base import Handler, Option
from engines.errors import OptionError
from engines.labels import infer_labels
from engines.options import check_options
from engines.task import ModelSpec, Target, Value
from engines.template import Template, parse_template

MODEL_NAME = Option("model_name", (str,), "the model as the endpoint names it")
PROMPT_TEMPLATE = Option(
    "prompt_template", (str,), "the prompt, with a {{column}} for each input", required=True
)
GENERATION_OPTIONS = (
    Option("max_tokens", (int,), "most tokens of an answer"),
    Option("max_completion_tokens", (int,), "the same, as newer models name it"),
    Option("temperature", (float,), "0 for the likeliest answer, up to 2 for varied ones"),
    Option("top_p", (float,), "share of the likeliest tokens to choose from, 0 to 1"),
    Option("seed", (int,), "makes sampling repeatable where the endpoint supports it"),
    Option("stop", (str, list), "text, or up to four, that ends an answer"),
    Option("presence_penalty", (float,), "-2 to 2: discourages what was said"),
    Option("frequency_penalty", (float,), "-2 to 2: discourages what was said often"),
)
MODEL_OPTIONS = (MODEL_NAME, PROMPT_TEMPLATE, *GENERATION_OPTIONS)
"""The model options of every chat handler."""

_RANGES: Mapping[str, tuple[float, float]] = {
    "max_tokens": (1, 1_000_000),
    "max_completion_tokens": (1, 1_000_000),
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}


def compile_model(
    name: str, target: Target, options: Mapping[str, Value], handler: Handler
) -> ModelSpec:
    """Check all that CREATE MODEL says and needs no endpoint for.

    Options other than model_name and prompt_template become the spec's parameters. A target
    without labels takes those that the template writes out, see labels.py. Raises OptionError.
    """
    owner = f"model {name}"
    checked = check_options(handler.model_options, options, owner)
    model_name = checked.pop("model_name", None) or handler.default_model_name
    if not isinstance(model_name, str):
        raise OptionError(f"{owner} needs the option 'model_name': {MODEL_NAME.description}")
    text = checked.pop("prompt_template", None)
    if not isinstance(text, str):
        raise OptionError(
            f"{owner} needs the option 'prompt_template': {PROMPT_TEMPLATE.description}"
        )
    template = parse_template(text)
    _check_inputs(template, target, owner)
    _check_ranges(checked, owner)
    return ModelSpec(
        model_name=model_name,
        template=template,
        target=Target(target.name, target.labels or infer_labels(template)),
        parameters=tuple(sorted(checked.items())),
    )


def _check_inputs(template: Template, target: Target, owner: str) -> None:
    if not template.slots:
        raise OptionError(
            f"the prompt_template of {owner} has no input: "
            "name at least one column in double braces, like {{column}}"
        )
    if target.name.lower() in {slot.lower() for slot in template.placeholders}:
        raise OptionError(
            f"{owner} predicts '{target.name}' and cannot have it as an input: "
            f"'{{{{{target.name}}}}}' stands in its prompt_template"
        )


def _check_ranges(checked: Mapping[str, Value], owner: str) -> None:
    for option, (least, most) in _RANGES.items():
        value = checked.get(option)
        if isinstance(value, int | float) and not least <= value <= most:
            raise OptionError(
                f"option '{option}' of {owner} takes {least:,} to {most:,}, not {value}"
            )
    stop = checked.get("stop")
    if isinstance(stop, list) and not all(isinstance(text, str) for text in stop):
        raise OptionError(f"option 'stop' of {owner} takes texts, not {stop!r}")
