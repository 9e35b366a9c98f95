"""The statements that sqlglot does not know: ML engines, models, databases.

Recursive descent over sqlglot's tokens: its compiled parser cannot be subclassed.
"""

from collections.abc import Callable

from proxy.sql.native_query import native_of
from proxy.sql.options import parse_options
from proxy.sql.statements import (
    CreateDatabase,
    CreateEngine,
    CreateModel,
    DropDatabase,
    DropEngine,
    Name,
    Statement,
)
from proxy.sql.targets import parse_targets
from proxy.sql.tokens import Cursor

_MODEL = ("MODEL", "PREDICTOR")
_DATABASE = ("DATABASE", "SCHEMA", "PROJECT")


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


def parse_source(cursor: Cursor) -> tuple[str | None, str | None]:
    """`FROM database (query)`, the query as its text; None of either where there is none."""
    return parse_rows(cursor) if cursor.take("FROM") else (None, None)


def parse_rows(cursor: Cursor) -> tuple[str, str]:
    """`database (query)`: the query as its text."""
    native = None if cursor.done else native_of(cursor.rest[0], cursor.sql)
    return cursor.name(), cursor.parenthesised() if native is None else native


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
    source, source_query = parse_source(cursor)
    cursor.expect("PREDICT")
    return CreateModel(
        name=name,
        targets=parse_targets(cursor),
        options=parse_options(cursor),
        source=source,
        source_query=source_query,
        or_replace=or_replace,
        if_not_exists=if_not_exists,
    )


def _create_database(cursor: Cursor) -> CreateDatabase:
    cursor.expect("CREATE")
    cursor.take_any(*_DATABASE)
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = cursor.name()
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
    **dict.fromkeys((("CREATE", word) for word in _DATABASE), _create_database),
    **dict.fromkeys((("DROP", word) for word in _DATABASE), _drop_database),
}
