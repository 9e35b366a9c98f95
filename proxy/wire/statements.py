"""The prepared statements of one connection: their ids, types and long data, all bounded.

What a statement says is the session's business.
"""

from dataclasses import dataclass, field

from proxy.errors import PacketTooLarge, TooManyParameters, TooManyPrepared, UnknownPrepared
from proxy.wire.charsets import Charset
from proxy.wire.handler import Parameter, Prepared
from proxy.wire.limits import Limits
from proxy.wire.parameters import ParameterType, parse_parameters
from proxy.wire.reader import Reader

_MOST_PARAMETERS = 0xFFFF


@dataclass(slots=True)
class Statement:
    """A prepared statement between its executions."""

    id: int
    prepared: Prepared
    types: tuple[ParameterType, ...] = ()
    long_data: dict[int, bytearray] = field(default_factory=dict)
    failure: PacketTooLarge | None = None
    """What SEND_LONG_DATA, which has no answer, could not say."""

    def bind(self, reader: Reader, charset: Charset) -> tuple[Parameter, ...]:
        """The values of one execution, from the packet and from long data."""
        if self.failure is not None:
            raise self.failure
        count = self.prepared.parameters
        long_data = {at: bytes(data) for at, data in self.long_data.items()}
        parameters = parse_parameters(reader, count, self.types, long_data, charset)
        self.types = parameters.types
        return parameters.values


class Statements:
    """By id; ids count up from 1 and are not used again."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._statements: dict[int, Statement] = {}
        self._last_id = 0
        self._held = 0

    def add(self, prepared: Prepared) -> Statement:
        """Raises TooManyPrepared and TooManyParameters."""
        most = self._limits.max_prepared_stmt_count
        if len(self._statements) >= most:
            raise TooManyPrepared(
                f"Can't create more than max_prepared_stmt_count statements (current value: {most})"
            )
        if prepared.parameters > _MOST_PARAMETERS:
            raise TooManyParameters("Prepared statement contains too many placeholders")
        self._last_id += 1
        statement = self._statements[self._last_id] = Statement(self._last_id, prepared)
        return statement

    def get(self, statement_id: int, command: str) -> Statement:
        """Raises UnknownPrepared in the name of `command`."""
        try:
            return self._statements[statement_id]
        except KeyError:
            raise UnknownPrepared(
                f"Unknown prepared statement handler ({statement_id}) given to {command}"
            ) from None

    def send_long_data(self, statement_id: int, parameter: int, data: bytes) -> None:
        """Keeps a piece of a value. All pieces of all statements together are bounded by
        max_allowed_packet; what does not fit fails the next execution. Unknown ids are ignored, as
        this command has no answer."""
        statement = self._statements.get(statement_id)
        if statement is None or parameter >= statement.prepared.parameters:
            return
        if self._held + len(data) > self._limits.max_allowed_packet:
            statement.failure = PacketTooLarge(
                "Parameter of prepared statement which is set through mysql_send_long_data() "
                "is longer than 'max_allowed_packet' bytes"
            )
            return
        self._held += len(data)
        statement.long_data.setdefault(parameter, bytearray()).extend(data)

    def forget_long_data(self, statement: Statement) -> None:
        """What was sent ahead counts for one execution."""
        self._held -= sum(map(len, statement.long_data.values()))
        statement.long_data.clear()
        statement.failure = None

    def close(self, statement_id: int) -> None:
        """Unknown ids are ignored, as this command has no answer."""
        statement = self._statements.pop(statement_id, None)
        if statement is not None:
            self.forget_long_data(statement)

    def clear(self) -> None:
        """Closes all."""
        self._statements.clear()
        self._held = 0
