"""The times that a job's statements may name: `{{START_DATETIME}}` and its like, filled in per run.

It knows no schedule; a value is a time of ours, so that nothing can leave the place it stands in.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlglot import TokenType

from catalog.suggest import did_you_mean
from proxy.errors import WrongSchedule
from proxy.sql.tokens import tokenize

_NAMES = ("PREVIOUS_START_DATETIME", "START_DATETIME", "START_DATE")
# Other names in braces are somebody else's: a prompt template's.
_PLACE = re.compile(r"\{\{\s*((?:PREVIOUS|START)_[A-Z_]*)\s*\}\}")
_QUOTED = frozenset({TokenType.STRING, TokenType.IDENTIFIER})


@dataclass(frozen=True, slots=True)
class RunTimes:
    """When a run starts, and when the last one started that was completed. UTC, naive."""

    previous: datetime
    start: datetime

    def text(self, name: str) -> str:
        """The value of that name. Raises WrongSchedule."""
        match name:
            case "PREVIOUS_START_DATETIME":
                return f"{self.previous:%Y-%m-%d %H:%M:%S}"
            case "START_DATETIME":
                return f"{self.start:%Y-%m-%d %H:%M:%S}"
            case "START_DATE":
                return f"{self.start:%Y-%m-%d}"
        hint = did_you_mean(name, _NAMES)
        raise WrongSchedule(f"A job knows no {{{{{name}}}}}{hint}")


SAMPLE = RunTimes(datetime(2000, 1, 1), datetime(2000, 1, 2))
"""Stands in where a statement is only read."""


def fill(sql: str, times: RunTimes) -> str:
    """The text with its times: bare where they stand inside of quotes, else as strings of their
    own. Raises WrongSchedule for a time that there is none of, SyntaxFault for an open quote."""
    if "{{" not in sql:
        return sql
    quoted = [(t.start, t.end) for t in tokenize(sql) if t.token_type in _QUOTED]

    def value(found: re.Match[str]) -> str:
        text = times.text(found[1])
        inside = any(start <= found.start() <= end for start, end in quoted)
        return text if inside else f"'{text}'"

    return _PLACE.sub(value, sql)
