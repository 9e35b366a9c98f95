"""A field's text as a value of a column's type: what DuckDB tries, and what is said of a failure.

It knows types and texts alone; rows and tables are others' business.
"""

import re

from catalog.errors import CatalogError, ConversionFailed, OutOfRange
from proxy.errors import DataTruncated, IncorrectJson, IncorrectTime, ProxyError

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_UNSOUND = re.compile(r"[\udc80-\udcff]{1,6}")  # charsets.py's surrogates
_MOST_SHOWN = 64

_BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64, "HUGEINT": 128}
_BOUNDS = {
    **{name: (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) for name, bits in _BITS.items()},
    **{f"U{name}": (0, (1 << bits) - 1) for name, bits in _BITS.items()},
}
_POINTS = {"DATE": "date", "TIME": "time"}
_FINITE = ("DOUBLE", "FLOAT", "DATE")
_COMPACT = {"DATE": "%Y%m%d", "TIMESTAMP": "%Y%m%d%H%M%S"}


def attempt(text: str, type_: str) -> str:
    """DuckDB's expression of a field's text, itself an expression, as a value; NULL where it is
    none. A BLOB's field is hexadecimal digits."""
    if type_ == "VARCHAR":
        return text
    if type_ == "BLOB":
        return f"unhex({text})"
    value = f"TRY_CAST({text} AS {type_})"
    if type_ in _COMPACT:  # MySQL takes 20240105 as well
        value = f"coalesce({value}, CAST(try_strptime({text}, '{_COMPACT[type_]}') AS {type_}))"
    if type_ in _FINITE or type_.startswith("TIMESTAMP"):
        value = f"CASE WHEN isfinite({value}) THEN {value} END"
    return value


def fallback(text: str, type_: str) -> str:
    """The expression of what stands for a field that is no value, under IGNORE: for a number the
    nearest that its text begins with, else NULL."""
    bounds = _bounds(type_)
    if bounds is None:
        return f"CAST(NULL AS {type_})"
    begins = r"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"
    number = f"coalesce(TRY_CAST(regexp_extract({text}, '{begins}') AS DOUBLE), 0)"
    least, most = bounds
    return (
        f"CASE WHEN {number} >= {most} THEN CAST({most} AS {type_}) "
        f"WHEN {number} <= {least} THEN CAST({least} AS {type_}) ELSE CAST({number} AS {type_}) END"
    )


def nothing(type_: str) -> str | None:
    """The expression of what MySQL has in place of NULL where a column takes none, under IGNORE;
    None for types without."""
    if type_ in ("VARCHAR", "BLOB"):
        return f"CAST('' AS {type_})"
    return None if _bounds(type_) is None else f"CAST(0 AS {type_})"


def complaint(column: str, type_: str, text: str, row: int) -> CatalogError | ProxyError:
    """What is wrong with a field of a row, in MySQL's words."""
    place = f"for column '{column}' at row {row}"
    shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
    if type_ == "JSON":
        return IncorrectJson(f"Invalid JSON text: '{shown}' {place}")
    if type_.startswith("ENUM("):
        return DataTruncated(f"Data truncated {place}: '{shown}' is none of its values")
    if type_ in _POINTS or type_.startswith("TIMESTAMP"):
        point = _POINTS.get(type_, "datetime")
        return IncorrectTime(f"Incorrect {point} value: '{shown}' {place}")
    if _NUMBER.fullmatch(text) and _bounds(type_) is not None:
        return OutOfRange(f"Out of range value {place}")
    return ConversionFailed(f"Incorrect {_kind(type_)} value: '{shown}' {place}")


def has_unsound(text: str) -> bool:
    """Whether a field holds bytes that are no text in the file's character set."""
    return _UNSOUND.search(text) is not None


def unsound(column: str, text: str, row: int) -> ConversionFailed:
    """What is wrong with a field that holds bytes which are no text."""
    bad = _UNSOUND.search(text)
    shown = "".join(f"\\x{ord(sign) - 0xDC00:02X}" for sign in bad[0]) if bad else ""
    return ConversionFailed(f"Incorrect string value: '{shown}' for column '{column}' at row {row}")


def _kind(type_: str) -> str:
    if type_ in _BOUNDS:
        return "integer"
    return type_.partition("(")[0].lower()


def _bounds(type_: str) -> tuple[str, str] | None:
    """The least and the most that a number of a type may be, as DuckDB writes them."""
    if type_ in _BOUNDS:
        least, most = _BOUNDS[type_]
        return str(least), str(most)
    if found := _DECIMAL.fullmatch(type_):
        width, scale = int(found[1]), int(found[2])
        digits = f"{'9' * (width - scale) or '0'}.{'9' * scale}".rstrip(".")
        return f"-{digits}", digits
    if type_ == "BOOLEAN":
        return "0", "1"
    return _FLOATS.get(type_)


_FLOATS = {
    "DOUBLE": ("-1.7976931348623157e308", "1.7976931348623157e308"),
    "FLOAT": ("-3.4028234663852886e38", "3.4028234663852886e38"),
}
