"""What an endpoint tells of its rate limits, read from its headers.

It reads; what is made of it is the dispatcher's. The names are OpenAI's, which others share:
https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PREFIX = "x-ratelimit-"
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|[smhd])")
_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0
}  # fmt: skip
_LONGEST = 32 * 86400.0


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of an endpoint's limits, and the seconds until each is whole again.

    None where the endpoint did not say so.
    """

    remaining_requests: int | None = None
    reset_requests: float | None = None
    remaining_tokens: int | None = None
    reset_tokens: float | None = None


def read_quota(headers: Mapping[str, str]) -> Quota | None:
    """Return what headers of an answer say; None where none of them speaks of it."""
    if not any(name.lower().startswith(_PREFIX) for name in headers):
        return None
    quota = Quota(
        _count(headers.get(f"{_PREFIX}remaining-requests", "")),
        _span(headers.get(f"{_PREFIX}reset-requests", "")),
        _count(headers.get(f"{_PREFIX}remaining-tokens", "")),
        _span(headers.get(f"{_PREFIX}reset-tokens", "")),
    )
    return quota if quota != Quota() else None


def _count(text: str) -> int | None:
    """Read a number that some endpoints write with a fraction, and some below zero."""
    try:
        return max(0, int(float(text)))
    except (ValueError, OverflowError):
        return None


def _span(text: str) -> float | None:
    """Read 6m0s, 20ms or plain seconds; a number too large for a span is a date, and unknown."""
    text = text.strip().lower()
    try:
        seconds = float(text)
    except ValueError:
        if not text or _SPAN.sub("", text):
            return None
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in _SPAN.findall(text))
    return seconds if 0 <= seconds <= _LONGEST else None
