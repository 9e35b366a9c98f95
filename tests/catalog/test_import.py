"""What importing the catalog leaves behind."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

TASKS = Path("/proc/self/task")

_COUNT = f"""
import os, duckdb
threads = [len(os.listdir("{TASKS}"))]
import catalog
print(*threads, len(os.listdir("{TASKS}")))
"""


@pytest.mark.skipif(not TASKS.exists(), reason="threads are counted in /proc")
def test_the_database_that_duckdb_opens_at_its_import_is_closed() -> None:
    ran = subprocess.run([sys.executable, "-c", _COUNT], capture_output=True, check=True, text=True)
    with_it, without = map(int, ran.stdout.split())
    assert with_it == _threads(), "catalog/__init__.py closes a database that nobody opened"
    assert without == 1


def _threads() -> int:
    """The threads that a database of DuckDB's takes, with the one that opened it."""
    with closing(duckdb.connect()) as connection:
        (found,) = connection.execute("SELECT current_setting('threads')").fetchall()[0]
    return int(found)
