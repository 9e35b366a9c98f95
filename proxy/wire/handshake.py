"""The packets of a login: the greeting that we send, the answers that we parse. No I/O here.

Every parse is bounded and raises MalformedPacket; nothing is believed before it is checked.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
"""

from dataclasses import dataclass, field

from mysql_mimic.types import Capabilities, ServerStatus, str_null, uint_1, uint_2, uint_4

from proxy.errors import MalformedPacket
from proxy.wire.auth import CACHING_SHA2
from proxy.wire.charsets import UTF8MB4, Charset, of_collation
from proxy.wire.reader import Reader

CAPABILITIES = (
    Capabilities.CLIENT_FOUND_ROWS
    | Capabilities.CLIENT_LONG_FLAG
    | Capabilities.CLIENT_CONNECT_WITH_DB
    | Capabilities.CLIENT_LOCAL_FILES
    | Capabilities.CLIENT_IGNORE_SPACE
    | Capabilities.CLIENT_PROTOCOL_41
    | Capabilities.CLIENT_INTERACTIVE
    | Capabilities.CLIENT_TRANSACTIONS
    | Capabilities.CLIENT_SECURE_CONNECTION
    | Capabilities.CLIENT_MULTI_STATEMENTS
    | Capabilities.CLIENT_MULTI_RESULTS
    | Capabilities.CLIENT_PS_MULTI_RESULTS
    | Capabilities.CLIENT_PLUGIN_AUTH
    | Capabilities.CLIENT_CONNECT_ATTRS
    | Capabilities.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
    | Capabilities.CLIENT_DEPRECATE_EOF
)
"""What we offer, and keep; CLIENT_SSL comes with a certificate. CLIENT_LONG_PASSWORD, which no
client asks for, is off as in MariaDB: it says that MariaDB's own capabilities follow.

https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
"""

MARIADB_PROGRESS = 1
"""Progress reports: the first of MariaDB's own capabilities (bit 32 of all), which stand at the end
of reserved bytes, in the greeting as in the client's answer.

https://mariadb.com/kb/en/connection/#capabilities
"""

_OLD_PROGRESS = Capabilities.CLIENT_CAPABILITY_EXTENSION
"""MariaDB's name for this bit is CLIENT_PROGRESS_OBSOLETE."""

_KNOWN = CAPABILITIES | Capabilities.CLIENT_SSL

_SSL_REQUEST_SIZE = 32


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who a client says that it is, at login or in COM_CHANGE_USER, and its first proof."""

    user: str
    token: bytes
    plugin: str | None
    database: str | None
    charset: Charset
    attributes: dict[str, str] = field(default_factory=dict)
    reports: bool = False
    """The client reads MariaDB's progress reports; COM_CHANGE_USER does not say."""


def greeting(version: str, connection_id: int, nonce: bytes, capabilities: Capabilities) -> bytes:
    """HandshakeV10, with MariaDB's own capabilities in its reserved bytes.

    https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
    """
    secret = nonce + b"\0"
    return b"".join(
        (
            uint_1(10),
            str_null(version.encode()),
            uint_4(connection_id),
            str_null(secret[:8]),
            uint_2(capabilities & 0xFFFF),
            uint_1(UTF8MB4.collation),
            uint_2(ServerStatus.SERVER_STATUS_AUTOCOMMIT),
            uint_2(capabilities >> 16),
            uint_1(len(secret)),
            bytes(6),
            uint_4(MARIADB_PROGRESS),
            secret[8:],
            str_null(CACHING_SHA2.encode()),
        )
    )


def client_capabilities(packet: bytes) -> Capabilities:
    """What the client asks for, of what we know. The packet may be an SSLRequest."""
    capabilities = Capabilities(Reader(packet).unsigned(4) & _KNOWN)
    if Capabilities.CLIENT_PROTOCOL_41 not in capabilities:
        raise MalformedPacket("Bad handshake: the client speaks a protocol older than 4.1")
    return capabilities


def is_ssl_request(packet: bytes, capabilities: Capabilities) -> bool:
    """An SSLRequest is a login answer that ends before the user's name."""
    return Capabilities.CLIENT_SSL in capabilities and len(packet) == _SSL_REQUEST_SIZE


def parse_response(packet: bytes, capabilities: Capabilities) -> Introduction:
    """HandshakeResponse41."""
    reader = Reader(packet)
    asked = reader.unsigned(4)
    reader.fixed(4)
    charset = of_collation(reader.unsigned(1))
    reader.fixed(19)
    mariadb = reader.unsigned(4)
    user = charset.decode(reader.terminated())
    if Capabilities.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA in capabilities:
        token = reader.prefixed()
    else:
        token = _token(reader, capabilities)
    database = b""
    if Capabilities.CLIENT_CONNECT_WITH_DB in capabilities:
        database = reader.terminated()
    plugin = _plugin(reader, capabilities)
    attributes = _attributes(reader, capabilities, charset)
    reports = _reads_reports(asked, mariadb, attributes)
    name = charset.decode(database) or None
    return Introduction(user, token, plugin, name, charset, attributes, reports)


def parse_change_user(body: bytes, capabilities: Capabilities, charset: Charset) -> Introduction:
    """COM_CHANGE_USER behind its command byte; `charset` is the connection's so far.

    https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html
    """
    reader = Reader(body)
    user = charset.decode(reader.terminated())
    token = _token(reader, capabilities)
    database = charset.decode(reader.terminated())
    if reader.left:
        charset = of_collation(reader.unsigned(2))
    plugin = _plugin(reader, capabilities) if reader.left else None
    attributes = _attributes(reader, capabilities, charset)
    return Introduction(user, token, plugin, database or None, charset, attributes)


def is_libmariadb(attributes: dict[str, str]) -> bool:
    """The client is built on MariaDB's Connector/C, as it says itself."""
    return attributes.get("_client_name") == "libmariadb"


def _reads_reports(asked: int, mariadb: int, attributes: dict[str, str]) -> bool:
    """Connector/C 3.2.6 and newer read MariaDB's capabilities of those servers alone that call
    themselves MariaDB; of others they ask for reports by the bit of old, which means something else
    to MySQL's clients. All since 3.0 understand them
    (tests/wire/test_mariadb_client.py::test_it_draws_progress)."""
    if not asked & Capabilities.CLIENT_LONG_PASSWORD and mariadb & MARIADB_PROGRESS:
        return True
    return bool(asked & _OLD_PROGRESS) and is_libmariadb(attributes)


def _token(reader: Reader, capabilities: Capabilities) -> bytes:
    if Capabilities.CLIENT_SECURE_CONNECTION in capabilities:
        return reader.fixed(reader.unsigned(1))
    return reader.terminated()


def _plugin(reader: Reader, capabilities: Capabilities) -> str | None:
    if Capabilities.CLIENT_PLUGIN_AUTH not in capabilities:
        return None
    return reader.terminated().decode("ascii", "replace")


def _attributes(reader: Reader, capabilities: Capabilities, charset: Charset) -> dict[str, str]:
    if Capabilities.CLIENT_CONNECT_ATTRS not in capabilities or not reader.left:
        return {}
    block = Reader(reader.prefixed())
    attributes = {}
    while block.left:
        key = charset.decode(block.prefixed())
        attributes[key] = charset.decode(block.prefixed())
    return attributes
