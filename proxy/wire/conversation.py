"""The command phase of one logged-in client: each command packet becomes calls of its Handler, and
their results become packets.

Who the client is, and when it must go, is `connection.py`'s business; so is the order of commands.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from mysql_mimic.types import Commands, ServerStatus, uint_2, uint_4

from proxy.errors import (
    CODES,
    EmptyQuery,
    LocalFilesOff,
    MalformedPacket,
    SyntaxFault,
    UnknownCommand,
    WrongParameters,
)
from proxy.result import ClientFile, Column, Done, Result, Rows
from proxy.wire import answers
from proxy.wire.channel import PeerGone
from proxy.wire.columns import column_definition
from proxy.wire.dialect import Dialect
from proxy.wire.handler import Handler
from proxy.wire.house import House
from proxy.wire.local_file import LocalFile
from proxy.wire.processes import Entry
from proxy.wire.reader import Reader
from proxy.wire.reports import Reporter
from proxy.wire.results import RowEncoder, as_binary, as_text, send_rows
from proxy.wire.statements import Statements
from proxy.wire.stream import PacketStream

logger = logging.getLogger(__name__)

_PARAMETER = Column("?")


class Conversation:
    """One client between its login and its end. `answered` tells whether the last command has its
    whole answer, so that nothing may follow it; whoever starts a command sets it to False."""

    def __init__(
        self,
        stream: PacketStream,
        handler: Handler,
        house: House,
        entry: Entry,
        dialect: Dialect,
    ) -> None:
        self.handler = handler
        self.dialect = dialect
        self.answered = False
        self._stream = stream
        self._processes = house.processes
        self._entry = entry
        self._several = dialect.several_statements
        self._statements = Statements(house.limits)
        self._file = LocalFile(stream, house.limits.net_read_timeout)
        self._reporter = Reporter(stream, entry, dialect.charset) if dialect.reports else None

    def greet(self) -> None:
        """The login is done."""
        self._finish(self._ok(Done()))

    def take(self, packet: bytes) -> bool:
        """Whether the packet was one of the commands that have no answer, and is dealt with."""
        command = _SILENT.get(packet[0]) if packet else None
        if command is None:
            return False
        try:
            command(self, Reader(packet[1:]))
        except MalformedPacket as error:
            logger.warning("connection %d: %s", self._entry.connection_id, error)
        return True

    async def answer(self, packet: bytes) -> None:
        """Answers one command, with ERR where the Handler raises. Raises PeerGone; may be cancelled
        between any two packets."""
        try:
            name, command = _COMMANDS.get(packet[0] if packet else -1, _UNKNOWN)
            self._entry.enter(name)
            if self._reporter is not None:
                self._reporter.start()
            await command(self, packet[1:])
        except PeerGone:
            raise
        except Exception as failure:
            self.refuse(failure)
        finally:
            self._stop_reports()
            self._entry.enter("Sleep")

    def refuse(self, failure: Exception) -> None:
        """ERR: the end of an answer. What nobody foresaw goes to the log, not to the client."""
        if type(failure) not in CODES:
            logger.error("connection %d failed", self._entry.connection_id, exc_info=failure)
        self._finish(answers.error(failure, self.dialect.charset))

    async def skip_file(self) -> None:
        """Read what is left of a file that the client is sending: it listens to no answer before.
        Raises PeerGone; may be cancelled."""
        await self._file.skip()

    async def _query(self, body: bytes) -> None:
        statements = self.handler.split(self.dialect.charset.decode(body))
        if not statements:
            raise EmptyQuery("Query was empty")
        if len(statements) > 1 and not self._several:
            raise SyntaxFault(
                "You have an error in your SQL syntax; this connection takes one statement at a "
                f"time, near '{statements[1][:80]}'"
            )
        for left, sql in zip(range(len(statements) - 1, -1, -1), statements, strict=True):
            self._processes.questions += 1
            await self._send(await self.handler.query(sql), as_text, more=left > 0)

    async def _process_info(self, body: bytes) -> None:
        await self._send(await self.handler.query("SHOW PROCESSLIST"), as_text)

    async def _ping(self, body: bytes) -> None:
        self._finish(self._ok(Done()))

    async def _init_db(self, body: bytes) -> None:
        database = self.dialect.charset.decode(body)
        await self.handler.use(database)
        self._processes.use(self._entry.connection_id, database)
        self._finish(self._ok(Done()))

    async def _field_list(self, body: bytes) -> None:
        reader = Reader(body)
        table = self.dialect.charset.decode(reader.terminated())
        wanted = _like(self.dialect.charset.decode(reader.rest()))
        columns = await self.handler.fields(table)
        self._stream.write_many(
            column_definition(column, self.dialect.charset, default=True)
            for column in columns
            if wanted.fullmatch(column.name)
        )
        self._finish(self._end())

    async def _statistics(self, body: bytes) -> None:
        uptime, questions = self._processes.uptime, self._processes.questions
        self._finish(
            f"Uptime: {uptime}  Threads: {len(self._processes)}  Questions: {questions}  "
            f"Slow queries: 0  Opens: 0  Flush tables: 0  Open tables: 0  "
            f"Queries per second avg: {questions / max(uptime, 1):.3f}".encode()
        )

    async def _process_kill(self, body: bytes) -> None:
        victim = Reader(body).unsigned(4)
        self._processes.kill(victim, query_only=False, by=self._entry.user or "")
        await asyncio.sleep(0)  # a client that kills itself is told so
        self._finish(self._ok(Done()))

    async def _set_option(self, body: bytes) -> None:
        """https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_set_option.html"""
        option = Reader(body).unsigned(2)
        if option not in (0, 1):
            raise UnknownCommand(f"Unknown option {option}")
        self._several = option == 0
        self._finish(self._end())

    async def _debug(self, body: bytes) -> None:
        self._finish(self._end())

    async def _reset_connection(self, body: bytes) -> None:
        await self.handler.reset()
        self._statements.clear()
        self._several = self.dialect.several_statements
        self._finish(self._ok(Done()))

    async def _prepare(self, body: bytes) -> None:
        statement = self._statements.add(self.handler.prepare(self.dialect.charset.decode(body)))
        count = statement.prepared.parameters
        columns = await self.handler.columns(statement.prepared)
        sizes = uint_2(len(columns)) + uint_2(count)
        self._stream.write(b"\0" + uint_4(statement.id) + sizes + b"\0" + uint_2(0))
        self._define([_PARAMETER] * count)
        self._define(columns)
        self.answered = True

    def _define(self, columns: Sequence[Column]) -> None:
        """One of the two lists of definitions behind PREPARE; one without any is left out."""
        if columns:
            charset = self.dialect.charset
            self._stream.write_many(column_definition(column, charset) for column in columns)
            if not self.dialect.deprecates_eof:
                self._stream.write(answers.eof(self._status()))

    async def _execute(self, body: bytes) -> None:
        """A cursor that is asked for is not opened: rows follow at once, as the protocol allows."""
        reader = Reader(body)
        statement = self._statements.get(reader.unsigned(4), "EXECUTE")
        reader.fixed(1)
        if reader.unsigned(4) != 1:
            raise WrongParameters("Incorrect arguments to EXECUTE: one iteration at a time")
        try:
            values = statement.bind(reader, self.dialect.charset)
        finally:
            self._statements.forget_long_data(statement)
        self._processes.questions += 1
        await self._send(await self.handler.execute(statement.prepared, values), as_binary)

    async def _statement_reset(self, body: bytes) -> None:
        statement = self._statements.get(Reader(body).unsigned(4), "RESET")
        self._statements.forget_long_data(statement)
        self._finish(self._ok(Done()))

    def _statement_close(self, reader: Reader) -> None:
        self._statements.close(reader.unsigned(4))

    def _send_long_data(self, reader: Reader) -> None:
        self._statements.send_long_data(reader.unsigned(4), reader.unsigned(2), reader.rest())

    async def _unknown(self, body: bytes) -> None:
        raise UnknownCommand("Unknown command")

    async def _send(self, result: Result, encode: RowEncoder, *, more: bool = False) -> None:
        if isinstance(result, ClientFile):
            result = await self._load(result)
        if isinstance(result, Rows):
            status = self._status(more=more)
            await send_rows(self._stream, result, encode, self.dialect, status)
            last = self._end(more=more)
        else:
            await asyncio.sleep(0)  # a client that kills itself is told so
            last = self._ok(result, more=more)
        self._finish(last, whole=not more)

    async def _load(self, wanted: ClientFile) -> Done:
        """What becomes of a file of the client's, which is read to its end whatever that is."""
        if not self.dialect.sends_files:
            raise LocalFilesOff(
                "Loading local data is disabled; this must be enabled on both the client and "
                "server sides: this client does not offer it (CLIENT_LOCAL_FILES)"
            )
        self._stop_reports()
        await self._file.ask(self.dialect.charset.encode(wanted.name))
        try:
            done = await wanted.load(self._file)
        except Exception:
            await self.skip_file()
            raise
        await self.skip_file()
        return done

    def _finish(self, packet: bytes, *, whole: bool = True) -> None:
        self._stream.write(packet)
        self.answered = whole
        if whole:
            self._stop_reports()

    def _stop_reports(self) -> None:
        if self._reporter is not None:
            self._reporter.stop()

    def _ok(self, done: Done, *, more: bool = False) -> bytes:
        warnings = self.handler.warning_count
        return answers.ok(done, self._status(more=more), warnings, self.dialect.charset)

    def _end(self, *, more: bool = False) -> bytes:
        warnings = self.handler.warning_count
        return answers.end(self.dialect, self._status(more=more), warnings)

    def _status(self, *, more: bool = False) -> ServerStatus:
        status = ServerStatus(0)
        if self.handler.autocommit:
            status |= ServerStatus.SERVER_STATUS_AUTOCOMMIT
        if self.handler.in_transaction:
            status |= ServerStatus.SERVER_STATUS_IN_TRANS
        if more:
            status |= ServerStatus.SERVER_MORE_RESULTS_EXISTS
        return status


