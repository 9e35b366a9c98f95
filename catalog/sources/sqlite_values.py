"""Of what type a column of SQLite's is: what was declared, if its values are all of that type.

SQLite keeps any value in any column (https://sqlite.org/datatype3.html). Values that are not of the
type declared decide it themselves, so that each is read whole: text is what has nothing in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.sources.kind import quoted

_EXACT = 2**53
"""Up to here DOUBLE has all integers."""
_WORDS = (
    ("BLOB", "BLOB"),
    ("BOOL", "BIGINT"),
    ("INT", "BIGINT"),
    ("CHAR", "VARCHAR"),
    ("CLOB", "VARCHAR"),
    ("TEXT", "VARCHAR"),
    ("REAL", "DOUBLE"),
    ("FLOA", "DOUBLE"),
    ("DOUB", "DOUBLE"),
    ("NUM", "DOUBLE"),
    ("DEC", "DOUBLE"),
    ("DATETIME", "TIMESTAMP"),
    ("TIMESTAMP", "TIMESTAMP"),
    ("DATE", "DATE"),
)
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_SHORTEST = (
    "CASE WHEN CAST(CAST({c} AS TEXT) AS REAL) = {c} THEN CAST({c} AS TEXT) "
    "ELSE printf('%!.17g', {c}) END"
)


@dataclass(frozen=True, slots=True)
class Values:
    """Of which of SQLite's classes a column has values; `large` are integers beyond DOUBLE's."""

    integers: bool
    reals: bool
    texts: bool
    blobs: bool
    large: bool

    @property
    def type(self) -> str | None:
        """DuckDB's type that has them all as they are; None without any value."""
        if self.blobs:
            return "BLOB"
        if self.texts or (self.reals and self.large):
            return "VARCHAR"
        if self.reals:
            return "DOUBLE"
        return "BIGINT" if self.integers else None


def declared_type(declared: str) -> str | None:
    """DuckDB's type for what was declared, None where that says nothing."""
    return next((type_ for word, type_ in _WORDS if word in declared.upper()), None)


def fits(column: str, type_: str) -> str:
    """SQLite's expression that is 0 for a value that type has not."""
    c = quoted(column)
    dated = (
        f"typeof({c}) = 'text' AND {c} GLOB '{_DAY}*' AND date(julianday({c})) = substr({c}, 1, 10)"
    )
    conditions = {
        "BIGINT": f"typeof({c}) = 'integer'",
        "DOUBLE": f"typeof({c}) = 'real' OR typeof({c}) = 'integer' "
        f"AND {c} BETWEEN -{_EXACT} AND {_EXACT}",
        "VARCHAR": f"typeof({c}) <> 'blob'",
        "DATE": f"{dated} AND length({c}) = 10",
        "TIMESTAMP": dated,
    }
    return f"{c} IS NULL OR {conditions.get(type_, '1')}"


def looks(column: str) -> Sequence[str]:
    """SQLite's aggregates that tell of a column what Values has, in its order."""
    c = quoted(column)
    large = f"max(typeof({c}) = 'integer' AND {c} NOT BETWEEN -{_EXACT} AND {_EXACT})"
    classes = ("integer", "real", "text", "blob")
    return [*(f"max(typeof({c}) = '{each}')" for each in classes), large]


def written(column: str, type_: str) -> str:
    """SQLite's expression for the text from which DuckDB makes a value of that type."""
    c = quoted(column)
    if type_ == "BLOB":
        return f"CASE WHEN {c} IS NOT NULL THEN hex(CAST({c} AS BLOB)) END"
    if type_ in ("DOUBLE", "VARCHAR"):
        real = _SHORTEST.format(c=c)
        return f"CASE typeof({c}) WHEN 'real' THEN {real} ELSE CAST({c} AS TEXT) END"
    return c


def made(column: str, type_: str) -> str:
    """DuckDB's expression for the value that a text of `written` is."""
    c = quoted(column)
    return f"unhex({c})" if type_ == "BLOB" else f"CAST({c} AS {type_})"
