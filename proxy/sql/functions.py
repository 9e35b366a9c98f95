"""The gate of functions: what is not on the list does not exist for clients.

It judges the text that DuckDB is told, so that no way of writing a call goes round it.
"""

import re

from catalog.calls import GRAMMAR, calls_in
from catalog.errors import FunctionUnknown
from proxy.sql.allowed import FUNCTIONS

_KNOWN = GRAMMAR | FUNCTIONS
_NAMING = frozenset({"AS", "INTO", "TABLE"})
_PART = r'(?:"[\w$]+"|[\w$]+)'
_NAME = re.compile(rf"{_PART}(?:\.{_PART})?")
_NO_NAME = tuple("(,=<>+*%")
_LONGEST = 100


def refuse_unlisted(sql: str) -> None:
    """Raises FunctionUnknown for the first call in a text of DuckDB's of what is not listed, or not
    by its mere name."""
    if _is_plain(sql):
        return
    for call in calls_in(sql):
        name = call.name.lower()
        if not call.plain or name not in _KNOWN:
            raise FunctionUnknown(f"FUNCTION {name} does not exist")


def _is_plain(sql: str) -> bool:
    """Whether a look at what stands before each parenthesis, in a string or not, is enough: a
    twentieth of the time that DuckDB's lexer takes."""
    if "--" in sql or "/*" in sql:
        return False
    return all(_is_known(piece[-_LONGEST:]) for piece in sql.split("(")[:-1])


def _is_known(before: str) -> bool:
    """Whether the text in front of a parenthesis ends in no name, a listed one, or one that the
    statement gives."""
    words = before.split()
    if not words:
        return len(before) < _LONGEST
    if words[-1].endswith(_NO_NAME) or words[-1].lower() in _KNOWN:
        return True
    return len(words) > 1 and words[-2] in _NAMING and _NAME.fullmatch(words[-1]) is not None