def _like(pattern: str) -> re.Pattern[str]:
    """MySQL's LIKE, without escapes; an empty pattern matches all."""
    wild = {"%": ".*", "_": "."}
    return re.compile("".join(wild.get(c, re.escape(c)) for c in pattern or "%"), re.IGNORECASE)


_Answer: TypeAlias = Callable[[Conversation, bytes], Awaitable[None]]

_UNKNOWN: tuple[str, _Answer] = ("Error", Conversation._unknown)

_COMMANDS: dict[int, tuple[str, _Answer]] = {
    Commands.COM_QUERY: ("Query", Conversation._query),
    Commands.COM_PING: ("Ping", Conversation._ping),
    Commands.COM_INIT_DB: ("Init DB", Conversation._init_db),
    Commands.COM_FIELD_LIST: ("Field List", Conversation._field_list),
    Commands.COM_STATISTICS: ("Statistics", Conversation._statistics),
    Commands.COM_PROCESS_INFO: ("Processlist", Conversation._process_info),
    Commands.COM_PROCESS_KILL: ("Kill", Conversation._process_kill),
    Commands.COM_DEBUG: ("Debug", Conversation._debug),
    Commands.COM_SET_OPTION: ("Set option", Conversation._set_option),
    Commands.COM_RESET_CONNECTION: ("Reset Connection", Conversation._reset_connection),
    Commands.COM_STMT_PREPARE: ("Prepare", Conversation._prepare),
    Commands.COM_STMT_EXECUTE: ("Execute", Conversation._execute),
    Commands.COM_STMT_RESET: ("Reset stmt", Conversation._statement_reset),
}
"""By command byte: the name that SHOW PROCESSLIST shows, and what answers."""

_SILENT: dict[int, Callable[[Conversation, Reader], None]] = {
    Commands.COM_STMT_CLOSE: Conversation._statement_close,
    Commands.COM_STMT_SEND_LONG_DATA: Conversation._send_long_data,
}
