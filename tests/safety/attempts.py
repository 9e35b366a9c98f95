"""Attempts upon a real proxy over the wire, beside what is planted for an answer to give away."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from tests.support.proxy import ProxyProcess

SECRET = "do not read this"
PLANTED = "PLANTED_IN_THE_ENVIRONMENT"
UNMEANT = frozenset({1105, 2006, 2013})
"""Codes of errors that nobody wrote for the client, and of connections that are gone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a statement: its error, or with code 0 the text of its rows."""

    code: int
    text: str

    @property
    def is_refusal(self) -> bool:
        """Whether the client was told no, in an error that is meant for him."""
        return self.code != 0 and self.code not in UNMEANT

    @property
    def leaks(self) -> bool:
        """Whether what was planted is in it."""
        return SECRET in self.text


class Intruder:
    """A client of a proxy that has SECRET in a file beside its data, and in its environment."""

    def __init__(self, proxy: ProxyProcess, file: Path) -> None:
        self.proxy = proxy
        self.file = file
        self._client = proxy.connect(database="modelwire", autocommit=True, read_timeout=30)

    def attempt(self, sql: str) -> Outcome:
        """Run a statement; the connection stays."""
        with self._client.cursor() as cursor:
            try:
                cursor.execute(self._filled(sql))
                return Outcome(0, repr(cursor.fetchall()))
            except pymysql.MySQLError as error:
                return _refused(error)

    def attempt_prepared(self, sql: str) -> Outcome:
        """Prepare a statement on the server and execute it, by MySQL's binary protocol."""
        try:
            head = self._ask(0x16, self._filled(sql).encode())
            columns, parameters = struct.unpack("<HH", head[5:9])
            for count in (parameters, columns):
                for _ in range(count and count + 1):  # and the EOF behind them
                    self._client._read_packet()
            number = head[1:5]
            self._ask(0x17, number + b"\0\x01\0\0\0")
        except pymysql.MySQLError as error:
            return _refused(error)
        self._client.close()
        self._client = self.proxy.connect(database="modelwire", autocommit=True)
        return Outcome(0, "rows")

    def is_alive(self) -> bool:
        """Whether the connection still answers."""
        return self.attempt("SELECT 1") == Outcome(0, "((1,),)")

    def close(self) -> None:
        self._client.close()

    def _ask(self, command: int, body: bytes) -> bytes:
        self._client._execute_command(command, body)
        packet: Any = self._client._read_packet()
        return bytes(packet.get_all_data())

    def _filled(self, sql: str) -> str:
        return sql.replace("{file}", str(self.file)).replace("{planted}", PLANTED)


def _refused(error: pymysql.MySQLError) -> Outcome:
    code, text = (*error.args, "")[:2]
    return Outcome(int(code), str(text))
