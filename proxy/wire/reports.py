"""MariaDB's progress reports: packets in front of an answer and between its rows, for clients that
said at login that they know them.

How far a statement is, its session says; who gets reports, the handshake says.
"""

import asyncio

from mysql_mimic.types import str_len, uint_1, uint_3

from proxy.wire.charsets import Charset
from proxy.wire.processes import Entry, Progress
from proxy.wire.stream import PacketStream

FIRST, EVERY = 0.5, 1.0
"""Seconds before the first report of a command, and between two."""

_LONGEST = 200
"""Characters of a report's text; MariaDB sends 193 bytes, and clients draw it on one line."""


class Reporter:
    """Sends reports of one connection's commands. Each is a whole packet that is written at once,
    so that it stands between others. A client that does not read gets none."""

    def __init__(self, stream: PacketStream, entry: Entry, charset: Charset) -> None:
        self._stream = stream
        self._entry = entry
        self._charset = charset
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """A command begins."""
        self._wait(FIRST)

    def stop(self) -> None:
        """Its answer is complete, or will never be: no report may follow. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._report)

    def _report(self) -> None:
        self._wait(EVERY)
        progress = self._entry.progress()
        if progress is not None and not self._stream.waiting:
            self._stream.write(report(progress, self._charset))
            self._stream.flush()


def report(progress: Progress, charset: Charset) -> bytes:
    """An error packet with a number that no error has; the percentage in thousandths.

    https://mariadb.com/kb/en/err_packet/ leaves out the number of texts in front, here 1, which
    clients expect: https://mariadb.com/kb/en/progress-reporting/
    """
    return b"".join(
        (
            b"\xff\xff\xff\x01",
            uint_1(min(progress.stage, 0xFF)),
            uint_1(min(max(progress.stage, progress.max_stage), 0xFF)),
            uint_3(round(1000 * progress.percent)),
            str_len(charset.encode(progress.text[:_LONGEST])),
        )
    )
