"""SET in all its forms, as a list of assignments."""

from sqlglot import exp

from proxy.sql.statements import Assignment, SetVariables
from proxy.sql.tokens import Cursor

_SCOPES = {"GLOBAL": "GLOBAL", "PERSIST": "GLOBAL", "SESSION": "SESSION", "LOCAL": "SESSION"}
_NAMES = ("character_set_client", "character_set_connection", "character_set_results")


def parse_set(cursor: Cursor) -> SetVariables:
    """SET item, item, …. Raises SyntaxFault."""
    cursor.expect("SET")
    assignments: list[Assignment] = []
    while True:
        assignments += _item(cursor)
        if not cursor.take(","):
            cursor.end()
            return SetVariables(tuple(assignments))


def _item(cursor: Cursor) -> list[Assignment]:
    if cursor.take("NAMES"):
        return _names(cursor)
    if cursor.take_any("CHARACTER SET", "CHARSET") or cursor.take("CHARACTER", "SET"):
        charset = exp.Literal.string(cursor.token().text)
        return [Assignment("SESSION", name, charset) for name in _NAMES]
    if cursor.words(2) in (("SESSION", "TRANSACTION"), ("GLOBAL", "TRANSACTION")):
        cursor.token()
    if cursor.take("TRANSACTION"):
        return _transaction(cursor)
    scope, name = _variable(cursor)
    if not cursor.take(":=") and not (cursor.take(":") and cursor.take("=")):
        cursor.expect("=")
    return [Assignment(scope, name, _value(cursor))]


def _variable(cursor: Cursor) -> tuple[str, str]:
    """@user, @@[scope.]system, scope system, system."""
    if cursor.take("@", "@") or cursor.take("@@"):
        word = cursor.name()
        if cursor.take("."):
            return _SCOPES.get(word.upper(), "SESSION"), cursor.name().lower()
        return "SESSION", word.lower()
    if cursor.take("@"):
        return "USER", cursor.name().lower()
    words = cursor.words(2)
    if len(words) == 2 and words[0] in _SCOPES and words[1] not in ("=", ":="):
        cursor.token()
        return _SCOPES[words[0]], cursor.name().lower()
    return "SESSION", cursor.name().lower()


def _names(cursor: Cursor) -> list[Assignment]:
    charset = exp.Literal.string(cursor.token().text)
    assignments = [Assignment("SESSION", name, charset) for name in _NAMES]
    if cursor.take("COLLATE"):
        collation = exp.Literal.string(cursor.token().text)
        assignments.append(Assignment("SESSION", "collation_connection", collation))
    return assignments


def _transaction(cursor: Cursor) -> list[Assignment]:
    """ISOLATION LEVEL …, READ ONLY | READ WRITE: DuckDB has one level, snapshot isolation."""
    words = " ".join(cursor.words(5))
    cursor.skip()
    if words.startswith("ISOLATION LEVEL"):
        level = words.removeprefix("ISOLATION LEVEL ").split(",")[0].strip().replace(" ", "-")
        return [Assignment("SESSION", "transaction_isolation", exp.Literal.string(level))]
    read_only = exp.Literal.number(1 if "ONLY" in words else 0)
    return [Assignment("SESSION", "transaction_read_only", read_only)]


def _value(cursor: Cursor) -> exp.Expr | None:
    """An expression up to the next comma; None for DEFAULT. ON and BINARY are words here."""
    if cursor.take("DEFAULT"):
        return None
    keyword = cursor.take_any("ON", "BINARY")
    if keyword is not None:
        return exp.Literal.string(keyword)
    return cursor.expression(to_comma=True)
