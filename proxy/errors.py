"""Every error that a client can see, with its one MySQL code and SQLSTATE.

Engines and catalog raise their own trees and know no codes; the table here has a row per class.
Codes: https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
"""

from dataclasses import dataclass

from catalog import errors as catalog
from engines import errors as engines
from engines.task import sound


class ProxyError(Exception):
    """Root of this room's errors.

    ProxyError
    ├── statement: SyntaxFault, Unsupported, EmptyQuery, TooDeep, UnknownColumn, AmbiguousColumn,
    │       MissingInput, WrongArgumentCount, UnknownVariable, WrongVariableValue, ReadOnlyVariable,
    │       UnknownCharset, NoDatabase, ReadOnlyTransaction, UserUnknown,
    │       WrongSchedule, NotReady, NotPreparable, LocalFilesOff, ServerFilesClosed,
    │       WrongTerminator, ViewVariable, ViewColumns, ViewInvalid, ViewRecursion, NotUpdatable
    ├── rows of a file: TooFewFields, TooManyFields, NullSupplied, IncorrectTime, DataTruncated,
    │       IncorrectJson
    ├── session: AccessDenied, TooManyConnections, HandshakeFailed, MalformedPacket, PacketTooLarge,
    │       PacketOutOfOrder, InvalidText, TooManyPrepared, TooManyParameters, UnknownCommand,
    │       UnknownPrepared, WrongParameters, SecureTransportRequired, IdleTimeout
    └── control: Killed, TimedOut, ShuttingDown, NoSuchThread, KillDenied, OverBudget
    """


class SyntaxFault(ProxyError):
    """The statement is not SQL that we know."""


class Unsupported(ProxyError):
    """The statement is understood, and not offered."""


class EmptyQuery(ProxyError):
    """The text holds no statement."""


class TooDeep(ProxyError):
    """The statement is nested deeper than our stack."""


class UnknownColumn(ProxyError):
    """A column that no table or model in reach has."""


class AmbiguousColumn(ProxyError):
    """A column that more than one table or model in reach has."""


class MissingInput(ProxyError):
    """A model is given some of its inputs and not this one."""


class WrongArgumentCount(ProxyError):
    """A model is called with too few arguments, or too many."""


class UnknownVariable(ProxyError):
    """No system variable of that name."""


class WrongVariableValue(ProxyError):
    """A system variable cannot have that value."""


class ReadOnlyTransaction(ProxyError):
    """A change in a transaction that was begun READ ONLY."""


class UnknownCharset(ProxyError):
    """No character set of that name."""


class ReadOnlyVariable(ProxyError):
    """A system variable that cannot be set."""


class NoDatabase(ProxyError):
    """No database is chosen."""


class UserUnknown(ProxyError):
    """No user of that name."""


class WrongSchedule(ProxyError):
    """When a job is to run makes no sense, or is never."""


class NotReady(ProxyError):
    """A version of a model that is not trained, or whose training failed."""


class NotPreparable(ProxyError):
    """A statement that cannot be prepared, as it asks the client for more than values."""


class LocalFilesOff(ProxyError):
    """A file of the client's is wanted, and the client does not send any, or may not."""


class ServerFilesClosed(ProxyError):
    """A statement asks for a file of the server's."""


class WrongTerminator(ProxyError):
    """What separates the fields of a file is not what it can be."""


class TooFewFields(ProxyError):
    """A row of a file has fewer fields than there are columns for them."""


class TooManyFields(ProxyError):
    """A row of a file has more fields than there are columns for them."""


class NullSupplied(ProxyError):
    """A row of a file has NULL for a column that takes none."""


class IncorrectTime(ProxyError):
    """A field is no date, time, or point in time."""


class DataTruncated(ProxyError):
    """A field is none of the values that its column may have."""


class IncorrectJson(ProxyError):
    """A field is no JSON."""


class ViewVariable(ProxyError):
    """A variable or a parameter in the SELECT of a view."""


