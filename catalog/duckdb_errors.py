"""DuckDB's exceptions, translated to the catalog's own: once, here.

The texts are ours too: DuckDB's quote lines of SQL that the client never wrote.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from catalog.errors import (
    AlreadyExists,
    CatalogError,
    ColumnUnknown,
    ConstraintViolation,
    ConversionFailed,
    DatabaseUnknown,
    DuplicateKey,
    FunctionUnknown,
    InUse,
    NotPermitted,
    NullViolation,
    OutOfMemory,
    OutOfRange,
    StatementRejected,
    TableUnknown,
    TransactionFailed,
)

_Rule = tuple[type[duckdb.Error], re.Pattern[str], Callable[[re.Match[str]], CatalogError]]


def _rule(
    kind: type[duckdb.Error], pattern: str, error: Callable[[re.Match[str]], CatalogError]
) -> _Rule:
    return kind, re.compile(pattern, re.DOTALL), error


# The first rule whose class and pattern fit decides; the last rows of a class catch the rest.
_RULES: tuple[_Rule, ...] = (
    _rule(
        duckdb.CatalogException,
        r"(?:Table|View) with name \"?(?P<name>[^\n]+?)\"? does not exist!"
        r"(?:\nDid you mean \"(?P<near>[^\"]+)\")?",
        lambda m: TableUnknown(
            f"Table '{m['name']}' doesn't exist",
            m["name"],
            (m["near"].split(".")[-1],) if m["near"] and "pg_" not in m["near"] else (),
        ),
    ),
    _rule(
        duckdb.CatalogException,
        r"Function with name \"?(?P<name>\S+?)\"? does not exist",
        lambda m: FunctionUnknown(f"FUNCTION {m['name']} does not exist"),
    ),
    _rule(
        duckdb.CatalogException,
        r"Schema with name (?P<name>\S+) does not exist",
        lambda m: DatabaseUnknown(f"Unknown database '{m['name']}'"),
    ),
    _rule(
        duckdb.CatalogException,
        r"with name \"(?P<name>[^\"]+)\" already exists",
        lambda m: AlreadyExists(f"Table '{m['name']}' already exists"),
    ),
    _rule(
        duckdb.CatalogException,
        r"Existing object (?P<name>\S+) is of type (?P<kind>\w+)",
        lambda m: AlreadyExists(f"'{m['name']}' is a {m['kind'].lower()}"),
    ),
    _rule(
        duckdb.DependencyException,
        r"Cannot (?P<text>[^\n!]*)",
        lambda m: InUse(f"Cannot {m['text'].strip()}"),
    ),
    _rule(
        duckdb.BinderException,
        r"Referenced column \"(?P<name>[^\"]+)\" (?:was )?not found",
        lambda m: ColumnUnknown(f"Unknown column '{m['name']}' in 'field list'"),
    ),
    _rule(
        duckdb.BinderException,
        r"Referenced table \"(?P<name>[^\"]+)\" not found",
        lambda m: TableUnknown(f"Unknown table '{m['name']}'"),
    ),
    _rule(
        duckdb.BinderException,
        r"does not have a column named \"(?P<name>[^\"]+)\"",
        lambda m: ColumnUnknown(f"Unknown column '{m['name']}' in 'field list'"),
    ),
    _rule(
        duckdb.BinderException,
        r"No function matches the given name and argument types '(?P<call>[^\n]*)'\.",
        lambda m: FunctionUnknown(f"No function fits {m['call']}"),
    ),
    _rule(
        duckdb.ConstraintException,
        r"(?:Duplicate key|violation: duplicate key) \"(?P<key>[^\n]*?)\"",
        lambda m: DuplicateKey(f"Duplicate entry '{m['key']}' for key 'PRIMARY'"),
    ),
    _rule(
        duckdb.ConstraintException,
        r"NOT NULL constraint failed: (?P<table>[^\n.]+)\.(?P<column>[^\n]+)",
        lambda m: NullViolation(f"Column '{m['column']}' cannot be null"),
    ),
    _rule(
        duckdb.ConstraintException,
        r"(?P<text>[^\n]*)",
        lambda m: ConstraintViolation(_words(m["text"])),
    ),
    _rule(duckdb.OutOfRangeException, r"(?P<text>[^\n]*)", lambda m: OutOfRange(_words(m["text"]))),
    _rule(
        duckdb.ConversionException,
        r"(?P<text>[^\n]*)",
        lambda m: ConversionFailed(_words(m["text"])),
    ),
    _rule(
        duckdb.InvalidInputException,
        r"(?P<text>[^\n]*)",
        lambda m: ConversionFailed(_words(m["text"])),
    ),
    _rule(
        duckdb.PermissionException,
        r"(?P<text>[^\n]*)",
        lambda m: NotPermitted(
            "Access to files, the network and the server's settings is not permitted"
        ),
    ),
    _rule(
        duckdb.OutOfMemoryException, r"(?P<text>[^\n]*)", lambda m: OutOfMemory(_words(m["text"]))
    ),
    _rule(
        duckdb.TransactionException,
        r"(?P<text>[^\n]*)",
        lambda m: TransactionFailed(_words(m["text"])),
    ),
    _rule(duckdb.Error, r"(?P<text>[^\n]*)", lambda m: StatementRejected(_words(m["text"]))),
)


def _words(text: str) -> str:
    """DuckDB's first line without its 'Binder Error: ' head."""
    return re.sub(r"^(?:[A-Z][\w ]* Error: )+", "", text).strip()


@contextmanager
def translated() -> Iterator[None]:
    """Raise DuckDB's errors inside as the catalog's. Interrupts pass: they are database.py's."""
    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise _translate(error) from error


def _translate(error: duckdb.Error) -> CatalogError:
    for kind, pattern, make in _RULES:
        if isinstance(error, kind) and (match := pattern.search(str(error))):
            return make(match)
    return StatementRejected("The statement was rejected")
