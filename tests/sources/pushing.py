"""A small house with a source, and the same statement with and without pushdown."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from catalog.records import SourceRecord
from proxy.result import Cell
from tests.fixtures.house import SmallHouse, small_house
from tests.support.servers.server import Database

Answer: TypeAlias = tuple[list[tuple[str, int]], list[tuple[Cell, ...]]]


@contextmanager
def house_with(directory: Path, **databases: Database) -> Iterator[SmallHouse]:
    """A small house whose sources are these databases, by their names."""
    with small_house(directory) as house:
        for name, database in databases.items():
            told = database.names
            parameters = {key: told[key] for key in ("host", "user", "database")}
            record = SourceRecord(
                name,
                database.server.kind,
                {**parameters, "port": int(told["port"])},
                {"password": told["password"]},
                datetime(2026, 1, 1),
            )
            house.run(house.store.put_source(record))
        yield house


def answers(house: SmallHouse, sql: str) -> tuple[Answer | str, Answer | str]:
    """What a query answers pushed, and not pushed: columns and rows, or the kind of an error."""
    return _answer(house, sql, "ON"), _answer(house, sql, "OFF")


def _answer(house: SmallHouse, sql: str, pushdown: str) -> Answer | str:
    house.rows(f"SET source_pushdown = {pushdown}")
    try:
        columns, rows = house.table(sql)
    except Exception as error:
        return type(error).__name__
    finally:
        house.rows("SET source_pushdown = ON")
    return [(column.name, column.type) for column in columns], rows


def explained(house: SmallHouse, sql: str) -> list[str]:
    """The lines of EXPLAIN."""
    return [str(line) for (line,) in house.rows(f"EXPLAIN {sql}")]
