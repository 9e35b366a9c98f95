"""Which answers' keys may be in the table, so that an unknown key costs no query: a few are a set,
many a Bloom filter.

It never forgets a key and is sometimes wrong the other way; the table has the last word.
"""

from collections.abc import Iterable
from mmap import mmap

import duckdb

FEW = 4096
# 2^24 bits, 2 MB, and a few hundred keys would touch all of its pages. Three bits a key: of unknown
# keys 0.5 % pass at a million answers, 15 % at four million.
_BITS = 1 << 24
_MASK = _BITS - 1
_HALF = 24

# A key's text ends in its last 6 bytes as 12 hexadecimal digits.
_TAILS = "SELECT ('0x' || substring(key::VARCHAR, 25, 12))::BIGINT AS tail FROM answers"
_LOAD_FEW = f"{_TAILS} LIMIT {FEW + 1}"
# The same bits, made by DuckDB.
_LOAD = f"""
    SELECT bitstring_agg(bit, 0, {_MASK})::BLOB FROM (
        SELECT unnest([first, first + second, first + 2 * second])::INTEGER & {_MASK} AS bit FROM (
            SELECT tail >> {_HALF} AS first, tail & {_MASK} AS second FROM ({_TAILS})))
"""


class KnownKeys:
    """A set of 16-byte digests that may say yes to a key which is not there, never no to one that
    is. 1 microsecond a call."""

    def __init__(self, tails: Iterable[int] = (), bits: bytes | None = None) -> None:
        self._few = set(tails)
        self._bits = None if bits is None else _filter(bits)

    def __contains__(self, key: bytes) -> bool:
        bits = self._bits
        if bits is None:
            return _tail(key) in self._few
        return all(bits[bit >> 3] & (0x80 >> (bit & 7)) for bit in _bits_of(_tail(key)))

    def add(self, key: bytes) -> None:
        """Know that key from now on."""
        if self._bits is not None:
            _set(self._bits, _tail(key))
            return
        self._few.add(_tail(key))
        if len(self._few) > FEW:
            self._bits = _filter()
            for tail in self._few:
                _set(self._bits, tail)
            self._few.clear()


def load_known_keys(connection: duckdb.DuckDBPyConnection) -> KnownKeys:
    """The keys of the table. 0.2 s for a million."""
    tails = [tail for (tail,) in connection.execute(_LOAD_FEW).fetchall()]
    if len(tails) <= FEW:
        return KnownKeys(tails)
    ((bits,),) = connection.execute(_LOAD).fetchall()
    return KnownKeys(bits=bits)


def _filter(bits: bytes = b"") -> mmap:
    empty = mmap(-1, _BITS // 8)  # a bytearray would touch all of its pages
    empty.write(bits)
    return empty


def _set(bits: mmap, tail: int) -> None:
    for bit in _bits_of(tail):
        bits[bit >> 3] |= 0x80 >> (bit & 7)


def _tail(key: bytes) -> int:
    return int.from_bytes(key[10:], "big")


def _bits_of(tail: int) -> tuple[int, int, int]:
    first, second = tail >> _HALF, tail & _MASK
    return first & _MASK, (first + second) & _MASK, (first + 2 * second) & _MASK
