"""Cancels of what data sources run: asked for without waiting, each at most once at a time.

It knows nothing of how a source is told; whoever waits for the statement asks again until it ends.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from time import monotonic

from catalog.errors import CatalogError

AGAIN = 0.1
"""Seconds between two cancels of the same statement: the first can come before it runs."""
_THREADS = 8


class Cancels:
    """Cancels under way; `run` carries out what one consists of. Blocks no caller of `ask`."""

    def __init__(self, run: Callable[[Sequence[str]], None]) -> None:
        self._run = run
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="cancel")
        self._asked: dict[str, float] = {}
        self._lock = Lock()

    def ask(self, mark: str, statements: Callable[[], Sequence[str]]) -> None:
        """Cancel what bears the mark, unless that is being done. From any thread."""
        with self._lock:
            if mark in self._asked:
                return
            self._asked[mark] = monotonic()
        self._pool.submit(self._carry_out, mark, statements)

    def close(self) -> None:
        """Blocks until the last is done."""
        self._pool.shutdown()

    def _carry_out(self, mark: str, statements: Callable[[], Sequence[str]]) -> None:
        try:
            # A source that does not answer has nothing to be ended.
            from adbc_driver_manager import Error as AdbcError  # noqa: PLC0415 - see outside.py

            with suppress(AdbcError, CatalogError):
                self._run(statements())
        finally:
            with self._lock:
                del self._asked[mark]
