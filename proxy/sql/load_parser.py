"""LOAD DATA LOCAL INFILE in MySQL's grammar: which file of the client's, how written, into what.

It reads no file, and knows no table; LOAD DATA without LOCAL is refused here.
https://dev.mysql.com/doc/refman/8.0/en/load-data.html
"""

from collections.abc import Callable
from dataclasses import replace

from sqlglot import TokenType, exp

from catalog.errors import ColumnTwice
from proxy.errors import ServerFilesClosed, Unsupported, WrongTerminator
from proxy.sql.statements import Duplicates, FileField, FileFormat, LoadData
from proxy.sql.tokens import Cursor


def parse_load(cursor: Cursor) -> LoadData:
    """The statement. Raises SyntaxFault, ServerFilesClosed, Unsupported, WrongTerminator,
    ColumnTwice."""
    _refuse_others(cursor)
    cursor.expect("LOAD", "DATA")
    cursor.take_any("LOW_PRIORITY", "CONCURRENT")
    local = cursor.take("LOCAL")
    cursor.expect("INFILE")
    file = cursor.string()
    if not local:
        raise ServerFilesClosed(
            "The server reads no files of its own, so it cannot execute this statement: "
            "LOAD DATA LOCAL INFILE loads a file of the client's"
        )
    duplicates = _DUPLICATES[cursor.take_any("REPLACE", "IGNORE")]
    cursor.expect("INTO", "TABLE")
    table = _table(cursor)
    charset = _charset(cursor)
    written = _checked(_lines(cursor, _fields(cursor, FileFormat())))
    skipped = _skipped(cursor)
    fields, assigned = _list(cursor), _assigned(cursor)
    cursor.end()
    _refuse_twice([field.name for field in fields if not field.is_variable])
    _refuse_twice([name for name, _ in assigned])
    return LoadData(file, table, duplicates, charset, written, skipped, fields, assigned)


_DUPLICATES: dict[str | None, Duplicates] = {None: "fail", "IGNORE": "ignore", "REPLACE": "replace"}


def _refuse_others(cursor: Cursor) -> None:
    """LOAD XML, LOAD INDEX, and DuckDB's LOAD of an extension."""
    words = cursor.words(2)
    if words[1:] != ("DATA",):
        raise Unsupported(f"{' '.join(words).strip()} is not supported")


def _table(cursor: Cursor) -> exp.Table:
    parts = [cursor.name()]
    while cursor.take("."):
        parts.append(cursor.name())
    if len(parts) > 3:
        raise cursor.fault()
    if cursor.words(1) == ("PARTITION",):
        raise Unsupported("PARTITION of LOAD DATA is not supported")
    names = [exp.to_identifier(part, quoted=True) for part in reversed(parts)]
    return exp.Table(**dict(zip(("this", "db", "catalog"), names, strict=False)))


def _charset(cursor: Cursor) -> str | None:
    if cursor.take_any("CHARSET", "CHARACTER SET") or cursor.take("CHARACTER", "SET"):
        return cursor.token().text.lower()
    return None


def _fields(cursor: Cursor, written: FileFormat) -> FileFormat:
    if cursor.take_any("FIELDS", "COLUMNS") is None:
        return written
    clauses: dict[str, Callable[[str], FileFormat]] = {
        "TERMINATED": lambda text: replace(written, field=text),
        "ENCLOSED": lambda text: replace(written, enclosed=text),
        "ESCAPED": lambda text: replace(written, escaped=text),
    }
    start = cursor.words(1)
    while start and start[0] in (*clauses, "OPTIONALLY"):
        cursor.take("OPTIONALLY")  # which matters to who writes a file
        written = clauses[_clause(cursor, tuple(clauses))](_text(cursor))
        start = cursor.words(1)
    return written


def _lines(cursor: Cursor, written: FileFormat) -> FileFormat:
    if not cursor.take("LINES"):
        return written
    clauses: dict[str, Callable[[str], FileFormat]] = {
        "STARTING": lambda text: replace(written, start=text),
        "TERMINATED": lambda text: replace(written, line=text),
    }
    while cursor.words(1) and cursor.words(1)[0] in clauses:
        written = clauses[_clause(cursor, tuple(clauses))](_text(cursor))
    return written


def _clause(cursor: Cursor, words: tuple[str, ...]) -> str:
    word = cursor.take_any(*words)
    if word is None:
        raise cursor.fault()
    cursor.expect("BY")
    return word


def _text(cursor: Cursor) -> str:
    """A string, or bytes in hexadecimal digits."""
    if not cursor.done and cursor.rest[0].token_type is TokenType.HEX_STRING:
        return bytes.fromhex(cursor.token().text).decode("utf-8", "surrogateescape")
    return cursor.string()


def _checked(written: FileFormat) -> FileFormat:
    if len(written.enclosed) > 1 or len(written.escaped) > 1:
        raise WrongTerminator(
            "Field separator argument is not what is expected: ENCLOSED BY and ESCAPED BY take one "
            "character, or none"
        )
    if not written.field or not written.line or written.field == written.line:
        raise Unsupported(
            "LOAD DATA needs a FIELDS TERMINATED BY and a LINES TERMINATED BY that are not empty, "
            "and not the same"
        )
    return written


def _skipped(cursor: Cursor) -> int:
    if not cursor.take("IGNORE"):
        return 0
    token = cursor.token()
    if not token.text.isdecimal() or cursor.take_any("LINES", "ROWS") is None:
        raise cursor.fault_at(token)
    return int(token.text)


def _list(cursor: Cursor) -> tuple[FileField, ...]:
    if not cursor.take("("):
        return ()
    fields: list[FileField] = []
    while not cursor.take(")"):
        if fields:
            cursor.expect(",")
        is_variable = cursor.take("@")
        name = cursor.name()
        fields.append(FileField(name.lower() if is_variable else name, is_variable))
    return tuple(fields)


def _assigned(cursor: Cursor) -> tuple[tuple[str, exp.Expr], ...]:
    if not cursor.take("SET"):
        return ()
    assigned: list[tuple[str, exp.Expr]] = []
    while not assigned or cursor.take(","):
        name = cursor.name()
        if not cursor.take(":="):
            cursor.expect("=")
        assigned.append((name, cursor.expression(to_comma=True)))
    return tuple(assigned)


def _refuse_twice(names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise ColumnTwice(f"Column '{name}' specified twice")
        seen.add(name.casefold())
