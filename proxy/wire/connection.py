"""One client from its first byte to its last: login, then one command after the other.

What a command means is `conversation.py`'s business. A command runs in a task of its own, so that
it ends when it is killed, when the server stops, and when its client leaves.
"""

import asyncio
import logging

from mysql_mimic.types import Capabilities, Commands

from proxy.errors import (
    CODES,
    HandshakeFailed,
    IdleTimeout,
    InvalidText,
    Killed,
    MalformedPacket,
    PacketOutOfOrder,
    PacketTooLarge,
    ProxyError,
    SecureTransportRequired,
    ShuttingDown,
)
from proxy.wire import answers, auth, handshake
from proxy.wire.accounts import Account
from proxy.wire.channel import PeerGone
from proxy.wire.conversation import Conversation
from proxy.wire.dialect import Dialect
from proxy.wire.handler import Client
from proxy.wire.handshake import Introduction
from proxy.wire.house import House
from proxy.wire.stream import PacketStream

logger = logging.getLogger(__name__)

_NO_LOGIN = (MalformedPacket, InvalidText, PacketTooLarge, PacketOutOfOrder, TimeoutError)


class Connection:
    """`run` serves one client; `end` and `finish` stop that from outside."""

    def __init__(self, stream: PacketStream, house: House, host: str) -> None:
        self._stream = stream
        self._house = house
        self._host = host
        self._entry = house.processes.add(host, self._kill)
        self._capabilities = handshake.CAPABILITIES
        self._reports = False
        self._conversation: Conversation | None = None
        self._life: asyncio.Task[None] | None = None
        self._command: asyncio.Task[bool] | None = None
        self._ending: ProxyError | None = None

    async def run(self) -> None:
        """Serves the client until it leaves, is killed or errs beyond repair. Raises nothing; when
        cancelled, the client is gone at once. Its Handler is closed in any case."""
        try:
            async with asyncio.TaskGroup() as group:
                self._life = group.create_task(self._live())
            self._part()
        finally:
            await self._close_handler()
            self._house.processes.remove(self._entry)
            await self._stream.close()

    def end(self, reason: ProxyError) -> None:
        """Ends the connection now. A running command is cancelled and answered with `reason`."""
        self._ending = reason
        if self._command is not None:
            self._command.cancel()
        elif self._life is not None:
            self._life.cancel()

    def finish(self, reason: ProxyError) -> None:
        """Ends the connection as soon as no command runs."""
        self._ending = reason
        if self._command is None and self._life is not None:
            self._life.cancel()

    def _kill(self, query_only: bool) -> None:
        if not query_only:
            self.end(Killed("Connection was killed"))
        elif self._command is not None:
            self._command.cancel()

    async def _live(self) -> None:
        try:
            await self._log_in()
            while self._ending is None and await self._serve_one():
                pass
        except PeerGone:
            return
        except Exception as failure:
            self._refuse(failure)

    async def _log_in(self) -> None:
        try:
            async with asyncio.timeout(self._house.limits.connect_timeout):
                nonce = auth.make_nonce()
                self._greet(nonce)
                who = await self._introduction()
                self._conversation = await self._enter(who, nonce)
        except _NO_LOGIN as error:
            raise HandshakeFailed("Bad handshake") from error
        await self._welcome()

    def _greet(self, nonce: bytes) -> None:
        capabilities = handshake.CAPABILITIES
        if self._house.tls is not None:
            capabilities |= Capabilities.CLIENT_SSL
        version, connection_id = self._house.server_version, self._entry.connection_id
        self._stream.write(handshake.greeting(version, connection_id, nonce, capabilities))

    async def _introduction(self) -> Introduction:
        await self._stream.drain()
        packet = await self._stream.read()
        capabilities = handshake.client_capabilities(packet)
        if self._house.tls is not None and handshake.is_ssl_request(packet, capabilities):
            await self._stream.start_tls(self._house.tls)
            packet = await self._stream.read()
            capabilities = handshake.client_capabilities(packet)
        if self._house.limits.require_secure_transport and not self._stream.secure:
            raise SecureTransportRequired(
                "Connections using insecure transport are prohibited while "
                "--require_secure_transport=ON."
            )
        self._capabilities = capabilities
        who = handshake.parse_response(packet, capabilities)
        self._reports = who.reports
        return who

    async def _enter(self, who: Introduction, nonce: bytes | None) -> Conversation:
        """Lets the client in, to a Handler of its own."""
        account = await self._house.doorkeeper.admit(self._stream, who, self._host, nonce)
        handler = self._house.make_handler(self._house.processes)
        try:
            await handler.open(self._client(account, who))
        except BaseException:
            await handler.close()
            raise
        dialect = Dialect(self._capabilities, who.charset, self._reports)
        return Conversation(self._stream, handler, self._house, self._entry, dialect)

    def _client(self, account: Account, who: Introduction) -> Client:
        self._entry.user = account.user
        self._entry.database = who.database
        return Client(
            self._entry.connection_id,
            account.user,
            self._host,
            who.database,
            who.attributes,
            Capabilities.CLIENT_FOUND_ROWS in self._capabilities,
        )

    async def _welcome(self) -> None:
        assert self._conversation is not None
        self._stream.max_packet = self._house.limits.max_allowed_packet
        self._entry.enter("Sleep")
        self._conversation.greet()
        await self._stream.drain()

    async def _serve_one(self) -> bool:
        """Whether the client may go on."""
        assert self._conversation is not None
        packet = await self._next_command()
        if packet[:1] == _QUIT:
            return False
        if packet[:1] == _CHANGE_USER:
            await self._change_user(packet[1:])
            return True
        if self._conversation.take(packet):
            return True
        return await self._perform(self._conversation, packet)

    async def _next_command(self) -> bytes:
        assert self._conversation is not None
        self._stream.restart()
        try:
            return await self._stream.read(self._conversation.handler.wait_timeout)
        except TimeoutError as error:
            raise IdleTimeout(
                "The client was disconnected by the server because of inactivity. See wait_timeout "
                "and interactive_timeout for configuring this behavior."
            ) from error

    async def _perform(self, conversation: Conversation, packet: bytes) -> bool:
        if self._stream.gone:
            return False
        conversation.answered = False
        async with asyncio.TaskGroup() as group:
            task = self._command = group.create_task(self._answer(conversation, packet))
            self._stream.on_gone(task.cancel)
        self._stream.on_gone(None)
        self._command = None
        if self._stream.gone or not (task.cancelled() or task.result()):
            return False
        if task.cancelled() and not conversation.answered:
            await self._interrupted(conversation)
        if self._ending is None:
            await self._stream.drain()
        return not self._stream.lost

    async def _interrupted(self, conversation: Conversation) -> None:
        """The answer of a command that was cut off; it says why, so nothing else need do."""
        if self._ending is None:
            await conversation.skip_file()
        conversation.refuse(self._ending or Killed("Query execution was interrupted"))
        if self._ending is not None:
            self._ending = _TOLD

    async def _answer(self, conversation: Conversation, packet: bytes) -> bool:
        """Whether the client is there to read the answer."""
        try:
            await conversation.answer(packet)
        except PeerGone:
            return False
        return True

    async def _change_user(self, body: bytes) -> None:
        """A whole new login: the old Handler goes when the new one is open, and a failure is the
        end of the connection, as MySQL has it.

        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html
        """
        old = self._conversation
        assert old is not None
        self._entry.enter("Change user")
        try:
            async with asyncio.timeout(self._house.limits.connect_timeout):
                who = handshake.parse_change_user(body, self._capabilities, old.dialect.charset)
                self._conversation = await self._enter(who, None)
        except _NO_LOGIN as error:
            raise HandshakeFailed("Bad handshake") from error
        await old.handler.close()
        await self._welcome()

    def _part(self) -> None:
        """The last word of a server that stops."""
        if isinstance(self._ending, ShuttingDown) and not self._stream.gone:
            self._refuse(self._ending)

    def _refuse(self, failure: Exception) -> None:
        if type(failure) not in CODES:
            logger.error("connection %d failed", self._entry.connection_id, exc_info=failure)
        self._stream.write(answers.error(failure))
        self._stream.flush()

    async def _close_handler(self) -> None:
        if self._conversation is None:
            return
        try:
            await self._conversation.handler.close()
        except Exception:
            logger.exception("connection %d: close failed", self._entry.connection_id)


_QUIT = bytes([Commands.COM_QUIT])
_CHANGE_USER = bytes([Commands.COM_CHANGE_USER])

_TOLD = Killed("The client was told already")
