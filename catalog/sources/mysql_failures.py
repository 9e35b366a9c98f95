"""MySQL's and MariaDB's texts as the catalog's errors: they are in MySQL's words already.

DuckDB passes on the text alone; where a query ends while its rows stream, not even that.
https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
"""

import re

from catalog import errors
from catalog.sources.failures import rule, told, unwrapped

_CONNECTING = re.compile(
    r'Failed to connect to MySQL database with parameters\s+".*?": (?P<text>.*?)'
    r"\.? (?:Attempted host: |First attempted host: ).*",
    re.DOTALL,
)
_SAID = re.compile(
    r'(?:Failed to \w+ (?:\w+ )*?query|PREPARE error, query:) ".*"(?::|, message:) ?(?P<text>.*)',
    re.DOTALL,
)
_SILENT = "The server ended the query while its rows were read, and did not say why"

_REFUSED = (
    rule(
        r"^Access denied|^Unknown database|is not allowed to connect|is blocked because of"
        r"|requires secure transport|^Authentication plugin|account is locked|password has expired",
        errors.SourceDenied,
    ),
    rule(r"", errors.SourceUnreachable),
)
_RULES = (
    rule(
        r"^Lost connection|server has gone away|^Can't connect|^Server shutdown|^Too many connect"
        r"|^Connection was killed",
        errors.SourceUnreachable,
    ),
    rule(r"^Unknown database", errors.DatabaseUnknown),
    rule(r"^Table '.*' doesn't exist|^Unknown table", errors.TableUnknown),
    rule(
        r"^Unknown column '(?P<name>[^']+)'",
        errors.ColumnUnknown,
        "Unknown column '{name}' in 'field list'",
    ),
    rule(r"^Column .* is ambiguous", errors.ColumnAmbiguous),
    rule(r"^Duplicate column name", errors.ColumnExists),
    rule(r"^Table .* already exists", errors.AlreadyExists),
    rule(r"^(?:FUNCTION|PROCEDURE) .* does not exist", errors.FunctionUnknown),
    rule(r"isn't in GROUP BY|nonaggregated column", errors.NotGrouped),
    rule(r"^Invalid use of group function", errors.AggregateMisplaced),
    rule(r"^Column count doesn't match", errors.ColumnCountMismatch),
    rule(r"^The used SELECT statements have a different number", errors.BranchesDiffer),
    rule(r"^Subquery returns more than 1 row", errors.SubqueryRows),
    rule(r"^Operand should contain", errors.OperandColumns),
    rule(r"^Duplicate entry", errors.DuplicateKey),
    rule(r"cannot be null$|^Field .* doesn't have a default value", errors.NullViolation),
    rule(r"^Cannot delete or update a parent row", errors.InUse),
    rule(r"^Cannot add or update a child row", errors.ForeignKeyViolation),
    rule(r"^CONSTRAINT .* failed for|^Check constraint .* is violated", errors.ConstraintViolation),
    rule(r"^Data too long", errors.DataTooLong),
    rule(r"^Division by 0", errors.DivisionByZero),
    rule(r"[Oo]ut of range", errors.OutOfRange),
    rule(r"^(?:Truncated )?[Ii]ncorrect .*value|^Data truncated", errors.ConversionFailed),
    rule(r"^Deadlock found|^Record has changed since last read", errors.TransactionFailed),
    rule(r"^Lock wait timeout", errors.LockTimeout),
    rule(r"max_statement_time exceeded|maximum statement execution time", errors.SourceTimeout),
    rule(r"^Query execution was interrupted", errors.SourceInterrupted),
    rule(r"--read-only|read[ -]only transaction|super-read-only", errors.SourceReadOnly),
    rule(r"command denied to user|^Access denied", errors.NotPermitted),
    rule(r"^The table .* is full|^Disk full|No space left on device", errors.SourceFull),
    rule(r"^Out of memory|^Out of sort memory", errors.OutOfMemory),
    rule(r"^You have an error in your SQL syntax", errors.StatementRejected),
)


def failure(message: str) -> errors.CatalogError:
    """The error that a message, as DuckDB passes it on, says."""
    if match := _CONNECTING.search(message):
        return told(match["text"].strip(), _REFUSED)
    match = _SAID.search(message)
    return told(unwrapped(match["text"] if match else message) or _SILENT, _RULES)
