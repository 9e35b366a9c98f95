"""CREATE MODEL as the engines see it: options in, a checked ModelSpec out.

It asks no endpoint; whether the model is served is for Engine.check.
"""

from collections.abc import Mapping

from engines.base import Handler, Option
from engines.chat.labels import infer_labels
from engines.chat.template import Template, parse_template
from engines.errors import OptionError
from engines.options import check_options, check_ranges, with_common
from engines.policy import POLICY_OPTIONS, check_policy
from engines.task import ModelSpec, Target, Value

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

ROWS_PER_PROMPT = Option("rows_per_prompt", (int,), "rows that may share one call, 1 to 100")
_COMMON_OPTIONS = (ROWS_PER_PROMPT, *POLICY_OPTIONS)

_RANGES: Mapping[str, tuple[float, float]] = {
    "max_tokens": (1, 1_000_000),
    "max_completion_tokens": (1, 1_000_000),
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "rows_per_prompt": (1, 100),
}


def compile_model(
    name: str, target: Target, options: Mapping[str, Value], handler: Handler
) -> ModelSpec:
    """Check all that CREATE MODEL says and needs no endpoint for.

    Those of GENERATION_OPTIONS and a handler's own become the spec's parameters; those of
    policy.py are checked and left out. A target without labels takes those that the template
    writes out, see labels.py. Raises OptionError.
    """
    owner = f"model {name}"
    checked = check_options(with_common(handler.model_options, _COMMON_OPTIONS), options, owner)
    check_policy(checked, owner)
    check_ranges(checked, _RANGES, owner)
    _check_stop(checked, owner)
    for option in POLICY_OPTIONS:
        checked.pop(option.name, None)
    rows = checked.pop(ROWS_PER_PROMPT.name, 1)
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
    return ModelSpec(
        model_name=model_name,
        template=template,
        target=Target(target.name, target.labels or infer_labels(template)),
        parameters=tuple(sorted(checked.items())),
        rows_per_prompt=rows if isinstance(rows, int) else 1,
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


def _check_stop(checked: Mapping[str, Value], owner: str) -> None:
    stop = checked.get("stop")
    if isinstance(stop, list) and not all(isinstance(text, str) for text in stop):
        raise OptionError(f"option 'stop' of {owner} takes texts, not {stop!r}")
