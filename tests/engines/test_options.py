import pytest

from engines.base import Option
from engines.errors import OptionError
from engines.options import check_options
from engines.task import Value

OPTIONS = (
    Option("prompt_template", (str,), "the prompt", required=True),
    Option("temperature", (float,), "how varied"),
    Option("max_tokens", (int,), "how long"),
    Option("stop", (str, list), "where to end"),
    Option("api_key", (str,), "the key", secret=True),
    Option("slots", (int,), "calls at once", default=4),
)


def refusal(**given: Value) -> str:
    with pytest.raises(OptionError) as caught:
        check_options(OPTIONS, {"prompt_template": "p", **given}, "model mood")
    return str(caught.value)


def test_unknown_option_names_the_near_miss() -> None:
    assert refusal(prompt_teplate="x") == (
        "unknown option 'prompt_teplate' of model mood: did you mean 'prompt_template'?"
    )


def test_unknown_option_without_near_miss_lists_what_there_is() -> None:
    assert refusal(zzz=1) == (
        "unknown option 'zzz' of model mood "
        "(there is api_key, max_tokens, prompt_template, slots, stop, temperature)"
    )


def test_wrong_type_names_the_expected_one() -> None:
    assert refusal(max_tokens="many") == (
        "option 'max_tokens' of model mood takes a whole number, not 'many'"
    )


def test_true_is_no_number() -> None:
    assert "takes a whole number" in refusal(max_tokens=True)


def test_null_is_no_value() -> None:
    assert "takes a number, not None" in refusal(temperature=None)


def test_secret_value_stays_out_of_the_message() -> None:
    assert refusal(api_key=12345) == "option 'api_key' of model mood takes text"


def test_missing_option_is_named_with_its_meaning() -> None:
    with pytest.raises(OptionError, match="model mood needs the option 'prompt_template': the pr"):
        check_options(OPTIONS, {}, "model mood")


def test_option_in_two_cases_is_given_twice() -> None:
    assert "is given twice" in refusal(stop="a", STOP="b")


def test_names_are_lowered_numbers_widened_and_defaults_filled() -> None:
    given: dict[str, Value] = {"Prompt_Template": "p", "temperature": 1, "stop": ["a"]}
    checked = check_options(OPTIONS, given, "model mood")
    assert checked == {"slots": 4, "prompt_template": "p", "temperature": 1.0, "stop": ["a"]}
    assert type(checked["temperature"]) is float
