"""CREATE, ALTER, DROP and REFRESH of data sources, and EXECUTE: what MindsDB's users write.

It knows the grammar; which engines there are, and what parameters they take, it does not.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from sqlglot import Token, TokenType

from proxy.errors import SyntaxFault, Unsupported
from proxy.sql.native_query import native_of
from proxy.sql.options import parse_object, parse_options
from proxy.sql.statements import (
    AlterSource,
    CreateSource,
    DropSource,
    ExecuteNative,
    RefreshSource,
    Statement,
)
from proxy.sql.tokens import Cursor, syntax_fault

_DATABASE = ("DATABASE", "SCHEMA")
_BEHIND_NAME = frozenset({"WITH", "USING", "ENGINE"})
_BEHIND_ALTERED = _BEHIND_NAME | {"PARAMETERS", "SET"}


def parse_source_statement(cursor: Cursor) -> Statement | None:
    """One of these statements, or None, with nothing read. Raises SyntaxFault, whose text never
    holds a parameter's value."""
    words = cursor.words(2)
    if words[:1] == ("CREATE",) and _is_about_source(cursor, _BEHIND_NAME):
        return _create(cursor)
    if words[:1] == ("ALTER",) and _is_about_source(cursor, _BEHIND_ALTERED):
        return _alter(cursor)
    parse = _PARSERS.get(words)
    return parse(cursor) if parse else None


def parse_execute(cursor: Cursor) -> ExecuteNative:
    """EXECUTE source (native statement). Prepared statements are the protocol's own."""
    cursor.expect("EXECUTE")
    if cursor.done:
        raise cursor.fault()
    token = cursor.rest[0]
    native = native_of(token, cursor.sql)
    if native is None:
        raise Unsupported("EXECUTE is not supported, but for EXECUTE source (native statement)")
    name = cursor.name()
    cursor.end()
    if not native.strip():
        raise syntax_fault(")", token.line)
    return ExecuteNative(name, native)


def _is_about_source(cursor: Cursor, behind: frozenset[str]) -> bool:
    """Whether `verb [OR REPLACE] DATABASE [IF NOT EXISTS] name` is followed by one of these."""
    ahead = Cursor(cursor.sql, cursor.rest[:9])
    ahead.token()
    ahead.take("OR", "REPLACE")
    if ahead.take_any(*_DATABASE) is None:
        return False
    ahead.take("IF", "NOT", "EXISTS")
    return len(ahead.rest) > 1 and ahead.words(2)[1] in behind


def _create(cursor: Cursor) -> CreateSource:
    """CREATE [OR REPLACE] DATABASE [IF NOT EXISTS] name [WITH] ENGINE [=] engine [,] parameters."""
    cursor.expect("CREATE")
    or_replace = cursor.take("OR", "REPLACE")
    cursor.take_any(*_DATABASE)
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = cursor.name()
    cursor.take_any("WITH", "USING")
    _expect(cursor, "ENGINE")
    engine = _engine(cursor)
    return CreateSource(name, engine, _parameters(cursor), or_replace, if_not_exists)


def _alter(cursor: Cursor) -> AlterSource:
    """ALTER DATABASE name [SET | WITH] [ENGINE [=] engine [,]] parameters."""
    cursor.expect("ALTER")
    cursor.take_any(*_DATABASE)
    name = cursor.name()
    cursor.take_any("SET", "WITH")
    engine = _engine(cursor) if cursor.take("USING", "ENGINE") or cursor.take("ENGINE") else None
    if engine is None and cursor.done:
        raise cursor.fault()
    return AlterSource(name, engine, _parameters(cursor))


def _engine(cursor: Cursor) -> str:
    cursor.take("=")
    is_string = not cursor.done and cursor.rest[0].token_type is TokenType.STRING
    try:
        engine = cursor.string() if is_string else cursor.name()
    except SyntaxFault:
        raise _fault(cursor) from None
    cursor.take(",")
    return engine


def _parameters(cursor: Cursor) -> dict[str, Any]:
    """`[WITH] PARAMETERS [=] {…}` or `USING name = value, …`, to the end of the statement."""
    if cursor.done:
        return {}
    if cursor.words(1) == ("USING",):
        return parse_options(cursor)
    cursor.take("WITH")
    _expect(cursor, "PARAMETERS")
    cursor.take("=")
    inside = Cursor(cursor.sql, [_as_json(token, cursor.sql) for token in cursor.rest])
    try:
        given = parse_object(inside)
        inside.end()
    except SyntaxFault:
        raise syntax_fault("PARAMETERS = ", cursor.line) from None
    cursor.skip()
    return _without_case(given)


def _as_json(token: Token, sql: str) -> Token:
    """A string in double quotes with JSON's escapes, which are not all MySQL's."""
    raw = sql[token.start : token.end + 1]
    if token.token_type is not TokenType.STRING or raw[:1] != '"':
        return token
    try:
        text = json.loads(raw, strict=False)
    except ValueError:
        return token
    return Token(token.token_type, text, token.line, token.col, token.start, token.end)


def _without_case(given: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for written, value in given:
        name = written.lower()
        if name in parameters:
            raise SyntaxFault(f"Parameter '{name}' is given twice")
        parameters[name] = value
    return parameters


def _drop(cursor: Cursor) -> DropSource:
    cursor.expect("DROP", "SOURCE")
    if_exists = cursor.take("IF", "EXISTS")
    name = cursor.name()
    cursor.end()
    return DropSource(name, if_exists)


def _refresh(cursor: Cursor) -> RefreshSource:
    cursor.expect("REFRESH")
    cursor.take_any(*_DATABASE)
    name = cursor.name()
    cursor.end()
    return RefreshSource(name)


def _expect(cursor: Cursor, word: str) -> None:
    if not cursor.take(word):
        raise _fault(cursor)


def _fault(cursor: Cursor) -> SyntaxFault:
    """The error that points at the next token, and shows no more: a password may stand behind."""
    if cursor.done:
        return cursor.fault()
    token = cursor.rest[0]
    return syntax_fault(cursor.sql[token.start : token.end + 1], token.line)


_PARSERS: dict[tuple[str, ...], Callable[[Cursor], Statement]] = {
    ("DROP", "SOURCE"): _drop,
    **dict.fromkeys((("REFRESH", word) for word in _DATABASE), _refresh),
}
