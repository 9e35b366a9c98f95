"""MySQL's system variables, as far as clients read and set them, and user variables.

Most of them change nothing here: they are kept so that a client finds again what it set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy.errors import ReadOnlyVariable, UnknownCharset, UnknownVariable, WrongVariableValue

VERSION = "8.0.40-modelwire"
"""What we answer as: clients choose their dialect by its beginning."""

VERSION_ID = 80_040
"""The same as version comments (`/*!80040 … */`) have it."""

Value = str | int | float | None

_READ_ONLY = frozenset(
    {
        "version",
        "version_comment",
        "version_compile_os",
        "version_compile_machine",
        "license",
        "hostname",
        "port",
        "socket",
        "protocol_version",
        "lower_case_table_names",
        "lower_case_file_system",
        "system_time_zone",
        "have_ssl",
        "performance_schema",
    }
)

# https://dev.mysql.com/doc/refman/8.0/en/server-system-variables.html
_DEFAULTS: dict[str, Value] = {
    "auto_increment_increment": 1,
    "auto_increment_offset": 1,
    "autocommit": 1,
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_database": "utf8mb4",
    "character_set_results": "utf8mb4",
    "character_set_server": "utf8mb4",
    "character_set_system": "utf8mb3",
    "collation_connection": "utf8mb4_0900_ai_ci",
    "collation_database": "utf8mb4_0900_ai_ci",
    "collation_server": "utf8mb4_0900_ai_ci",
    "connect_timeout": 10,
    "default_storage_engine": "DuckDB",
    "div_precision_increment": 4,
    "event_scheduler": "OFF",
    "foreign_key_checks": 1,
    "group_concat_max_len": 1024,
    "have_ssl": "YES",
    "hostname": "modelwire",
    "init_connect": "",
    "interactive_timeout": 28800,
    "license": "Apache-2.0",
    "local_infile": 1,
    "lower_case_file_system": 0,
    "lower_case_table_names": 2,
    "max_allowed_packet": 67108864,
    "max_connections": 151,
    "max_execution_time": 0,
    "max_prediction_calls": 0,
    "max_prediction_cost": 0.0,
    "max_prediction_seconds": 0.0,
    "net_buffer_length": 16384,
    "net_read_timeout": 30,
    "net_write_timeout": 60,
    "performance_schema": 0,
    "port": 3307,
    "prediction_cache": "on",
    "prediction_on_error": "null",
    "protocol_version": 10,
    "socket": "",
    "source_pushdown": 1,
    "sql_auto_is_null": 0,
    "sql_mode": "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
    "sql_notes": 1,
    "sql_quote_show_create": 1,
    "sql_safe_updates": 0,
    "sql_select_limit": 18446744073709551615,
    "sql_warnings": 0,
    "system_time_zone": "UTC",
    "time_zone": "SYSTEM",
    "transaction_isolation": "REPEATABLE-READ",
    "transaction_read_only": 0,
    "tx_isolation": "REPEATABLE-READ",
    "tx_read_only": 0,
    "unique_checks": 1,
    "version": VERSION,
    "version_comment": "modelwire",
    "version_compile_machine": "x86_64",
    "version_compile_os": "Linux",
    "wait_timeout": 28800,
}

_SWITCHES = frozenset(
    {
        "autocommit",
        "local_infile",
        "source_pushdown",
        "foreign_key_checks",
        "unique_checks",
        "sql_auto_is_null",
        "sql_notes",
        "sql_warnings",
        "sql_safe_updates",
        "transaction_read_only",
        "tx_read_only",
        "performance_schema",
        "sql_quote_show_create",
    }
)
PREDICTION_WORDS: Mapping[str, tuple[str, ...]] = {
    "prediction_cache": ("on", "off", "refresh", "only"),
    "prediction_on_error": ("null", "fail"),
}
"""What predictions are told by word, the usual first; USING says the same of one statement."""

_LEAST = {"wait_timeout": 1, "interactive_timeout": 1}
_MOST = 2**64 - 1
_GUARDS = frozenset({"max_prediction_calls", "max_prediction_cost", "max_prediction_seconds"})
_SWITCH_VALUES: dict[str, int] = {
    "on": 1,
    "off": 0,
    "true": 1,
    "false": 0,
    "1": 1,
    "0": 0,
}


def global_variables(overrides: Mapping[str, Value]) -> dict[str, Value]:
    """The server's own values: the defaults with what its settings say."""
    return _DEFAULTS | dict(overrides)


