"""The columns behind PREDICT, each with a type or none.

It reads where a type ends, not what it means: engines/types.py knows the types there are.
"""

from sqlglot import TokenType

from catalog.errors import ColumnExists
from proxy.sql.statements import TargetColumn
from proxy.sql.tokens import Cursor

_TIGHT = frozenset("(),")
"""What stands without spaces around it."""


def parse_targets(cursor: Cursor) -> tuple[TargetColumn, ...]:
    """`name [type], …` up to USING, or up to the first option where USING is left out.

    Raises SyntaxFault, and ColumnExists for a name given twice.
    """
    targets = [_target(cursor)]
    while cursor.take(","):
        targets.append(_target(cursor))
    seen: set[str] = set()
    for target in targets:
        if target.name.casefold() in seen:
            raise ColumnExists(f"Duplicate column name '{target.name}'")
        seen.add(target.name.casefold())
    return tuple(targets)


def _target(cursor: Cursor) -> TargetColumn:
    if cursor.words(1) == ("USING",):
        raise cursor.fault()
    name = cursor.name()
    type_ = _type(cursor)
    return TargetColumn(name, type_) if type_ else TargetColumn(name)


def _type(cursor: Cursor) -> str:
    """The type's text, '' where there is none; its strings are quoted as MySQL quotes them."""
    text, depth = "", 0
    while not (cursor.done or (depth == 0 and _ends(cursor))):
        token = cursor.token()
        is_string = token.token_type is TokenType.STRING
        part = _quoted(token.text) if is_string else token.text
        depth += 0 if is_string else {"(": 1, ")": -1}.get(part, 0)
        if depth < 0:
            raise cursor.fault_at(token)
        text += part if not text or text[-1] in _TIGHT or part in _TIGHT else f" {part}"
    if depth:
        raise cursor.fault()
    return text


def _ends(cursor: Cursor) -> bool:
    """Whether what comes is no part of a type."""
    following = cursor.words(2)
    return following[0] in (",", "USING") or following[1:] == ("=",)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
