"""A DuckDB transaction as a context: all of it or nothing.

It translates no error and takes no lock.
"""

from types import TracebackType

import duckdb


class Transaction:
    """BEGIN, then COMMIT or, after an error, ROLLBACK."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._connection.commit()
        else:
            self._connection.rollback()
