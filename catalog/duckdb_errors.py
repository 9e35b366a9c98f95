"""DuckDB's exceptions, translated to the catalog's own: once, here.

The texts are ours too: DuckDB's quote lines of SQL that the client never wrote.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from catalog import errors
from catalog.sources.folders import Folders
from catalog.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class _Rule:
    """An exception of this kind whose first lines fit the pattern is this error with this text."""

    kind: type[duckdb.Error]
    pattern: re.Pattern[str]
    error: type[errors.CatalogError]
    text: str


def _rule(
    kind: type[duckdb.Error], pattern: str, error: type[errors.CatalogError], text: str = "{text}"
) -> _Rule:
    return _Rule(kind, re.compile(pattern), error, text)


_BROKEN_LINE = _rule(
    duckdb.Error,
    r"CSV Error on Line: (?P<line>\d+)\n(?:Original Line: [^\n]*\n)?(?P<why>[^\n]*)"
    r"(?s:.*?)\n\s+file = (?P<file>[^\n]*)",
    errors.FileBroken,
    "{file}, line {line}: {why}",
)
# What SQLite says of tables that are attached.
_SQLITE: tuple[_Rule, ...] = (
    _rule(
        duckdb.TypeMismatchException,
        r"Invalid type in column \"(?P<column>[^\"]+)\".*found \"(?P<value>[^\"]*)\" of type",
        errors.ConversionFailed,
        "Column '{column}' holds '{value}', which is not of the type declared: a larger "
        "sample_size of the database, or REFRESH DATABASE, lets it be read, but not changed",
    ),
    _rule(
        duckdb.Error,
        r"UNIQUE constraint failed: (?P<key>[^\n]+)",
        errors.DuplicateKey,
        "Duplicate entry for key '{key}'",
    ),
    _rule(duckdb.Error, r"^CHECK constraint failed", errors.ConstraintViolation),
    _rule(
        duckdb.Error,
        r"^Failed to execute query .*: (?:table|view|index) (?P<name>.+) already exists$",
        errors.AlreadyExists,
        "Table '{name}' already exists",
    ),
    _rule(
        duckdb.Error,
        r"^Failed to prepare query .*: no such column: (?i:rowid)$",
        errors.SourceReadOnly,
        "Rows of a table WITHOUT ROWID are read and added, not changed",
    ),
    _rule(
        duckdb.Error,
        r"database is locked",
        errors.LockTimeout,
        "Another process, or another statement, is writing to this SQLite database",
    ),
    _rule(
        duckdb.Error,
        r"readonly database",
        errors.SourceReadOnly,
        "The file of this database may not be written",
    ),
    _rule(
        duckdb.Error,
        r"file is not a database|is not a valid DuckDB database file",
        errors.SourceFailed,
        "The file is not a database of this kind",
    ),
    _rule(
        duckdb.Error,
        r"^Failed to (?:prepare|execute) query (?s:.*)\": (?P<said>[^\n]*)$",
        errors.SourceFailed,
        "{said}",
    ),
)
# The first rule that fits decides. `{text}` is DuckDB's first line without its head.
_RULES: tuple[_Rule, ...] = (
    *_SQLITE,
    _BROKEN_LINE,
    _rule(
        duckdb.IOException,
        r"No files found that match the pattern \"(?P<file>[^\"]+)\"",
        errors.FileGone,
        "The file '{file}' is gone",
    ),
    _rule(
        duckdb.BinderException,
        r"Unique file handle conflict.* attached by database \"(?P<name>@?(?P<source>[^\"]+))\"",
        errors.FileAttached,
        "The file is attached already, as '{source}'",
    ),
    _rule(
        duckdb.TransactionException,
        r"write to database \"@?(?P<to>[^\"]+)\" in a transaction that has already modified",
        errors.TwoTargets,
        "A transaction can change tables of one database alone: COMMIT before changing '{to}'",
    ),
    _rule(
        duckdb.Error,
        r"attached in read-only mode",
        errors.SourceReadOnly,
        "The database is attached read-only",
    ),
    _rule(
        duckdb.CatalogException,
        r"(?:Table|View) with name \"?(?P<name>[^\n]+?)\"? does not exist",
        errors.TableUnknown,
        "Table '{name}' doesn't exist",
    ),
    _rule(
        duckdb.CatalogException,
        r"Function with name \"?(?P<name>\S+?)\"? does not exist",
        errors.FunctionUnknown,
        "FUNCTION {name} does not exist",
    ),
    _rule(
        duckdb.CatalogException,
        r"Column with name (?P<name>\S+) already exists",
        errors.ColumnExists,
        "Duplicate column name '{name}'",
    ),
    _rule(
        duckdb.CatalogException,
        r"with name \"(?P<name>[^\"]+)\" already exists",
        errors.AlreadyExists,
        "Table '{name}' already exists",
    ),
    _rule(
        duckdb.CatalogException,
        r"Existing object (?P<name>\S+) is of type (?P<is>\w+), trying to \w+ type (?P<wanted>\w+)",
        errors.WrongKind,
        "'{name}' is not a {wanted} but a {is}",
    ),
    _rule(duckdb.DependencyException, r"", errors.InUse),
    _rule(
        duckdb.BinderException,
        r"Ambiguous reference to column name \"(?P<name>[^\"]+)\"",
        errors.ColumnAmbiguous,
        "Column '{name}' in 'field list' is ambiguous",
    ),
    _rule(
        duckdb.BinderException,
        r"duplicate alias \"(?P<name>[^\"]+)\"",
        errors.AliasNotUnique,
        "Not unique table/alias: '{name}'",
    ),
    _rule(
        duckdb.BinderException,
        r"Referenced (?:update )?column \"?(?P<name>[^\"\n]+?)\"? (?:was )?not found",
        errors.ColumnUnknown,
        "Unknown column '{name}' in 'field list'",
    ),
    _rule(
        duckdb.BinderException,
        r"does not have a column (?:named|with name) \"(?P<name>[^\"]+)\"",
        errors.ColumnUnknown,
        "Unknown column '{name}' in 'field list'",
    ),
    _rule(
        duckdb.BinderException,
        r"Referenced table \"(?P<name>[^\"]+)\" not found",
        errors.ColumnUnknown,
        "Unknown table '{name}'",
    ),
    _rule(
        duckdb.BinderException,
        r"No function matches the given name and argument types '(?P<call>[^\n]*?)'\.",
        errors.FunctionUnknown,
        "No function fits {call}",
    ),
    _rule(
        duckdb.BinderException,
        r"column \"?(?P<name>[^\"\s]+)\"? must appear in the GROUP BY",
        errors.NotGrouped,
        "'{name}' is neither in GROUP BY nor inside an aggregate function",
    ),
    _rule(
        duckdb.BinderException, r"cannot contain (?:aggregates|window)", errors.AggregateMisplaced
    ),
    _rule(
        duckdb.BinderException,
        r"has (?P<has>\d+) columns but (?P<given>\d+) values",
        errors.ColumnCountMismatch,
        "Column count doesn't match value count: {has} columns, {given} values",
    ),
    _rule(
        duckdb.BinderException,
        r"same number of result columns",
        errors.BranchesDiffer,
        "The used SELECT statements have a different number of columns",
    ),
    _rule(
        duckdb.BinderException,
        r"Subquery returns \d+ columns - expected (?P<wanted>\d+)",
        errors.OperandColumns,
        "Operand should contain {wanted} column(s)",
    ),
    _rule(
        duckdb.BinderException,
        r"Duplicate column name \"(?P<name>[^\"]+)\" in INSERT",
        errors.ColumnTwice,
        "Column '{name}' specified twice",
    ),
    _rule(
        duckdb.InvalidInputException,
        r"More than one row returned by a subquery",
        errors.SubqueryRows,
        "Subquery returns more than 1 row",
    ),
    _rule(
        duckdb.ConstraintException,
        r"[Dd]uplicate key \"(?:[^\":]+: )?(?P<key>[^\"\n]*)\"",
        errors.DuplicateKey,
        "Duplicate entry '{key}' for key 'PRIMARY'",
    ),
    _rule(
        duckdb.Error,
        r"NOT NULL constraint failed: [^\n]*\.(?P<column>[^\n.]+)",
        errors.NullViolation,
        "Column '{column}' cannot be null",
    ),
    _rule(duckdb.ConstraintException, r"foreign key", errors.ForeignKeyViolation),
    _rule(duckdb.ConstraintException, r"", errors.ConstraintViolation),
    _rule(duckdb.ConversionException, r"out of range", errors.OutOfRange),
    _rule(duckdb.OutOfRangeException, r"", errors.OutOfRange),
    _rule(duckdb.ConversionException, r"", errors.ConversionFailed),
    _rule(duckdb.InvalidInputException, r"", errors.ConversionFailed),
    _rule(
        duckdb.PermissionException,
        r"",
        errors.NotPermitted,
        "Access to files, the network and the server's settings is not permitted",
    ),
    _rule(duckdb.OutOfMemoryException, r"", errors.OutOfMemory),
    _rule(duckdb.TransactionException, r"", errors.TransactionFailed),
    _rule(
        duckdb.IOException,
        r"Could not set lock",
        errors.CatalogLocked,
        "Another server has this data directory open",
    ),
    _rule(
        duckdb.Error,  # from the parser or from the binder
        r"Max expression depth limit",
        errors.TooComplex,
        "The expression has too many levels; IN (…) takes long lists",
    ),
    _rule(duckdb.Error, r"", errors.StatementRejected),
)
_NONE = Folders()
_HEAD = re.compile(r"^(?:[A-Z]\w*(?: \w+)* Error: )+")
_NEAR = re.compile(r'Did you mean "(?:[^"]*\.)?(?!(?:duckdb|pg|sqlite|pragma)_)([^".]+)"')
_OFFERED = re.compile(r"^(?:Candidate bindings|Did you mean): .*$", re.MULTILINE)


@contextmanager
def translated(folders: Folders = _NONE) -> Iterator[None]:
    """Raise DuckDB's errors inside as the catalog's; they name files from `folders` on. Interrupts
    pass: they are database.py's."""
    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise _translate(error, folders) from error