@dataclass(slots=True)
class Variables:
    """One client's variables over the server's."""

    server: dict[str, Value]
    session: dict[str, Value] = field(default_factory=dict)
    user: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session = dict(self.server)  # SET GLOBAL is for those who connect later

    def get(self, name: str, scope: str = "SESSION") -> Value:
        """The value of a system variable. Raises UnknownVariable."""
        key = name.lower()
        if key not in self.server:
            raise UnknownVariable(f"Unknown system variable '{name}'")
        return self.server[key] if scope == "GLOBAL" else self.session[key]

    def number(self, name: str) -> int:
        """The value of a numeric system variable."""
        return int(self.get(name) or 0)

    def set(self, name: str, value: Value, scope: str) -> None:
        """Set a system variable for this client; GLOBAL for those who connect later, too.

        Raises UnknownVariable, ReadOnlyVariable, WrongVariableValue, UnknownCharset.
        """
        known = self.get(name)
        if name in _READ_ONLY:
            raise ReadOnlyVariable(f"Variable '{name}' is a read only variable")
        checked = _checked(name, value, known)
        if scope == "GLOBAL":
            self.server[name] = checked
        else:
            self.session[name] = checked

    def default(self, name: str, scope: str) -> None:
        """SET name = DEFAULT. Raises UnknownVariable, ReadOnlyVariable."""
        value = self.get(name, "GLOBAL")
        if scope == "GLOBAL":
            self.set(name, _DEFAULTS[name], scope)
        else:
            self.session[name] = value

    def reset(self) -> None:
        """Forget all that this client set."""
        self.session = dict(self.server)
        self.user.clear()

    def shown(self, scope: str) -> list[tuple[str, str]]:
        """Name and value as SHOW VARIABLES prints them."""
        return [(name, _shown(name, self.get(name, scope))) for name in sorted(self.server)]


_CHARSETS = (
    *("utf8mb4", "utf8mb3", "utf8", "latin1", "ascii", "binary", "cp1252", "latin2", "latin5"),
    *("latin7", "ucs2", "utf16", "utf32", "cp1250", "cp1251", "cp1256", "cp1257", "cp850"),
    *("koi8r", "koi8u", "greek", "hebrew", "gbk", "gb2312", "gb18030", "big5", "sjis", "cp932"),
    *("ujis", "eucjpms", "euckr", "tis620"),
)


def _checked(name: str, value: Value, known: Value) -> Value:
    if name.startswith("character_set_") and value is not None:
        if str(value).lower() not in _CHARSETS:
            raise UnknownCharset(f"Unknown character set: '{value}'")
        return str(value).lower()
    if name in _SWITCHES:
        switch = _SWITCH_VALUES.get(str(value).lower())
        if switch is None:
            raise _wrong(name, value)
        return switch
    if name in PREDICTION_WORDS:
        word = "null" if value is None else str(value).lower()
        if word not in PREDICTION_WORDS[name]:
            raise _wrong(name, value)
        return word
    if name in _GUARDS:
        return _guard(name, value, known)
    if isinstance(known, int):
        try:
            return min(max(_LEAST.get(name, 0), int(value or 0)), _MOST)
        except ValueError:
            raise _wrong(name, value) from None
    return value


def _guard(name: str, value: Value, known: Value) -> Value:
    """A bound on what predictions may cost: a number from 0. What MySQL would clamp is refused,
    since it would end as 0, no bound at all."""
    try:
        number = int(str(value)) if isinstance(known, int) else float(str(value))
    except ValueError:
        raise _wrong(name, value) from None
    if not 0 <= number < _MOST:  # neither is NaN
        raise _wrong(name, value)
    return number


def _wrong(name: str, value: Value) -> WrongVariableValue:
    return WrongVariableValue(f"Variable '{name}' can't be set to the value of '{value}'")


def _shown(name: str, value: Value) -> str:
    if name in _SWITCHES:
        return "ON" if value else "OFF"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return "" if value is None else str(value)
