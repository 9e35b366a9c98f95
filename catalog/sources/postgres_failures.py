"""PostgreSQL's and libpq's texts as the catalog's errors.

The texts are English where the server's lc_messages is; those of another language are passed on as
they are, but for what libpq itself says. https://www.postgresql.org/docs/15/errcodes-appendix.html
"""

import re

from catalog import errors
from catalog.sources.failures import rule, told, unwrapped

_CONNECTING = re.compile(r'Unable to connect to Postgres at ".*?": (?P<text>.*)', re.DOTALL)
_SAID = re.compile(r"(?:^|\W )(?:ERROR|FATAL|PANIC):\s+(?P<text>.*)", re.DOTALL)
_WHERE = re.compile(r"^connection to server [^\n]*? failed: (?:FATAL: +)?")
_PART = re.compile(r"^(?P<name>DETAIL|HINT):\s+(?P<text>.*)$", re.MULTILINE)

_NAME = r'"(?P<name>[^"]+)"'
_REFUSED = (
    rule(
        r"authentication failed|^no password supplied|^role .* does not exist|no pg_hba\.conf entry"
        r"|^database .* does not exist|permission denied for database|is not permitted to log in"
        r"|rejects connection",
        errors.SourceDenied,
    ),
    rule(r"", errors.SourceUnreachable),
)
_RULES = (
    rule(
        r"^server closed the connection|^terminating connection|^no connection to the server"
        r"|^could not (?:send|receive) data|^the database system is|^SSL connection has been closed"
        r"|^SSL SYSCALL error|^connection to server|too many clients|^remaining connection slots",
        errors.SourceUnreachable,
    ),
    rule(
        rf"^(?:relation|table|view|materialized view) {_NAME} does not exist",
        errors.TableUnknown,
        "Table '{name}' doesn't exist",
    ),
    rule(
        r'^column "?(?P<name>[^" ]+)"?(?: of relation "[^"]+")? does not exist'
        r'(?:[^\0]*Perhaps you meant to reference the column "(?P<near>[^"]+)")?',
        errors.ColumnUnknown,
        "Unknown column '{name}' in 'field list'{near}",
    ),
    rule(
        rf"^column reference {_NAME} is ambiguous",
        errors.ColumnAmbiguous,
        "Column '{name}' in 'field list' is ambiguous",
    ),
    rule(rf"^column {_NAME} .*already exists|specified more than once", errors.ColumnExists),
    rule(
        rf"^(?:relation|type) {_NAME} already exists",
        errors.AlreadyExists,
        "Table '{name}' already exists",
    ),
    rule(rf"^schema {_NAME} does not exist", errors.DatabaseUnknown, "Unknown database '{name}'"),
    rule(r"^(?:function|operator|procedure) .*does not exist", errors.FunctionUnknown),
    rule(r"must appear in the GROUP BY", errors.NotGrouped),
    rule(r"aggregate functions are not allowed", errors.AggregateMisplaced),
    rule(
        r"^INSERT has more (?:expressions|target columns)|each \w+ query must have the same number",
        errors.ColumnCountMismatch,
    ),
    rule(r"^more than one row returned by a subquery", errors.SubqueryRows),
    rule(
        rf"^duplicate key value violates unique constraint {_NAME}"
        r"(?:\nKey \(.*?\)=\((?P<key>[^\n]*)\) already exists)?",
        errors.DuplicateKey,
        "Duplicate entry '{key}' for key '{name}'",
    ),
    rule(rf"^null value in column {_NAME}", errors.NullViolation, "Column '{name}' cannot be null"),
    # MySQL tells a row that others refer to from one that refers to others.
    rule(r"^update or delete on table .*violates foreign key", errors.InUse),
    rule(r"^insert or update on table .*violates foreign key", errors.ForeignKeyViolation),
    rule(r"violates (?:check|exclusion) constraint|^no partition of", errors.ConstraintViolation),
    rule(r"other objects depend on it", errors.InUse),
    rule(r"^value too long for type", errors.DataTooLong),
    rule(r"^division by zero", errors.DivisionByZero),
    rule(
        r"^invalid input syntax for type numeric: \"(?P<said>Out of range value for column .*)\"",
        errors.OutOfRange,
        "{said}",
    ),
    rule(r"out of range|^numeric field overflow", errors.OutOfRange),
    rule(r"^invalid (?:input|byte sequence|value)|cannot cast", errors.ConversionFailed),
    rule(r"^deadlock detected|^could not serialize access", errors.TransactionFailed),
    rule(r"^canceling statement due to lock timeout|^could not obtain lock", errors.LockTimeout),
    rule(r"^canceling statement due to statement timeout", errors.SourceTimeout),
    rule(r"^canceling statement|^canceling autovacuum", errors.SourceInterrupted),
    rule(r"in a read-only transaction|read only sql|during recovery", errors.SourceReadOnly),
    rule(r"^permission denied|^must be owner", errors.NotPermitted),
    rule(r"No space left on device|disk full", errors.SourceFull),
    rule(r"^out of (?:shared )?memory", errors.OutOfMemory),
    rule(r"^syntax error|^unterminated", errors.StatementRejected),
)


def failure(message: str) -> errors.CatalogError:
    """The error that a message, as DuckDB passes it on, says."""
    if match := _CONNECTING.search(message):
        text = _WHERE.sub("", unwrapped(match["text"]))
        return told(text.split("\n", 1)[0], _REFUSED)
    match = _SAID.search(message)
    return told(_lines(unwrapped(match["text"] if match else message)), _RULES)


def _lines(text: str) -> str:
    """The message, its detail and its hint: not the query, nor where in it."""
    parts = [f"{match['text']}" for match in _PART.finditer(text)]
    return "\n".join([text.split("\n", 1)[0].strip(), *parts])
