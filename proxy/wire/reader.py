"""Reads the fields of a packet, and never past its end.

It knows the protocol's data types and no packet; whatever does not fit is one error.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html
"""

import struct

from proxy.errors import MalformedPacket


class Reader:
    """A cursor over one packet. Every read raises MalformedPacket where the bytes run out.

    mysql-mimic 3.0.5 loops for ever in `types.read_str_null` when no NUL follows, hence this class
    (tests/wire/test_hostile_packets.py::test_a_user_name_without_its_nul_is_refused_at_once).
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes are not read yet."""
        return len(self._data) - self._at

    def fixed(self, size: int) -> bytes:
        """The next `size` bytes."""
        if size > self.left:
            raise MalformedPacket(f"Malformed packet: {size} bytes expected, {self.left} left")
        self._at += size
        return self._data[self._at - size : self._at]

    def rest(self) -> bytes:
        """All that is left."""
        return self.fixed(self.left)

    def terminated(self) -> bytes:
        """Bytes up to a NUL, which is consumed."""
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise MalformedPacket("Malformed packet: a text without its end")
        text = self._data[self._at : end]
        self._at = end + 1
        return text

    def unsigned(self, size: int) -> int:
        """A little-endian unsigned integer of `size` bytes."""
        return int.from_bytes(self.fixed(size), "little")

    def signed(self, size: int) -> int:
        """A little-endian signed integer of `size` bytes."""
        return int.from_bytes(self.fixed(size), "little", signed=True)

    def real(self, size: int) -> float:
        """An IEEE float of 4 or 8 bytes."""
        (value,) = struct.unpack("<f" if size == 4 else "<d", self.fixed(size))
        return float(value)

    def length(self) -> int:
        """A length-encoded integer."""
        first = self.unsigned(1)
        if first < 0xFB:
            return first
        if first not in _LENGTH_SIZES:
            raise MalformedPacket(f"Malformed packet: 0x{first:02X} begins no length")
        return self.unsigned(_LENGTH_SIZES[first])

    def prefixed(self) -> bytes:
        """Bytes behind their length-encoded size."""
        return self.fixed(self.length())


_LENGTH_SIZES = {0xFC: 2, 0xFD: 3, 0xFE: 8}
