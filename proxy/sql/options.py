"""The option list of USING: `name = value, …`, values as JSON knows them, or `env('NAME')`.

Which names and values make sense is the engines' business.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import Token, TokenType

from engines.secrets import SOURCES, SecretReference, Source
from proxy.errors import SyntaxFault
from proxy.sql.tokens import Cursor, syntax_fault

_SOURCES: dict[str, Source] = {source: source for source in SOURCES}
_WORDS: dict[str, Any] = {"TRUE": True, "FALSE": False, "NULL": None}


def parse_options(cursor: Cursor) -> dict[str, Any]:
    """Read `[USING] name [=] value, …` to the end of the statement.

    USING may be left out, as documentation in the wild does. Names are kept in lower case.
    Raises SyntaxFault, also for a name given twice.
    """
    return {name: value for (_, name), value in _assignments(cursor, owned=False).items()}


def parse_owned_options(cursor: Cursor) -> dict[tuple[str | None, str], Any]:
    """As parse_options; a name may have that of its owner in front: `m.max_tokens = 5`."""
    return _assignments(cursor, owned=True)


def parse_object(cursor: Cursor) -> list[tuple[str, Any]]:
    """Read `{"name": value, …}`, the names as written. Raises SyntaxFault."""
    cursor.expect("{")
    return _items(cursor, "}", _pair)


def _assignments(cursor: Cursor, *, owned: bool) -> dict[tuple[str | None, str], Any]:
    options: dict[tuple[str | None, str], Any] = {}
    if not cursor.take("USING") and cursor.done:
        return options
    while True:
        owner, name = None, cursor.name()
        if owned and cursor.take("."):
            owner, name = name, cursor.name()
        name = name.lower()
        cursor.take("=")
        if (owner, name) in options:
            raise SyntaxFault(f"Option '{name}' is given twice")
        try:
            options[owner, name] = _value(cursor)
            more = cursor.take(",")
            if not more:
                cursor.end()
        except SyntaxFault:
            # what is wrong may be a key without its quotes: only the option's name is shown
            raise syntax_fault(f"{name} = ", cursor.line) from None
        if not more:
            return options


def _value(cursor: Cursor) -> Any:
    token = cursor.token()
    read = _READERS.get(token.token_type, _word)
    return read(cursor, token)


def _word(cursor: Cursor, token: Token) -> Any:
    """true, false, null, a secret's place: env('NAME'), or a bare word that names a thing:
    engine = my_engine."""
    source = _SOURCES.get(token.text.lower())
    if source is not None and cursor.take("("):
        name = cursor.string()
        cursor.expect(")")
        return SecretReference(source, name)
    if token.text.upper() in _WORDS:
        return _WORDS[token.text.upper()]
    if token.text.replace("_", "").isalnum():
        return token.text
    raise cursor.fault_at(token)


def _number(cursor: Cursor) -> int | float:
    token = cursor.token()
    if token.token_type is not TokenType.NUMBER:
        raise cursor.fault_at(token)
    return _read_number(cursor, token)


def _read_number(cursor: Cursor, token: Token) -> int | float:
    try:
        return int(token.text) if token.text.isdecimal() else float(token.text)
    except ValueError:  # no digits, or more than Python reads
        raise cursor.fault_at(token) from None


def _pair(cursor: Cursor) -> tuple[str, Any]:
    token = cursor.token()
    if token.token_type not in (TokenType.STRING, TokenType.VAR, TokenType.IDENTIFIER):
        raise cursor.fault_at(token)
    if not cursor.take(":"):
        cursor.expect("=")
    return token.text, _value(cursor)


def _items(cursor: Cursor, closing: str, item: Callable[[Cursor], Any]) -> list[Any]:
    items: list[Any] = []
    while not cursor.take(closing):
        if items:
            cursor.expect(",")
        items.append(item(cursor))
    return items


_READERS: dict[TokenType, Callable[[Cursor, Token], Any]] = {
    TokenType.STRING: lambda cursor, token: token.text,
    TokenType.IDENTIFIER: lambda cursor, token: token.text,
    TokenType.NUMBER: _read_number,
    TokenType.DASH: lambda cursor, token: -_number(cursor),
    TokenType.PLUS: lambda cursor, token: _number(cursor),
    TokenType.L_BRACE: lambda cursor, token: dict(_items(cursor, "}", _pair)),
    TokenType.L_BRACKET: lambda cursor, token: _items(cursor, "]", _value),
}
