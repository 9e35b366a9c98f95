"""A client that says exactly what it is told to, in whatever pieces."""

import hashlib
import socket
import struct
from contextlib import suppress
from typing import Any

from mysql_mimic.types import Capabilities

BASIC = (
    Capabilities.CLIENT_LONG_PASSWORD
    | Capabilities.CLIENT_PROTOCOL_41
    | Capabilities.CLIENT_SECURE_CONNECTION
    | Capabilities.CLIENT_PLUGIN_AUTH
    | Capabilities.CLIENT_TRANSACTIONS
    | Capabilities.CLIENT_MULTI_RESULTS
)


def native_token(password: str, nonce: bytes) -> bytes:
    def sha1(data: bytes) -> bytes:
        return hashlib.sha1(data).digest()

    one = sha1(password.encode())
    return bytes(a ^ b for a, b in zip(one, sha1(nonce + sha1(one)), strict=True))


def sha2_token(password: str, nonce: bytes) -> bytes:
    def sha256(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    one = sha256(password.encode())
    return bytes(a ^ b for a, b in zip(one, sha256(sha256(one) + nonce), strict=True))


def response(
    user: str = "alice",
    token: bytes = b"",
    plugin: bytes | None = b"mysql_native_password",
    *,
    database: str | None = None,
    capabilities: int = BASIC,
    collation: int = 255,
    mariadb: int = 0,
    attributes: dict[str, str] | None = None,
) -> bytes:
    if database is not None:
        capabilities |= Capabilities.CLIENT_CONNECT_WITH_DB
    if plugin is None:
        capabilities &= ~Capabilities.CLIENT_PLUGIN_AUTH
    if attributes is not None:
        capabilities |= Capabilities.CLIENT_CONNECT_ATTRS
    packet = struct.pack("<IIB19xI", capabilities, 1 << 24, collation, mariadb)
    packet += user.encode() + b"\0" + bytes([len(token)]) + token
    if database is not None:
        packet += database.encode() + b"\0"
    if plugin is not None:
        packet += plugin + b"\0"
    if attributes is not None:
        block = b"".join(_text(word) for item in attributes.items() for word in item)
        packet += bytes([len(block)]) + block
    return packet


def _text(word: str) -> bytes:
    return bytes([len(word)]) + word.encode()


class RawClient:
    def __init__(self, port: int, timeout: float = 5, receive_buffer: int | None = None) -> None:
        self.socket: Any = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.sequence = 0
        self.buffer = b""

    def close(self) -> None:
        self.socket.close()

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def frame(self, payload: bytes) -> bytes:
        data = (len(payload) | self.sequence << 24).to_bytes(4, "little") + payload
        self.sequence = (self.sequence + 1) & 0xFF
        return data

    def send(self, payload: bytes) -> None:
        self.send_bytes(self.frame(payload))

    def command(self, payload: bytes) -> None:
        self.sequence = 0
        self.send(payload)

    def ask(self, payload: bytes) -> bytes:
        self.command(payload)
        return self.read()

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            self.buffer += data
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def read(self) -> bytes:
        payload = b""
        while True:
            header = self.exactly(4)
            size = int.from_bytes(header[:3], "little")
            self.sequence = (header[3] + 1) & 0xFF
            payload += self.exactly(size)
            if size < 0xFFFFFF:
                return payload

    def drain(self) -> None:
        """Reads and forgets, until the connection ends."""
        with suppress(OSError):
            while self.socket.recv(1 << 16):
                pass

    def answer(self, *, deprecates_eof: bool = False) -> tuple[list[bytes], bytes]:
        """The rows and the last packet of one answer."""
        first = self.read()
        if first[0] in (0x00, 0xFF):
            return [], first
        definitions = [self.read() for _ in range(first[0])]
        assert all(definition.startswith(b"\x03def") for definition in definitions)
        if not deprecates_eof:
            assert self.read()[0] == 0xFE
        rows = []
        while (packet := self.read())[0] not in (0xFE, 0xFF) or len(packet) > 0xFFFF:
            rows.append(packet)
        return rows, packet

    def at_end(self) -> bool:
        """The server closed, and sent nothing before."""
        try:
            self.read()
        except (EOFError, ConnectionError):
            return True
        return False

    def greeting(self) -> bytes:
        """The nonce of the server's greeting."""
        packet = self.read()
        at = packet.index(b"\0", 1) + 1 + 4
        return packet[at : at + 8] + packet[at + 27 : at + 39]

    def log_in(self, user: str = "alice", password: str = "wonder land", **options: Any) -> bytes:
        """By mysql_native_password; returns the server's last packet."""
        self.greeting()
        self.send(response(user, b"", **options))
        switch = self.read()
        nonce = switch[switch.index(b"\0") + 1 :][:20]
        self.send(native_token(password, nonce) if password else b"")
        return self.read()


def error_code(packet: bytes) -> int:
    assert packet[:1] == b"\xff", packet
    return int.from_bytes(packet[1:3], "little")
