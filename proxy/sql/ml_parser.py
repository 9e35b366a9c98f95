"""The statements that sqlglot does not know: ML engines, models, databases.

Recursive descent over sqlglot's tokens: its compiled parser cannot be subclassed.
"""

from collections.abc import Callable

from proxy.errors import SyntaxFault, Unsupported
from proxy.sql.options import parse_options
from proxy.sql.statements import (
    CreateDatabase,
    CreateEngine,
    CreateModel,
    DropDatabase,
    DropEngine,
    DropModel,
    Name,
    Statement,
)
from proxy.sql.tokens import Cursor

_MODEL = ("MODEL", "PREDICTOR")
_DATABASE = ("DATABASE", "SCHEMA", "PROJECT")
_TEXT_TYPES = ("TEXT", "VARCHAR", "CHAR", "STRING", "LONGTEXT", "MEDIUMTEXT")


def parse_ml(cursor: Cursor) -> Statement | None:
    """One of our own statements, or None, with nothing read, for sqlglot to try."""
    verb, *rest = cursor.words(4)
    if rest[:2] == ["OR", "REPLACE"]:
        rest = rest[2:]
    parse = _PARSERS.get((verb, rest[0])) if rest else None
    return parse(cursor) if parse else None


def parse_name(cursor: Cursor) -> Name:
    """`name` or `database.name`."""
    first = cursor.name()
    return Name(cursor.name(), first) if cursor.take(".") else Name(first)


def _create_engine(cursor: Cursor) -> CreateEngine:
    cursor.expect("CREATE", "ML_ENGINE")
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = cursor.name()
    cursor.expect("FROM")
    return CreateEngine(name, cursor.name().lower(), parse_options(cursor), if_not_exists)


def _drop_engine(cursor: Cursor) -> DropEngine:
    cursor.expect("DROP", "ML_ENGINE")
    if_exists = cursor.take("IF", "EXISTS")
    name = cursor.name()
    cursor.end()
    return DropEngine(name, if_exists)


def _create_model(cursor: Cursor) -> CreateModel:
    cursor.expect("CREATE")
    or_replace = cursor.take("OR", "REPLACE")
    cursor.take_any(*_MODEL)
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = parse_name(cursor)
    source = source_query = None
    if cursor.take("FROM"):
        source = cursor.name()
        source_query = cursor.parenthesised()
    cursor.expect("PREDICT")
    target = cursor.name()
    labels = _target_type(cursor)
    if cursor.take(","):
        raise Unsupported("A model with several targets is not supported yet: PREDICT one column")
    return CreateModel(
        name=name,
        target=target,
        labels=labels,
        options=parse_options(cursor),
        source=source,
        source_query=source_query,
        or_replace=or_replace,
        if_not_exists=if_not_exists,
    )


def _target_type(cursor: Cursor) -> tuple[str, ...]:
    """The labels of an ENUM target; () for text, or no type at all."""
    if cursor.take("ENUM"):
        return _labels(cursor)
    if cursor.take_any(*_TEXT_TYPES):
        if cursor.take("("):
            cursor.token()
            cursor.expect(")")
        return ()
    following = cursor.words(2)
    typed = following and following[0].isalpha() and following[0] != "USING"
    if typed and following[1:] not in (("=",), (",",)) and following[1:] != ("",):
        raise Unsupported(f"Target type {following[0]} is not supported yet: use ENUM (…) or TEXT")
    return ()


def _labels(cursor: Cursor) -> tuple[str, ...]:
    cursor.expect("(")
    labels = [cursor.string()]
    while cursor.take(","):
        labels.append(cursor.string())
    cursor.expect(")")
    if len(set(labels)) < len(labels):
        raise SyntaxFault("An ENUM has each of its values once")
    return tuple(labels)


def _drop_model(cursor: Cursor) -> DropModel:
    cursor.expect("DROP")
    cursor.take_any(*_MODEL)
    if_exists = cursor.take("IF", "EXISTS")
    name = parse_name(cursor)
    cursor.end()
    return DropModel(name, if_exists)


def _create_database(cursor: Cursor) -> CreateDatabase:
    cursor.expect("CREATE")
    cursor.take_any(*_DATABASE)
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = cursor.name()
    if cursor.take("WITH", "ENGINE") or cursor.take("ENGINE"):
        raise Unsupported("CREATE DATABASE … WITH ENGINE is not supported yet")
    _skip_charset(cursor)
    cursor.end()
    return CreateDatabase(name, if_not_exists)


def _skip_charset(cursor: Cursor) -> None:
    """[DEFAULT] CHARACTER SET x, COLLATE y: everything here is utf8mb4."""
    while not cursor.done:
        cursor.take("DEFAULT")
        if not (
            cursor.take_any("CHARACTER SET", "CHARSET", "COLLATE")
            or cursor.take("CHARACTER", "SET")
        ):
            raise cursor.fault()
        cursor.take("=")
        cursor.token()


def _drop_database(cursor: Cursor) -> DropDatabase:
    cursor.expect("DROP")
    cursor.take_any(*_DATABASE)
    if_exists = cursor.take("IF", "EXISTS")
    name = cursor.name()
    cursor.end()
    return DropDatabase(name, if_exists)


_PARSERS: dict[tuple[str, str], Callable[[Cursor], Statement]] = {
    ("CREATE", "ML_ENGINE"): _create_engine,
    ("DROP", "ML_ENGINE"): _drop_engine,
    **dict.fromkeys((("CREATE", word) for word in _MODEL), _create_model),
    **dict.fromkeys((("DROP", word) for word in _MODEL), _drop_model),
    **dict.fromkeys((("CREATE", word) for word in _DATABASE), _create_database),
    **dict.fromkeys((("DROP", word) for word in _DATABASE), _drop_database),
}
