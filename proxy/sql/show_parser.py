"""SHOW, DESCRIBE and EXPLAIN, KILL and USE: statements about the server itself."""

from proxy.errors import Unsupported
from proxy.sql.model_parser import parse_model_name
from proxy.sql.statements import Describe, DescribeModel, Kill, Name, Show, ShowCreateModel, Use
from proxy.sql.tokens import Cursor

# Longer names first: the first that fits is taken.
_KINDS: tuple[tuple[str, ...], ...] = (
    ("ML_ENGINES",),
    ("HANDLERS",),
    ("MODELS",),
    ("PREDICTORS",),
    ("DATA", "SOURCES"),
    ("DATASOURCES",),
    ("DATABASES",),
    ("SCHEMAS",),
    ("PROJECTS",),
    ("TABLES",),
    ("TABLE", "STATUS"),
    ("INDEX",),
    ("INDEXES",),
    ("KEYS",),
    ("VIEWS",),
    ("COLUMNS",),
    ("FIELDS",),
    ("VARIABLES",),
    ("STATUS",),
    ("WARNINGS",),
    ("ERRORS",),
    ("PROCESSLIST",),
    ("ENGINES",),
    ("BUDGETS",),
    ("CACHE",),
    ("JOBS",),
    ("COLLATION",),
    ("CHARACTER SET",),
    ("CHARACTER", "SET"),
    ("CHARSET",),
    ("CREATE", "DATABASE"),
    ("CREATE", "TABLE"),
    ("CREATE", "VIEW"),
    ("CREATE", "MODEL"),
    ("CREATE", "JOB"),
    ("CREATE", "PREDICTOR"),
    ("CREATE", "ML_ENGINE"),
)
_SYNONYMS = {
    "PREDICTORS": "MODELS",
    "CREATE PREDICTOR": "CREATE MODEL",
    "DATASOURCES": "DATA SOURCES",
    "SCHEMAS": "DATABASES",
    "PROJECTS": "DATABASES",
    "FIELDS": "COLUMNS",
    "INDEXES": "INDEX",
    "KEYS": "INDEX",
    "CHARSET": "CHARACTER SET",
}
_IN_DATABASE = frozenset({"TABLES", "TABLE STATUS", "MODELS", "JOBS", "VIEWS"})
"""Kinds whose FROM names a database."""
_MOST_IN_FRONT = 2
_LIMIT_DIGITS = 18  # that fit DuckDB's BIGINT
_ID_DIGITS = 20  # of a BIGINT UNSIGNED
_NAMED = frozenset({"COLUMNS", "INDEX", "CREATE DATABASE", "CREATE TABLE", "CREATE VIEW"})


def parse_show(cursor: Cursor) -> Show | ShowCreateModel:
    """SHOW [FULL] [GLOBAL | SESSION] kind [FROM name [FROM database]] [LIKE '…' | WHERE …]."""
    cursor.expect("SHOW")
    cursor.take("EXTENDED")
    full = cursor.take("FULL")
    scope = cursor.take_any("GLOBAL", "SESSION", "LOCAL") or "SESSION"
    cursor.take("STORAGE")
    kind = _kind(cursor)
    if kind == "CREATE MODEL":
        model = parse_model_name(cursor)
        cursor.end()
        return ShowCreateModel(model)
    source = _source(cursor, kind)
    like = cursor.string() if cursor.take("LIKE") else None
    where = cursor.expression() if cursor.take("WHERE") else None
    limit = _limit(cursor) if cursor.take("LIMIT") else None
    cursor.end()
    return Show(kind, full, scope, source, like, where, limit)


def _kind(cursor: Cursor) -> str:
    for words in _KINDS:
        if cursor.take(*words):
            kind = " ".join(words)
            return _SYNONYMS.get(kind, kind)
    if cursor.done:
        raise cursor.fault()
    raise Unsupported(f"SHOW {' '.join(cursor.words(2))} is not supported".replace("  ", " "))


def _source(cursor: Cursor, kind: str) -> Name | None:
    if kind.startswith("CREATE "):
        return _dotted(cursor)
    if not cursor.take_any("FROM", "IN"):
        if kind in _NAMED:
            raise cursor.fault()
        return None
    name = _dotted(cursor)
    if kind in _IN_DATABASE:
        return Name(".".join(filter(None, (name.database, name.name))))
    if cursor.take_any("FROM", "IN"):
        database = _dotted(cursor)
        return Name(name.name, ".".join(filter(None, (database.database, database.name))))
    return name


def _dotted(cursor: Cursor) -> Name:
    """`name`, `database.name` or `source.schema.name`, in front of whose last part its database
    stands as information_schema has it."""
    *database, name = parse_model_name(cursor)
    if len(database) > _MOST_IN_FRONT:
        raise cursor.fault()
    return Name(name, ".".join(database) or None)


def _limit(cursor: Cursor) -> tuple[int, int]:
    """[offset,] count: the count, and the offset."""
    first = _number(cursor)
    return (_number(cursor), first) if cursor.take(",") else (first, 0)


def _number(cursor: Cursor) -> int:
    token = cursor.token()
    if not (token.text.isdecimal() and len(token.text) <= _LIMIT_DIGITS):
        raise cursor.fault_at(token)
    return int(token.text)


def parse_describe(cursor: Cursor) -> Describe | DescribeModel:
    """DESCRIBE [TABLE | MODEL] name [column], the name of up to four parts:
    project.model.version.attribute."""
    kind = None
    if cursor.words(2)[1:] not in ((), (".",)):  # else it is the name
        kind = cursor.take_any("TABLE", "MODEL", "PREDICTOR")
    parts = parse_model_name(cursor)
    if kind not in (None, "TABLE"):
        cursor.end()
        return DescribeModel(parts)
    like = None if cursor.done else cursor.token().text
    cursor.end()
    return Describe(parts, like)


def parse_kill(cursor: Cursor) -> Kill:
    """KILL [CONNECTION | QUERY] id."""
    cursor.expect("KILL")
    kind = cursor.take_any("QUERY", "CONNECTION")
    token = cursor.token()
    if not (token.text.isdecimal() and len(token.text) <= _ID_DIGITS):
        raise cursor.fault_at(token)
    cursor.end()
    return Kill(int(token.text), query_only=kind == "QUERY")


def parse_use(cursor: Cursor) -> Use:
    """USE database."""
    cursor.expect("USE")
    name = cursor.name()
    cursor.end()
    return Use(name)
