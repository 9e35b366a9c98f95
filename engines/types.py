"""The SQL types that a model's answers may have, as MySQL writes them.

Pure: how a value of each is asked for and read stands in chat/values.py.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from engines.errors import OptionError

_UNSIGNED = ("tinyint", "smallint", "mediumint", "int", "bigint")
_NAMES = (
    "text",
    "varchar",
    "enum",
    "boolean",
    *_UNSIGNED,
    "decimal",
    "float",
    "double",
    "date",
    "time",
    "datetime",
    "json",
    "vector",
)
_SYNONYMS = {
    "string": "text",
    "tinytext": "text",
    "mediumtext": "text",
    "longtext": "text",
    "char": "varchar",
    "nvarchar": "varchar",
    "bool": "boolean",
    "integer": "int",
    "dec": "decimal",
    "numeric": "decimal",
    "fixed": "decimal",
    "real": "double",
    "double precision": "double",
    "timestamp": "datetime",
}
_MOST_LENGTH = 16_383
_MOST_DIGITS = 38
_LABEL = r"'((?:[^'\\]|''|\\.)*)'"
_ENUM = re.compile(rf"enum\s*\(\s*{_LABEL}(?:\s*,\s*{_LABEL})*\s*\)", re.IGNORECASE | re.DOTALL)
_TYPE = re.compile(
    r"([a-z]+(?: precision)?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*(unsigned)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Type:
    """`length` is that of a varchar in characters, or a decimal's digits, of which `scale` stand
    behind the point; `labels` are an enum's. A `vector` is an embedding."""

    name: str = "text"
    length: int | None = None
    scale: int = 0
    unsigned: bool = False
    labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The type as SHOW COLUMNS prints it."""
        if self.name == "enum":
            return f"enum({','.join(map(_quoted, self.labels))})"
        if self.name == "boolean":
            return "tinyint(1)"
        if self.name == "decimal":
            return f"decimal({self.length},{self.scale})"
        size = "" if self.length is None else f"({self.length})"
        return f"{self.name}{size}{' unsigned' if self.unsigned else ''}"


TEXT = Type()


def parse_type(text: str) -> Type:
    """Read a type as MySQL or `str` writes it: `enum('a','b')`, `decimal(10,2)`, `int unsigned`.

    Widths that MySQL only shows (`int(11)`) are dropped; tinyint(1) is boolean, as there. Raises
    OptionError: an unknown type, with a near one, or a size that it cannot have.
    """
    written = text.strip()
    if enum := _ENUM.fullmatch(written):
        return _enum(re.findall(_LABEL, enum[0], re.DOTALL), written)
    match = _TYPE.fullmatch(written)
    if match is None:
        raise OptionError(f"'{written}' is no type of a target")
    name = _SYNONYMS.get(match[1].lower(), match[1].lower())
    if name not in _NAMES or name == "enum":
        near = get_close_matches(name, [*_NAMES, *_SYNONYMS], n=1)
        hint = f": did you mean {near[0]}?" if near else f" (there are {', '.join(_NAMES)})"
        raise OptionError(f"type '{written}' of a target is not known{hint}")
    size = None if match[2] is None else int(match[2])
    scale = None if match[3] is None else int(match[3])
    return _sized(name, size, scale, unsigned=match[4] is not None, written=written)


def _enum(labels: list[str], written: str) -> Type:
    read = tuple(re.sub(r"\\(.)", r"\1", label.replace("''", "'")) for label in labels)
    if len(set(read)) < len(read):
        raise OptionError(f"an ENUM has each of its values once, not {written}")
    return Type("enum", labels=read)


def _sized(name: str, size: int | None, scale: int | None, *, unsigned: bool, written: str) -> Type:
    if name == "decimal":
        digits, places = 10 if size is None else size, scale or 0
        if not 0 < digits <= _MOST_DIGITS or places > digits:
            raise OptionError(f"{written} has more digits than decimal({_MOST_DIGITS})")
        return Type(name, digits, places, unsigned)
    if scale is not None and name not in ("float", "double"):
        raise OptionError(f"{written} has one size too many")
    if unsigned and name not in _UNSIGNED:
        raise OptionError(f"{written} cannot be unsigned")
    if name == "tinyint" and size == 1 and not unsigned:
        return Type("boolean")
    if name == "varchar":
        if size is not None and not 0 < size <= _MOST_LENGTH:
            raise OptionError(f"{written} is not 1 to {_MOST_LENGTH:,} characters long")
        return Type("text") if size is None else Type(name, size)
    if name == "datetime" and size is not None and size > 6:
        raise OptionError(f"{written} has more than 6 digits of a second")
    return Type(name, unsigned=unsigned)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
