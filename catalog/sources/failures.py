"""What a source says went wrong, as the catalog's errors: by rules, the first that fits.

Each kind has the rules for its server's texts; those for what DuckDB says on its own are here.
Texts are cut out of what DuckDB wraps them in: that quotes queries which the client never wrote.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from catalog import errors


@dataclass(frozen=True, slots=True)
class Rule:
    """A text that fits the pattern, case aside, is this error. `text` may use `{text}`, the
    server's own, and the pattern's groups."""

    pattern: re.Pattern[str]
    error: type[errors.CatalogError]
    text: str


def rule(pattern: str, error: type[errors.CatalogError], text: str = "{text}") -> Rule:
    """A rule: its pattern may fit anywhere in the text."""
    return Rule(re.compile(pattern, re.IGNORECASE), error, text)


_WRAPPED = re.compile(r"^(?:(?:[A-Z_]+|[A-Z]\w*(?: \w+)* Error): )+")
_BEHIND = re.compile(r"\n\n+(?:At:\n|LINE \d).*|\n+Did you mean .*", re.DOTALL)

_DUCKDB = (
    rule(
        r"^Table with name (?P<name>\S+) does not exist",
        errors.TableUnknown,
        "Table '{name}' doesn't exist",
    ),
    rule(
        r"does not have a column with name \"(?P<name>[^\"]+)\"",
        errors.ColumnUnknown,
        "Unknown column '{name}' in 'field list'",
    ),
    rule(
        r"^table \"(?:postgres|mysql)_query\" has duplicate column name \"(?P<name>[^\"]+)\"",
        errors.ColumnExists,
        "Duplicate column name '{name}'",
    ),
    rule(r"^Could not convert|^Could not cast|^Failed to cast", errors.ConversionFailed),
    rule(r"^Date out of range|^timestamp field value out of range", errors.ConversionFailed),
    rule(r"out of range", errors.OutOfRange),
    rule(r"^INTERRUPT|^Interrupted!", errors.SourceInterrupted, "Query execution was interrupted"),
)


def unwrapped(message: str) -> str:
    """A message without what DuckDB and its driver put around it; the server's own lines stay."""
    return _BEHIND.sub("", _WRAPPED.sub("", message)).strip()


def told(text: str, rules: Sequence[Rule]) -> errors.CatalogError:
    """The error that a text says, SourceFailed with the text itself if no rule fits. Its lines are
    a message and what is to be added to it."""
    sentence = ". ".join(line.strip().rstrip(".") for line in text.split("\n"))
    for known in (*rules, *_DUCKDB):
        if match := known.pattern.search(text):
            return known.error(known.text.format(text=sentence, **_groups(match)))
    return errors.SourceFailed(sentence)


def _groups(match: re.Match[str]) -> dict[str, str]:
    """What a pattern found; of a near name, the question."""
    found = {name: value or "" for name, value in match.groupdict().items()}
    if found.get("near"):
        found["near"] = f": did you mean '{found['near']}'?"
    return found
