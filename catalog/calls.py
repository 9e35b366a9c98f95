"""Which functions a text of DuckDB's calls, as DuckDB's own lexer reads it.

It finds names before parentheses; which of them may be called is not for this room to say.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

_CLAUSES = """
    all always and any array as between by case check columns conflict cross cube default distinct
    else end except exclude exists filter for from generated group groups having ilike in inner
    intersect interval into is join key lambda lateral like limit materialized not null offset on
    or order over partition primary qualify recursive references rename returning select set sets
    some stored struct table then union unique using values virtual when where window with within
    rollup cast try_cast extract
"""
_SIZED_TYPES = """
    bit blob bpchar char dec decimal enum float hugeint numeric text time timestamp timestamptz
    varbinary varchar
"""
GRAMMAR = frozenset(f"{_CLAUSES} {_SIZED_TYPES}".split())
"""Words before a parenthesis that DuckDB's grammar takes for something else than a call, in lower
case: clauses, operators, types with a size. None of them is a function's name."""

_NAMING = frozenset({"as", "exists", "into", "recursive", "references", "table", "view", "with"})
_OPENING, _CLOSING, _DOT, _QUOTE = b'()."'
_NO_NAME = frozenset(b"0123456789'$?#([{)]}.,;:+-*/%<>=~!@&|^`")


@dataclass(frozen=True, slots=True)
class Call:
    """A name before a parenthesis. `plain` says that it is neither quoted nor behind a dot."""

    name: str
    plain: bool


def calls_in(sql: str) -> Iterator[Call]:
    """The calls of functions in a text, in their order; names that a statement gives or writes
    into are none, nor are words of GRAMMAR. What DuckDB's lexer cannot read, it does not run."""
    text = sql.encode()
    starts = [start for start, _ in duckdb.tokenize(sql)]
    for at, start in enumerate(starts):
        if text[start] == _OPENING and at and (call := _call(text, starts, at - 1)):
            yield call


def _call(text: bytes, starts: list[int], at: int) -> Call | None:
    if text[starts[at]] in _NO_NAME:
        return None
    first = at
    while first >= 2 and text[starts[first - 1]] == _DOT:
        first -= 2
    word = _word(text, starts, at)
    quoted = text[starts[at]] == _QUOTE
    plain = first == at and not quoted
    if plain and word.lower() in GRAMMAR:
        return None
    if first and _word(text, starts, first - 1).lower() in _NAMING:
        return None
    if _is_cte(text, starts, at + 1):
        return None
    return Call(word[1:-1].replace('""', '"') if quoted else word, plain)


def _word(text: bytes, starts: list[int], at: int) -> str:
    """The text of a token, without the blanks and comments behind a plain word."""
    end = starts[at + 1] if at + 1 < len(starts) else len(text)
    word = text[starts[at] : end].decode(errors="replace")
    return word.rstrip() if word.startswith('"') else word.split()[0]


def _is_cte(text: bytes, starts: list[int], opening: int) -> bool:
    """Whether the parenthesis holds the columns of a WITH's table: behind it stands AS (."""
    depth = 0
    for at in range(opening, len(starts) - 2):
        depth += (text[starts[at]] == _OPENING) - (text[starts[at]] == _CLOSING)
        if depth == 0:
            is_as = _word(text, starts, at + 1).lower() == "as"
            return is_as and text[starts[at + 2]] == _OPENING
    return False
