"""CREATE MODEL as the engines see it: options in, a checked ModelSpec out.

It asks no endpoint; whether the model is served is for Engine.check.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from engines.base import Handler, Option
from engines.chat.labels import infer_labels
from engines.errors import OptionError
from engines.examples import EXAMPLE_OPTIONS, choose_examples
from engines.options import check_options, check_ranges, with_common
from engines.policy import POLICY_OPTIONS, check_policy
from engines.prompting import PROMPT_OPTIONS, Prompting, take_prompting
from engines.task import Mode, ModelSpec, Target, Value
from engines.types import TEXT

MODEL_NAME = Option("model_name", (str,), "the model as the endpoint names it")
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
MODEL_OPTIONS = (MODEL_NAME, *PROMPT_OPTIONS, *EXAMPLE_OPTIONS, *GENERATION_OPTIONS)
"""The model options of every chat handler."""

DIMENSIONS = Option("dimensions", (int,), "with mode = 'embedding': how long a vector is to be")

ROWS_PER_PROMPT = Option("rows_per_prompt", (int,), "rows that may share one call, 1 to 100")
_USUAL_TEXTS = 64
"""Rows that share a call for embeddings, unless said otherwise."""
_COMMON_OPTIONS = (ROWS_PER_PROMPT, *POLICY_OPTIONS)

_RANGES: Mapping[str, tuple[float, float]] = {
    "max_tokens": (1, 1_000_000),
    "max_completion_tokens": (1, 1_000_000),
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "rows_per_prompt": (1, 100),
    "example_count": (0, 1000),
    "dimensions": (1, 65_536),
}


def options_of(handler: Handler) -> tuple[Option, ...]:
    """Return all that USING of a CREATE MODEL may say, but for `engine`."""
    return with_common(handler.model_options, _COMMON_OPTIONS)


def compile_model(
    name: str,
    targets: Sequence[Target],
    options: Mapping[str, Value],
    handler: Handler,
    examples: Sequence[Sequence[str | None]] = (),
) -> ModelSpec:
    """Check all that CREATE MODEL says and needs no endpoint for.

    Those of GENERATION_OPTIONS and a handler's own become the spec's parameters; those of
    policy.py are checked and left out. A single target without labels takes those that the
    template writes out, see labels.py. `examples` are rows of the inputs, then the targets; see
    examples.py. Raises OptionError.
    """
    owner = f"model {name}"
    _refuse_options_of_engines(options, handler, owner)
    checked = check_options(options_of(handler), options, owner)
    check_policy(checked, owner)
    check_ranges(checked, _RANGES, owner)
    _check_stop(checked, owner)
    for option in POLICY_OPTIONS:
        checked.pop(option.name, None)
    rows = checked.pop(ROWS_PER_PROMPT.name, None)
    model_name = _model_name(checked, handler, owner)
    prompting = take_prompting(checked, targets, owner)
    shown = {option.name: checked.pop(option.name, None) for option in EXAMPLE_OPTIONS}
    spec = ModelSpec(
        model_name=model_name,
        template=prompting.template,
        targets=_labelled(prompting),
        parameters=tuple(sorted(checked.items())),
        rows_per_prompt=rows if isinstance(rows, int) else _usual_rows(prompting.mode),
        system=prompting.system,
        mode=prompting.mode,
        given_answer=prompting.given_answer,
    )
    _check_inputs(spec, owner)
    _check_mode(spec, handler, owner)
    if examples and spec.mode == "embedding":
        raise OptionError(f"an embedding has no examples: {owner} has mode = 'embedding'")
    return replace(spec, examples=choose_examples(spec, examples, shown, owner))


def _model_name(checked: dict[str, Value], handler: Handler, owner: str) -> str:
    name = checked.pop(MODEL_NAME.name, None) or handler.default_model_name
    if not isinstance(name, str):
        raise OptionError(f"{owner} needs the option 'model_name': {MODEL_NAME.description}")
    return name


def _refuse_options_of_engines(given: Iterable[str], handler: Handler, owner: str) -> None:
    """A key or an address is the engine's, however near it is to a word of a model's."""
    known = {option.name for option in options_of(handler)}
    engines = {option.name for option in handler.engine_options} - known
    for name in given:
        if name.lower() in engines:
            raise OptionError(
                f"option '{name}' is one of an ML engine, not of {owner}: "
                f"say it in CREATE ML_ENGINE … FROM {handler.name} USING {name.lower()} = …"
            )


def _usual_rows(mode: Mode) -> int:
    return _USUAL_TEXTS if mode == "embedding" else 1


def _labelled(prompting: Prompting) -> tuple[Target, ...]:
    """The targets with their labels: their ENUM's, or, of a single text, the template's."""
    targets = tuple(
        replace(target, labels=target.type.labels) if target.type.name == "enum" else target
        for target in prompting.targets
    )
    if len(targets) > 1 or targets[0].labels or targets[0].type != TEXT:
        return targets
    if prompting.mode != "default":
        return targets
    labels = infer_labels(prompting.template)
    if not labels and prompting.system is not None:
        labels = infer_labels(prompting.system)
    return (replace(targets[0], labels=labels),)


def _check_inputs(spec: ModelSpec, owner: str) -> None:
    if not spec.inputs:
        raise OptionError(
            f"the prompt_template of {owner} has no input: "
            "name at least one column in double braces, like {{column}}"
        )
    inputs = {name.lower() for name in spec.inputs}
    for target in spec.targets:
        if target.name.lower() in inputs:
            raise OptionError(
                f"{owner} predicts '{target.name}' and cannot have it as an input: "
                f"'{{{{{target.name}}}}}' stands in its prompt_template"
            )


def _check_mode(spec: ModelSpec, handler: Handler, owner: str) -> None:
    """See that the options mean something in the model's mode."""
    given = dict(spec.parameters)
    if spec.mode == "embedding":
        if not handler.embeds:
            raise OptionError(
                f"handler '{handler.name}' makes no embeddings: {owner} needs another"
            )
        useless = [option.name for option in GENERATION_OPTIONS if option.name in given]
        if useless:
            raise OptionError(f"an embedding has no '{useless[0]}': {owner} has mode = 'embedding'")
    elif DIMENSIONS.name in given:
        raise OptionError(f"option 'dimensions' of {owner} is for mode = 'embedding'")
    elif spec.mode != "default" and spec.rows_per_prompt > 1:
        raise OptionError(
            f"rows of a conversation do not share a call: {owner} has rows_per_prompt"
        )
    if spec.is_object and "stop" in given:
        raise OptionError(f"option 'stop' of {owner} would cut its JSON: it is for one text target")


def _check_stop(checked: Mapping[str, Value], owner: str) -> None:
    stop = checked.get("stop")
    if isinstance(stop, list) and not all(isinstance(text, str) for text in stop):
        raise OptionError(f"option 'stop' of {owner} takes texts, not {stop!r}")
