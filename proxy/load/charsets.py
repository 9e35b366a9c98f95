"""The character sets that files may be written in, by MySQL's names, as Python's codecs.

What clients speak on the wire is proxy/wire/charsets.py's business.
https://dev.mysql.com/doc/refman/8.0/en/charset-charsets.html
"""

import codecs

from catalog.suggest import did_you_mean
from proxy.errors import UnknownCharset, Unsupported

_CODECS = {
    **dict.fromkeys(("utf8mb4", "utf8mb3", "utf8", "binary"), "utf-8"),
    **{name: name for name in ("ascii", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852")},
    **{name: name for name in ("cp866", "cp932", "gbk", "gb2312", "gb18030", "big5")},
    "latin1": "cp1252",
    "latin2": "iso8859-2",
    "latin5": "iso8859-9",
    "latin7": "iso8859-13",
    "greek": "iso8859-7",
    "hebrew": "iso8859-8",
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "tis620": "tis-620",
    "sjis": "shift_jis",
    "ujis": "euc_jp",
    "eucjpms": "euc_jp",
    "euckr": "euc_kr",
}
_NOT_FOR_FILES = ("ucs2", "utf16", "utf16le", "utf32")

UNSOUND = "surrogateescape"
"""How bytes that are no text are carried along, until it is known what column they are for."""


def codec_of(charset: str) -> str:
    """The codec of a character set. Raises UnknownCharset, and Unsupported for those that MySQL
    takes no files in either."""
    if charset in _NOT_FOR_FILES:
        raise Unsupported(f"LOAD DATA of a file in the character set {charset} is not supported")
    try:
        return _CODECS[charset]
    except KeyError:
        hint = did_you_mean(charset, _CODECS)
        raise UnknownCharset(f"Unknown character set: '{charset}'{hint}") from None


def decoder_of(codec: str) -> codecs.IncrementalDecoder:
    """What makes text of bytes that come in pieces; it refuses none."""
    return codecs.getincrementaldecoder(codec)(UNSOUND)
