"""What can go wrong in the catalog and in DuckDB, in this project's words.

database.py translates DuckDB's exceptions to these, once; proxy/errors.py gives each class a code.
"""


class CatalogError(Exception):
    """Root of this room's errors.

    CatalogError
    ├── names: DatabaseUnknown, DatabaseExists, DatabaseMissing, DatabaseProtected,
    │       DatabaseMisnamed, EngineUnknown, BudgetUnknown, JobUnknown, TableUnknown,
    │       VersionUnknown, DropUnknown, AlreadyExists, WrongKind, InUse, ColumnUnknown,
    │       ColumnExists, ColumnAmbiguous, AliasNotUnique,
    │       FunctionUnknown, TuningUnknown
    ├── shape: NotGrouped, AggregateMisplaced, ColumnCountMismatch, ColumnTwice, BranchesDiffer,
    │       OperandColumns, SubqueryRows
    ├── data: DuplicateKey, NullViolation, ForeignKeyViolation, ConstraintViolation,
    │       ConversionFailed, OutOfRange, DataTooLong, DivisionByZero
    ├── sources: SourceUnknown, SourceUnreachable, SourceDenied, SourceFailed, SourceTimeout,
    │       SourceInterrupted, SourceReadOnly, SourceFull, LockTimeout, OptionRejected,
    │       TwoTargets, FileBroken, FileGone, FileAttached
    ├── running: StatementRejected, TooComplex, TransactionFailed, NotPermitted, OutOfMemory
    └── start: SecretsLocked, CatalogLocked
    """


class DatabaseUnknown(CatalogError):
    """No database of that name."""


class DatabaseExists(CatalogError):
    """A database of that name is there already."""


class DatabaseMissing(CatalogError):
    """DROP names a database that is not there."""


class DatabaseProtected(CatalogError):
    """A database that is the proxy's own and cannot be made, changed or dropped."""


class DatabaseMisnamed(CatalogError):
    """A database cannot have that name."""


class EngineUnknown(CatalogError):
    """No ML engine of that name."""


class BudgetUnknown(CatalogError):
    """No budget of that name."""


class JobUnknown(CatalogError):
    """No job of that name."""


class TuningUnknown(CatalogError):
    """No fine-tuning of that model is running."""


class TableUnknown(CatalogError):
    """No table, view or model of that name. `table` is the bare name where DuckDB missed it,
    `near` the names that DuckDB finds similar."""

    def __init__(self, text: str, table: str | None = None, near: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.table = table
        self.near = near


class DropUnknown(CatalogError):
    """DROP names a table, view or model that is not there."""


class AlreadyExists(CatalogError):
    """A table, view, model or engine of that name is there already."""


class WrongKind(CatalogError):
    """A table where a view is meant, or the other way round."""


class VersionUnknown(CatalogError):
    """A model has no version of that number."""


class InUse(CatalogError):
    """It cannot be dropped while something depends on it."""


class ColumnUnknown(CatalogError):
    """No column of that name in reach."""


class ColumnExists(CatalogError):
    """A column of that name is there already."""


class ColumnAmbiguous(CatalogError):
    """A column that more than one table in reach has."""


class AliasNotUnique(CatalogError):
    """Two tables of one FROM go by the same name."""


class FunctionUnknown(CatalogError):
    """No function of that name, or none for these arguments."""


class NotGrouped(CatalogError):
    """A column that is neither grouped nor aggregated."""


class AggregateMisplaced(CatalogError):
    """An aggregate or window function where none may stand."""


class ColumnCountMismatch(CatalogError):
    """INSERT gives more or fewer values than there are columns."""


class BranchesDiffer(CatalogError):
    """The SELECTs of a UNION have different numbers of columns."""


class ColumnTwice(CatalogError):
    """INSERT names a column twice."""


class SubqueryRows(CatalogError):
    """A subquery that stands for a value has more than one row."""


class OperandColumns(CatalogError):
    """A subquery has more columns than its place takes."""


class DuplicateKey(CatalogError):
    """A primary or unique key holds that value already."""


class NullViolation(CatalogError):
    """NULL for a column that takes none."""


class ForeignKeyViolation(CatalogError):
    """A FOREIGN KEY constraint says no."""


class ConstraintViolation(CatalogError):
    """A CHECK constraint says no."""


class ConversionFailed(CatalogError):
    """A value does not fit the type it is needed in."""


class OutOfRange(CatalogError):
    """A number is too large or too small for its type."""


class StatementRejected(CatalogError):
    """DuckDB does not take the statement."""


class TooComplex(CatalogError):
    """The statement has more levels than DuckDB takes."""


class TransactionFailed(CatalogError):
    """The transaction cannot go on; it is to be rolled back."""


class NotPermitted(CatalogError):
    """The statement reaches for what clients must not reach."""


class OutOfMemory(CatalogError):
    """The statement needs more memory than it may have."""


class CatalogLocked(CatalogError):
    """Another server has the data directory open."""


class SecretsLocked(CatalogError):
    """A stored secret cannot be read with the key at hand."""


class SourceUnknown(CatalogError):
    """No data source, or kind of one, of that name."""


class SourceUnreachable(CatalogError):
    """A data source does not answer."""


class SourceDenied(CatalogError):
    """A data source refuses user, password or database."""


class SourceFailed(CatalogError):
    """A data source refused a statement, in its own words."""


class SourceTimeout(CatalogError):
    """A statement ran longer than its data source lets it."""


class SourceInterrupted(CatalogError):
    """Somebody ended the statement in its data source."""


class SourceReadOnly(CatalogError):
    """A data source takes no changes."""


class SourceFull(CatalogError):
    """A data source has no room left."""


class LockTimeout(CatalogError):
    """Somebody else's transaction holds what the statement needs."""


class DataTooLong(CatalogError):
    """A text is longer than its column."""


class DivisionByZero(CatalogError):
    """A data source does not divide by zero."""


class OptionRejected(CatalogError):
    """A parameter of a data source that is missing, unknown or of a wrong type."""


class TwoTargets(CatalogError):
    """A transaction changes tables of more than one database."""


class FileBroken(CatalogError):
    """A line of a file that is not what the file's columns want."""


class FileGone(CatalogError):
    """A file that was there when the statement began, and is no longer."""


class FileAttached(CatalogError):
    """The file of a data source is attached under another name, `name` of DuckDB's."""

    def __init__(self, text: str, name: str = "") -> None:
        super().__init__(text)
        self.name = name
