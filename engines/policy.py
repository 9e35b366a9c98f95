"""What is done with an engine's answers: their price, how long they are kept, what failures mean.

Options of engines and of models, a model's win; none of them is sent to an endpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engines.base import Option
from engines.errors import OptionError
from engines.options import check_options, check_ranges, only
from engines.task import Value

POLICY_OPTIONS = (
    Option("prompt_price", (float,), "price of a million prompt tokens"),
    Option("completion_price", (float,), "price of a million tokens of answers"),
    Option("cache", (bool,), "whether answers are kept, true unless given"),
    Option("cache_ttl", (float,), "seconds that an answer is kept, for ever unless given"),
    Option("cache_max_answers", (int,), "answers kept of one model, a million unless given"),
    Option("on_error", (str,), "'null': a row that fails is NULL; 'fail': it fails the statement"),
)

_RANGES: Mapping[str, tuple[float, float]] = {
    "prompt_price": (0, 1_000_000),
    "completion_price": (0, 1_000_000),
    "cache_ttl": (0.001, 1e10),
    "cache_max_answers": (1, 1_000_000_000),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Prices are per million tokens, None where unknown; `cache_ttl` is in seconds."""

    prompt_price: float | None = None
    completion_price: float | None = None
    cache_ttl: float | None = None
    cache_max_answers: int = 1_000_000
    on_error: Literal["null", "fail"] = "null"
    cache: bool = True


def check_policy(checked: Mapping[str, Value], owner: str) -> None:
    """Raise OptionError for a value out of its range."""
    check_ranges(checked, _RANGES, owner)
    if (on_error := checked.get("on_error", "null")) not in ("null", "fail"):
        raise OptionError(f"option 'on_error' of {owner} takes 'null' or 'fail', not {on_error!r}")


def read_policy(engine_options: Mapping[str, Value], model_options: Mapping[str, Value]) -> Policy:
    """Read the policy among the options of an engine and of its model; others are left alone.

    Raises OptionError.
    """
    given = _checked(engine_options, "the engine") | _checked(model_options, "the model")
    most = given.get("cache_max_answers", 1_000_000)
    return Policy(
        prompt_price=_number(given, "prompt_price"),
        completion_price=_number(given, "completion_price"),
        cache_ttl=_number(given, "cache_ttl"),
        cache_max_answers=most if isinstance(most, int) else 1_000_000,
        on_error="fail" if given.get("on_error") == "fail" else "null",
        cache=given.get("cache") is not False,
    )


def _checked(options: Mapping[str, Value], owner: str) -> dict[str, Value]:
    checked = check_options(POLICY_OPTIONS, only(POLICY_OPTIONS, options), owner)
    check_policy(checked, owner)
    return checked


def _number(given: Mapping[str, Value], name: str) -> float | None:
    value = given.get(name)
    return value if isinstance(value, int | float) else None