def broken_line(message: str) -> errors.CatalogError | None:
    """What DuckDB says of a line of a CSV file, where it says it of one."""
    match = _BROKEN_LINE.pattern.search(message)
    return match and _BROKEN_LINE.error(_BROKEN_LINE.text.format(**match.groupdict()))


def _translate(error: duckdb.Error, folders: Folders) -> errors.CatalogError:
    message = folders.inside(str(error))
    rule, match = next(  # the last rule fits all
        (rule, match)
        for rule in _RULES
        if isinstance(error, rule.kind) and (match := rule.pattern.search(message))
    )
    words = _HEAD.sub("", message.split("\n", 1)[0]).strip()
    text = rule.text.format(text=words, **match.groupdict())
    if rule.error is errors.TableUnknown:
        return errors.TableUnknown(text, match["name"], tuple(_NEAR.findall(message)))
    if rule.error is errors.FileAttached:
        return errors.FileAttached(text, match["name"])
    if rule.error is errors.ColumnUnknown:
        text += did_you_mean(match["name"], _columns(message))
    return rule.error(text)


def _columns(message: str) -> list[str]:
    """The columns that DuckDB offers in the place of one; not those of our own making."""
    offered = _OFFERED.search(message)
    names = re.findall(r'"(?:[^"]*\.)?([^".]+)"', offered[0]) if offered else []
    return [name for name in names if not name.startswith("__")]
