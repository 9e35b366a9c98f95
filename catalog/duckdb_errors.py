"""DuckDB's exceptions, translated to the catalog's own: once, here.

The texts are ours too: DuckDB's quote lines of SQL that the client never wrote.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from catalog import errors


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


# The first rule that fits decides. `{text}` is DuckDB's first line without its head.
_RULES: tuple[_Rule, ...] = (
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
        duckdb.ConstraintException,
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
_HEAD = re.compile(r"^(?:[A-Z]\w*(?: \w+)* Error: )+")
_NEAR = re.compile(r'Did you mean "(?:[^"]*\.)?(?!(?:duckdb|pg|sqlite|pragma)_)([^".]+)"')


@contextmanager
def translated() -> Iterator[None]:
    """Raise DuckDB's errors inside as the catalog's. Interrupts pass: they are database.py's."""
    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise _translate(error) from error


def _translate(error: duckdb.Error) -> errors.CatalogError:
    message = str(error)
    rule, match = next(  # the last rule fits all
        (rule, match)
        for rule in _RULES
        if isinstance(error, rule.kind) and (match := rule.pattern.search(message))
    )
    words = _HEAD.sub("", message.split("\n", 1)[0]).strip()
    text = rule.text.format(text=words, **match.groupdict())
    if rule.error is errors.TableUnknown:
        return errors.TableUnknown(text, match["name"], tuple(_NEAR.findall(message)))
    return rule.error(text)
