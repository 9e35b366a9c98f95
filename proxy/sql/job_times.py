"""The words of when a job runs: `1 hour`, `30 minutes`, `2026-01-31 18:00:00`, `NOW`.

It compares nothing with now.
"""

import re
from datetime import UTC, datetime

from catalog.suggest import did_you_mean
from proxy.errors import WrongSchedule

_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_592_000,  # about: the calendar has the say
}
_UNITS = {
    **{unit: unit for unit in _SECONDS},
    **{f"{unit}s": unit for unit in _SECONDS},
    "min": "minute",
    "mins": "minute",
    "sec": "second",
}
_LONGEST = 100 * 366 * 86_400  # seconds
_PERIOD = re.compile(r"(?:([\d.]+)\s*)?([a-z]+)", re.IGNORECASE)
_NOW = frozenset({"NOW", "NOW()", "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP()"})
_FIRST_YEAR, _LAST_YEAR = 1970, 9000


def period(text: str) -> tuple[int, str]:
    """How many of which unit. Raises WrongSchedule."""
    found = _PERIOD.fullmatch(text.strip())
    if found is None:
        raise WrongSchedule(f"EVERY '{text}' is no period: write 1 hour, '30 minutes' or day")
    unit = _UNITS.get(found[2].casefold())
    if unit is None:
        hint = did_you_mean(found[2], _UNITS)
        raise WrongSchedule(f"EVERY '{text}': {found[2]} is no unit of time{hint}")
    count = found[1] or "1"
    if not (count.isdecimal() and 0 < int(count[:12]) * _SECONDS[unit] <= _LONGEST):
        raise WrongSchedule(f"EVERY '{text}' is not a whole number from 1 second to 100 years")
    return int(count), unit


def moment(clause: str, text: str) -> datetime | None:
    """The time in UTC, naive; None is now. Raises WrongSchedule."""
    if text.replace(" ", "").upper() in _NOW:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        moment = datetime.max
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise WrongSchedule(
            f"{clause} '{text}' is no time: write it as '2026-01-31 18:00:00' (UTC), or NOW"
        )
    return moment
