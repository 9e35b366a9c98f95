import pytest

from engines.chat.template import render
from engines.errors import OptionError
from engines.model import compile_model
from engines.registry import find_handler
from engines.task import ModelSpec, Target, Value

MOOD = Target("mood")


def compiled(target: Target = MOOD, handler: str = "openai", **options: Value) -> ModelSpec:
    given: dict[str, Value] = {"model_name": "m", "prompt_template": "{{text}}", **options}
    present = {name: value for name, value in given.items() if value is not None}
    return compile_model("shop", [target], present, find_handler(handler))


def refusal(**options: Value) -> str:
    with pytest.raises(OptionError) as caught:
        compiled(**options)  # type: ignore[arg-type]
    return str(caught.value)


def test_generation_options_become_parameters_in_name_order() -> None:
    spec = compiled(temperature=0, max_tokens=9, stop="x")
    assert spec.parameters == (("max_tokens", 9), ("stop", "x"), ("temperature", 0.0))


def test_model_name_and_template_are_no_parameters() -> None:
    spec = compiled()
    assert (spec.model_name, spec.parameters) == ("m", ())
    assert render(spec.template, {"text": "{{x}} {} {text}"}) == "{{x}} {} {text}"


def test_model_name_is_required() -> None:
    assert refusal(model_name=None).startswith("model shop needs the option 'model_name'")


def test_model_name_may_be_the_handlers_default() -> None:
    assert (
        compiled(handler="local", model_name=None).model_name == "Qwen/Qwen2.5-Coder-0.5B-Instruct"
    )


def test_template_is_required() -> None:
    assert refusal(prompt_template=None).startswith("model shop needs the option 'prompt_template'")


@pytest.mark.parametrize("template", ["", "Hello", "{text}", "{{ }}", "{{a b}}"])
def test_template_without_placeholder_is_refused(template: str) -> None:
    assert "name at least one column in double braces, like {{column}}" in refusal(
        prompt_template=template
    )


def test_target_that_is_an_input_is_refused() -> None:
    assert refusal(prompt_template="{{a}} {{Mood}}") == (
        "model shop predicts 'mood' and cannot have it as an input: "
        "'{{mood}}' stands in its prompt_template"
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [("temperature", 2.5), ("temperature", -1), ("max_tokens", 0), ("top_p", 1.5)],
)
def test_value_out_of_range_is_refused(option: str, value: float) -> None:
    assert refusal(**{option: value}).startswith(f"option '{option}' of model shop takes ")


def test_stop_takes_texts_only() -> None:
    assert "takes texts" in refusal(stop=[1])


def test_labels_of_the_template_become_the_targets() -> None:
    assert compiled(prompt_template="`yes` or `no`: {{text}}").target == Target(
        "mood", ("yes", "no")
    )


def test_labels_of_the_target_win_over_those_of_the_template() -> None:
    target = Target("mood", ("a", "b"))
    assert compiled(target, prompt_template="`yes` or `no`: {{text}}").target == target