class ViewColumns(ProxyError):
    """A view's SELECT has more or fewer columns than its list of names."""


class ViewInvalid(ProxyError):
    """A view reads what is not there any more."""


class ViewRecursion(ProxyError):
    """A view that reads itself."""


class NotUpdatable(ProxyError):
    """A change of the rows of a view."""


class AccessDenied(ProxyError):
    """Wrong user or password; the text does not tell which."""


class TooManyConnections(ProxyError):
    """max_connections is reached."""


class HandshakeFailed(ProxyError):
    """The login packets make no sense."""


class MalformedPacket(ProxyError):
    """A command packet makes no sense."""


class PacketTooLarge(ProxyError):
    """A packet is larger than max_allowed_packet."""


class PacketOutOfOrder(ProxyError):
    """A packet's sequence number is not the one that follows."""


class InvalidText(ProxyError):
    """Bytes that are no text in the client's character set."""


class TooManyPrepared(ProxyError):
    """max_prepared_stmt_count is reached."""


class TooManyParameters(ProxyError):
    """A prepared statement with more parameters than the protocol can count."""


class UnknownCommand(ProxyError):
    """A command byte that we do not serve."""


class UnknownPrepared(ProxyError):
    """No prepared statement has that id."""


class WrongParameters(ProxyError):
    """The number or kind of the bound parameters does not fit the statement."""


class SecureTransportRequired(ProxyError):
    """The server takes TLS connections only."""


class IdleTimeout(ProxyError):
    """The client was silent for longer than wait_timeout."""


class Killed(ProxyError):
    """The query or its connection was killed."""


class TimedOut(ProxyError):
    """The query ran longer than max_execution_time."""


class ShuttingDown(ProxyError):
    """The server is stopping."""


class NoSuchThread(ProxyError):
    """KILL names no connection."""


class KillDenied(ProxyError):
    """KILL names somebody else's connection."""


class OverBudget(ProxyError):
    """A call would take more than a budget, or the statement's own bound, has left."""


@dataclass(frozen=True, slots=True)
class MysqlCode:
    """The number and the five-character SQLSTATE of an ERR packet."""

    code: int
    sqlstate: str


