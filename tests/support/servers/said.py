"""Statements of a server's log, as a test reads them: one line each, without what always happens.

It does not know whose log it is.
"""

import re
from collections.abc import Iterable

QUIET = re.compile(
    r"(BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SET|SHOW|DISCARD|DEALLOCATE|USE)\b"
    r"|SELECT 1$|SELECT version\(\)|SELECT REPEAT\('x', \d+\)$|SELECT to_regclass\("
    r"|.*\b(FROM|JOIN)\s+[\"`]?(pg_|information_schema)",
    re.IGNORECASE,
)
"""Transactions, settings, pings, looks into a catalog: how often they come, a pool decides."""


_MARK = re.compile(r"/\* modelwire [0-9a-f]+ \*/ ")
"""What a line of the proxy's is known by in the source (catalog/sources/kind.py MARK)."""


def line(statement: str) -> str:
    """A statement with runs of white space as one space, no semicolon at its end and no mark."""
    return _MARK.sub("", " ".join(statement.split()).rstrip("; "))


def told(statements: Iterable[str], pattern: str | None = None, all_: bool = False) -> list[str]:
    """Those in which a pattern is found; without one those that are not QUIET, or all."""
    lines = map(line, statements)
    if pattern is not None:
        return [each for each in lines if re.search(pattern, each)]
    return [each for each in lines if all_ or not QUIET.match(each)]
