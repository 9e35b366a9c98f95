"""How much an engine may be asked: options that every engine has, whatever its handler.

It reads them; dispatcher.py keeps to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engines.base import Engine, Option
from engines.options import check_options, check_ranges, only
from engines.task import Value

LIMIT_OPTIONS = (
    Option("max_concurrency", (int,), "calls in flight at once"),
    Option("requests_per_minute", (float,), "calls that may start in a minute"),
    Option("tokens_per_minute", (float,), "tokens, of prompts and answers, in a minute"),
    Option("max_retries", (int,), "times that a failed call is tried again", default=9),
    Option("retry_deadline", (float,), "seconds that a call may take with retries", default=300.0),
)

_RANGES: Mapping[str, tuple[float, float]] = {
    "max_concurrency": (1, 1024),
    "requests_per_minute": (0.01, 1e9),
    "tokens_per_minute": (1, 1e12),
    "max_retries": (0, 100),
    "retry_deadline": (0.01, 86_400),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the calls of one engine; None is none. `retry_deadline` spans all tries of a call,
    in seconds."""

    max_concurrency: int
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    max_retries: int = 9
    retry_deadline: float = 300.0


def check_limits(checked: Mapping[str, Value], owner: str) -> None:
    """Raise OptionError for a limit out of its range."""
    check_ranges(checked, _RANGES, owner)


def read_limits(options: Mapping[str, Value], engine: Engine) -> Limits:
    """Read the limits among an engine's options, other options are left alone.

    Never more calls at once than the engine can make. Raises OptionError.
    """
    given = check_options(LIMIT_OPTIONS, only(LIMIT_OPTIONS, options), "the engine")
    check_limits(given, "the engine")
    wanted = _number(given, "max_concurrency")
    retries = _number(given, "max_retries")
    deadline = _number(given, "retry_deadline")
    most = engine.max_concurrency
    return Limits(
        max_concurrency=most if wanted is None else min(int(wanted), most),
        requests_per_minute=_number(given, "requests_per_minute"),
        tokens_per_minute=_number(given, "tokens_per_minute"),
        max_retries=9 if retries is None else int(retries),
        retry_deadline=300.0 if deadline is None else deadline,
    )


def _number(given: Mapping[str, Value], name: str) -> float | None:
    value = given.get(name)
    return value if isinstance(value, int | float) else None
