"""The one text that stands for a value of a type: what a model said, as a column can hold it.

Pure. DuckDB's CAST(text AS type) takes every text made here; whatever does not fit is refused.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation, localcontext
from typing import Final

from engines.task import Struct, Target, Value
from engines.types import Type

_BITS: Final = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_LARGEST_FLOAT: Final = 3.4028234663852886e38
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_TRUTHS: Final = {"true": "true", "yes": "true", "1": "true"} | dict.fromkeys(
    ("false", "no", "0"), "false"
)


class Unfit(ValueError):
    """A value that is none of its type; the text says what was expected."""


def canonical(target: Target, value: Value) -> str | None:
    """Return the text of what a JSON reply gives for `target`, None for null. Raises Unfit."""
    if value is None:
        return None
    if target.labels:
        return label_of(target, value if isinstance(value, str) else compact(value))
    if target.struct:
        return compact(_structured(target.struct, _object(value)))
    return _READ[target.type.name](target.type, value)


def said(target: Target, text: str | None) -> Value:
    """Return what a model would say in JSON for a canonical text."""
    if text is None or target.labels or target.type.name in _TEXTS:
        return text
    value: Value = json.loads(text)
    return value


def label_of(target: Target, text: str) -> str:
    """Return the label that `text` is, in any case, quoted, with closing punctuation. Raises
    Unfit."""
    if text in target.labels:
        return text
    spelled = _spelled(text)
    for label in target.labels:
        if _spelled(label) == spelled:
            return label
    raise Unfit(f"one of {listed(target.labels)}")


def listed(labels: tuple[str, ...]) -> str:
    """Return the labels as a message or a prompt names them."""
    return ", ".join(json.dumps(label, ensure_ascii=False) for label in labels)


def bounds(kind: Type) -> tuple[int, int] | None:
    """Return the least and the greatest whole number of a type, None of a type of other values."""
    bits = _BITS.get(kind.name)
    if bits is None:
        return None
    return (0, (1 << bits) - 1) if kind.unsigned else (-(1 << bits - 1), (1 << bits - 1) - 1)


def compact(value: Value) -> str:
    """Return JSON without spaces. Raises Unfit for a number that JSON has not."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise Unfit("a JSON value") from error


def unquoted(text: str) -> str:
    """Drop the quotes around `text`, if they are a pair and stand nowhere inside."""
    inner = text[1:-1]
    closing = _QUOTES.get(text[:1])
    if len(text) < 2 or text[-1] != closing or text[0] in inner or closing in inner:
        return text
    return inner.strip()


_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»"}
_PUNCTUATION: Final = " \t\r\n.,;:!…"


def _spelled(text: str) -> str:
    """Reduce a label to what tells it from the others."""
    return unquoted(text.strip(_PUNCTUATION)).strip(_PUNCTUATION).casefold()


def _text(_kind: Type, value: Value) -> str:
    return value if isinstance(value, str) else compact(value)


def _varchar(kind: Type, value: Value) -> str:
    text = _text(kind, value)
    if kind.length is not None and len(text) > kind.length:
        raise Unfit(f"at most {kind.length:,} characters")
    return text


def _boolean(_kind: Type, value: Value) -> str:
    written = value.strip().casefold() if isinstance(value, str) else compact(value)
    if written not in _TRUTHS:
        raise Unfit("true or false")
    return _TRUTHS[written]


def _whole(kind: Type, value: Value) -> str:
    least, most = bounds(kind) or (0, 0)
    number = _decimal(value)
    if number is None or not least <= number <= most or number != int(number):
        raise Unfit(f"a whole number from {least} to {most}")
    return str(int(number))


def _fixed(kind: Type, value: Value) -> str:
    number = _decimal(value)
    digits = kind.length or 0
    with localcontext() as context:
        context.prec = 2 * digits + 400
        cut = None if number is None else number.quantize(Decimal(1).scaleb(-kind.scale))
    if cut is None or abs(cut) >= Decimal(10) ** (digits - kind.scale):
        raise Unfit(f"a number that fits {kind}")
    if kind.unsigned and cut < 0:
        raise Unfit(f"a number of at least 0 that fits {kind}")
    return f"{cut or abs(cut):f}"  # no -0


def _floating(kind: Type, value: Value) -> str:
    number = _decimal(value)
    read = math.nan if number is None else float(number)
    if not math.isfinite(read) or (kind.name == "float" and abs(read) > _LARGEST_FLOAT):
        raise Unfit("a number")
    return repr(read)


def _decimal(value: Value) -> Decimal | None:
    """Return a number that stands in JSON, or alone in a text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    written = value.strip() if isinstance(value, str) else repr(value)
    if _NUMBER.fullmatch(written) is None:
        return None
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number == 0 or -400 <= number.adjusted() <= 400 else None


def _date(_kind: Type, value: Value) -> str:
    return _moment(value, "a date like 2024-12-31").date().isoformat()


def _datetime(_kind: Type, value: Value) -> str:
    """One with an offset from UTC is told in UTC."""
    expected = "a date and time like 2024-12-31 23:59:59"
    read = _moment(value, expected)
    try:
        read = read if read.tzinfo is None else read.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise Unfit(expected) from error
    return read.isoformat(" ")


def _moment(value: Value, expected: str) -> datetime:
    """Read a moment in ISO's form."""
    try:
        written = value.strip() if isinstance(value, str) else ""
        return datetime.fromisoformat(written.replace("/", "-"))
    except ValueError as error:
        raise Unfit(expected) from error


def _time(_kind: Type, value: Value) -> str:
    try:
        return (
            time.fromisoformat(value.strip() if isinstance(value, str) else "")
            .replace(tzinfo=None)
            .isoformat()
        )
    except ValueError as error:
        raise Unfit("a time of day like 23:59:59") from error


def _json(_kind: Type, value: Value) -> str:
    return compact(value)


def _object(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise Unfit("a JSON object")
    return value


def _structured(struct: Struct, given: dict[str, Value]) -> dict[str, Value]:
    """Return the members that a structure asks for, each a text, null or an object."""
    read: dict[str, Value] = {}
    for key, part in struct:
        if key not in given:
            raise Unfit(f"a JSON object with '{key}'")
        value = given[key]
        if isinstance(part, tuple):
            read[key] = None if value is None else _structured(part, _object(value))
        else:
            read[key] = value if value is None or isinstance(value, str) else compact(value)
    return read


_TEXTS: Final = ("text", "varchar", "enum", "date", "time", "datetime")
_READ: Final[dict[str, Callable[[Type, Value], str]]] = {
    "text": _text,
    "varchar": _varchar,
    "boolean": _boolean,
    **dict.fromkeys(_BITS, _whole),
    "decimal": _fixed,
    "float": _floating,
    "double": _floating,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "json": _json,
}