CODES: dict[type[Exception], MysqlCode] = {
    SyntaxFault: MysqlCode(1064, "42000"),
    Unsupported: MysqlCode(1235, "42000"),
    EmptyQuery: MysqlCode(1065, "42000"),
    TooDeep: MysqlCode(1436, "HY000"),
    UnknownColumn: MysqlCode(1054, "42S22"),
    AmbiguousColumn: MysqlCode(1052, "23000"),
    MissingInput: MysqlCode(1364, "HY000"),
    WrongArgumentCount: MysqlCode(1582, "42000"),
    UnknownVariable: MysqlCode(1193, "HY000"),
    WrongVariableValue: MysqlCode(1231, "42000"),
    ReadOnlyTransaction: MysqlCode(1792, "25006"),
    UnknownCharset: MysqlCode(1115, "42000"),
    ReadOnlyVariable: MysqlCode(1238, "HY000"),
    NoDatabase: MysqlCode(1046, "3D000"),
    UserUnknown: MysqlCode(3162, "HY000"),
    WrongSchedule: MysqlCode(1210, "HY000"),
    NotReady: MysqlCode(1430, "HY000"),
    NotPreparable: MysqlCode(1295, "HY000"),
    LocalFilesOff: MysqlCode(3948, "42000"),
    ServerFilesClosed: MysqlCode(1290, "HY000"),
    WrongTerminator: MysqlCode(1083, "42000"),
    TooFewFields: MysqlCode(1261, "01000"),
    TooManyFields: MysqlCode(1262, "01000"),
    NullSupplied: MysqlCode(1263, "22004"),
    IncorrectTime: MysqlCode(1292, "22007"),
    DataTruncated: MysqlCode(1265, "01000"),
    IncorrectJson: MysqlCode(3140, "22032"),
    ViewVariable: MysqlCode(1351, "HY000"),
    ViewColumns: MysqlCode(1353, "HY000"),
    ViewInvalid: MysqlCode(1356, "HY000"),
    ViewRecursion: MysqlCode(1462, "HY000"),
    NotUpdatable: MysqlCode(1288, "HY000"),
    AccessDenied: MysqlCode(1045, "28000"),
    TooManyConnections: MysqlCode(1040, "08004"),
    HandshakeFailed: MysqlCode(1043, "08S01"),
    MalformedPacket: MysqlCode(1835, "HY000"),
    PacketTooLarge: MysqlCode(1153, "08S01"),
    PacketOutOfOrder: MysqlCode(1156, "08S01"),
    InvalidText: MysqlCode(1300, "HY000"),
    TooManyPrepared: MysqlCode(1461, "42000"),
    TooManyParameters: MysqlCode(1390, "HY000"),
    UnknownCommand: MysqlCode(1047, "08S01"),
    UnknownPrepared: MysqlCode(1243, "HY000"),
    WrongParameters: MysqlCode(1210, "HY000"),
    SecureTransportRequired: MysqlCode(3159, "HY000"),
    IdleTimeout: MysqlCode(4031, "HY000"),
    Killed: MysqlCode(1317, "70100"),
    TimedOut: MysqlCode(3024, "HY000"),
    ShuttingDown: MysqlCode(1053, "08S01"),
    NoSuchThread: MysqlCode(1094, "HY000"),
    KillDenied: MysqlCode(1095, "HY000"),
    OverBudget: MysqlCode(1226, "42000"),
    engines.HandlerUnknown: MysqlCode(1286, "42000"),
    engines.HandlerUnavailable: MysqlCode(1286, "42000"),
    engines.OptionError: MysqlCode(1210, "HY000"),
    engines.DatasetRejected: MysqlCode(1366, "HY000"),
    engines.EndpointUnreachable: MysqlCode(1429, "HY000"),
    engines.EndpointTimeout: MysqlCode(3024, "HY000"),
    engines.RateLimited: MysqlCode(1226, "42000"),
    engines.NotCached: MysqlCode(1430, "HY000"),
    engines.AnswerCutOff: MysqlCode(1265, "01000"),
    engines.EndpointFailed: MysqlCode(1430, "HY000"),
    engines.AuthenticationFailed: MysqlCode(1430, "HY000"),
    engines.ModelNotServed: MysqlCode(1430, "HY000"),
    engines.NotTunable: MysqlCode(1430, "HY000"),
    engines.JobUnknown: MysqlCode(1430, "HY000"),
    engines.ContextOverflow: MysqlCode(1430, "HY000"),
    engines.BadReply: MysqlCode(1430, "HY000"),
    catalog.DatabaseUnknown: MysqlCode(1049, "42000"),
    catalog.DatabaseExists: MysqlCode(1007, "HY000"),
    catalog.DatabaseMissing: MysqlCode(1008, "HY000"),
    catalog.DatabaseProtected: MysqlCode(1044, "42000"),
    catalog.DatabaseMisnamed: MysqlCode(1102, "42000"),
    catalog.EngineUnknown: MysqlCode(1286, "42000"),
    catalog.SourceUnknown: MysqlCode(1286, "42000"),
    catalog.SourceUnreachable: MysqlCode(1429, "HY000"),
    catalog.SourceDenied: MysqlCode(1429, "HY000"),
    catalog.SourceFailed: MysqlCode(1296, "HY000"),
    catalog.SourceTimeout: MysqlCode(3024, "HY000"),
    catalog.SourceInterrupted: MysqlCode(1317, "70100"),
    catalog.SourceReadOnly: MysqlCode(1290, "HY000"),
    catalog.SourceFull: MysqlCode(1021, "HY000"),
    catalog.LockTimeout: MysqlCode(1205, "HY000"),
    catalog.DataTooLong: MysqlCode(1406, "22001"),
    catalog.DivisionByZero: MysqlCode(1365, "22012"),
    catalog.OptionRejected: MysqlCode(1210, "HY000"),
    catalog.FileAttached: MysqlCode(1429, "HY000"),
    catalog.FileBroken: MysqlCode(1366, "HY000"),
    catalog.FileGone: MysqlCode(1146, "42S02"),
    catalog.TwoTargets: MysqlCode(1235, "42000"),
    # ER_SP_DOES_NOT_EXIST, '%s %s does not exist': MySQL's for whatever has no code of its own, a
    # SAVEPOINT too.
    catalog.BudgetUnknown: MysqlCode(1305, "42000"),
    catalog.JobUnknown: MysqlCode(1539, "HY000"),  # ER_EVENT_DOES_NOT_EXIST
    catalog.TuningUnknown: MysqlCode(1305, "42000"),
    catalog.TableUnknown: MysqlCode(1146, "42S02"),
    catalog.VersionUnknown: MysqlCode(1146, "42S02"),
    catalog.DropUnknown: MysqlCode(1051, "42S02"),
    catalog.AlreadyExists: MysqlCode(1050, "42S01"),
    catalog.InUse: MysqlCode(1451, "23000"),
    catalog.WrongKind: MysqlCode(1347, "HY000"),
    catalog.ColumnExists: MysqlCode(1060, "42S21"),
    catalog.ColumnAmbiguous: MysqlCode(1052, "23000"),
    catalog.AliasNotUnique: MysqlCode(1066, "42000"),
    catalog.NotGrouped: MysqlCode(1055, "42000"),
    catalog.AggregateMisplaced: MysqlCode(1111, "HY000"),
    catalog.ColumnCountMismatch: MysqlCode(1136, "21S01"),
    catalog.BranchesDiffer: MysqlCode(1222, "21000"),
    catalog.ColumnTwice: MysqlCode(1110, "42000"),
    catalog.SubqueryRows: MysqlCode(1242, "21000"),
    catalog.OperandColumns: MysqlCode(1241, "21000"),
    catalog.ForeignKeyViolation: MysqlCode(1452, "23000"),
    catalog.CatalogLocked: MysqlCode(1015, "HY000"),
    catalog.SecretsLocked: MysqlCode(3185, "HY000"),
    catalog.StatementRejected: MysqlCode(1064, "42000"),
    catalog.ColumnUnknown: MysqlCode(1054, "42S22"),
    catalog.FunctionUnknown: MysqlCode(1305, "42000"),
    catalog.DuplicateKey: MysqlCode(1062, "23000"),
    catalog.NullViolation: MysqlCode(1048, "23000"),
    catalog.ConstraintViolation: MysqlCode(3819, "HY000"),
    catalog.ConversionFailed: MysqlCode(1366, "HY000"),
    catalog.OutOfRange: MysqlCode(1264, "22003"),
    catalog.TooComplex: MysqlCode(1436, "HY000"),
    catalog.TransactionFailed: MysqlCode(1213, "40001"),
    catalog.NotPermitted: MysqlCode(1142, "42000"),
    catalog.OutOfMemory: MysqlCode(1038, "HY001"),
}

ERRORS = (ProxyError, catalog.CatalogError, engines.EngineError)
"""The roots of the three trees: all that a client may be told of."""

UNKNOWN = MysqlCode(1105, "HY000")
UNKNOWN_TEXT = "Internal error; the server's log has the details"


def code_of(error: Exception) -> MysqlCode:
    """The code of an error of our three trees, a plug-in's own that of the class it derives from;
    UNKNOWN for anything else."""
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), UNKNOWN)


def text_of(error: Exception) -> str:
    """The message that a client may read: our own words, or a fixed text for the unforeseen."""
    return UNKNOWN_TEXT if code_of(error) is UNKNOWN else sound(str(error))
