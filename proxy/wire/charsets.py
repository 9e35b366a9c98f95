"""The character sets that clients speak, by the collation ids of the login packet.

Only names and codecs: what SET NAMES may say is the session's business.
https://dev.mysql.com/doc/refman/8.0/en/charset-charsets.html
"""

from dataclasses import dataclass

from proxy.errors import InvalidText


@dataclass(frozen=True, slots=True)
class Charset:
    """A character set by MySQL's name; `collation` is the id that column definitions carry."""

    name: str
    codec: str
    collation: int

    def decode(self, data: bytes) -> str:
        """Raises InvalidText for bytes that are no text in this character set."""
        try:
            return data.decode(self.codec)
        except UnicodeDecodeError as error:
            wrong = data[error.start : error.start + 6].hex().upper()
            raise InvalidText(f"Invalid {self.name} character string: '{wrong}'") from error

    def encode(self, text: str) -> bytes:
        """What the character set does not have becomes `?`, as MySQL does."""
        return text.encode(self.codec, "replace")


UTF8MB4 = Charset("utf8mb4", "utf-8", 255)
UTF8MB3 = Charset("utf8mb3", "utf-8", 33)
BINARY = Charset("binary", "utf-8", 63)
LATIN1 = Charset("latin1", "cp1252", 8)
ASCII = Charset("ascii", "ascii", 11)

CHARSETS = {charset.name: charset for charset in (UTF8MB4, UTF8MB3, BINARY, LATIN1, ASCII)}

_COLLATIONS: dict[int, Charset] = {
    63: BINARY,
    **dict.fromkeys((11, 65), ASCII),
    **dict.fromkeys((5, 8, 15, 31, 47, 48, 49, 94), LATIN1),
    **dict.fromkeys((33, 76, 83, *range(192, 216), 223), UTF8MB3),
}


def of_collation(collation: int) -> Charset:
    """The character set that a collation id belongs to; utf8mb4 for ids that we do not know."""
    return _COLLATIONS.get(collation, UTF8MB4)
