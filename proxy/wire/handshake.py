"""The packets of a login: the greeting that we send, the answers that we parse. No I/O here.

Every parse is bounded and raises MalformedPacket; nothing is believed before it is checked.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
"""

from dataclasses import dataclass, field

from mysql_mimic.charset import CharacterSet
from mysql_mimic.packets import make_handshake_v10
from mysql_mimic.types import Capabilities, ServerStatus

from proxy.errors import MalformedPacket
from proxy.wire.auth import CACHING_SHA2
from proxy.wire.charsets import Charset, of_collation
from proxy.wire.reader import Reader

CAPABILITIES = (
    Capabilities.CLIENT_LONG_PASSWORD
    | Capabilities.CLIENT_FOUND_ROWS
    | Capabilities.CLIENT_LONG_FLAG
    | Capabilities.CLIENT_CONNECT_WITH_DB
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
"""What we offer, and keep; CLIENT_SSL comes with a certificate.

https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
"""

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


def greeting(version: str, connection_id: int, nonce: bytes, capabilities: Capabilities) -> bytes:
    """HandshakeV10."""
    return make_handshake_v10(
        capabilities=capabilities,
        server_charset=CharacterSet.utf8mb4,
        server_version=version,
        connection_id=connection_id,
        auth_data=nonce + b"\0",
        status_flags=ServerStatus.SERVER_STATUS_AUTOCOMMIT,
        auth_plugin_name=CACHING_SHA2,
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
    reader.fixed(8)
    charset = of_collation(reader.unsigned(1))
    reader.fixed(23)
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
    return Introduction(user, token, plugin, charset.decode(database) or None, charset, attributes)


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
