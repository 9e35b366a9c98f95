"""What is in a source: tables, columns, keys, defaults, indexes, as MySQL's users know them."""

from pathlib import Path

import pytest

from catalog.errors import TableUnknown
from catalog.sources.kind import IndexColumn
from tests.sources.room import Room, over, record
from tests.support.servers.server import Database

SHOP = """
CREATE TABLE customers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail text NOT NULL UNIQUE,
    city varchar(20) DEFAULT 'Berlin', joined timestamptz DEFAULT now(), note text
);
CREATE TABLE "Orders" (
    customer integer REFERENCES customers, line serial, price numeric(10,2), twice numeric
    GENERATED ALWAYS AS (price * 2) STORED, PRIMARY KEY (customer, line)
);
CREATE INDEX by_price ON "Orders" (price, lower(line::text));
CREATE UNIQUE INDEX some_notes ON customers (note) WHERE note <> '';
CREATE VIEW dear AS SELECT * FROM "Orders" WHERE price > 100;
CREATE MATERIALIZED VIEW cities AS SELECT DISTINCT city FROM customers;
CREATE TABLE parts (day date, n integer) PARTITION BY RANGE (day);
CREATE TABLE parts_2024 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO parts VALUES ('2024-06-01', 1);
CREATE SCHEMA stock;
CREATE TABLE stock.items (id integer);
"""
BAZAAR = """
CREATE TABLE customers (
    id int AUTO_INCREMENT PRIMARY KEY, mail varchar(50) NOT NULL UNIQUE,
    city varchar(20) DEFAULT 'Berlin', joined timestamp DEFAULT CURRENT_TIMESTAMP, note text
);
CREATE TABLE `Orders` (
    customer int, line int, price decimal(10,2), twice decimal(12,2) AS (price * 2) STORED,
    hidden int INVISIBLE, PRIMARY KEY (customer, line), KEY by_price (price, line)
);
CREATE VIEW dear AS SELECT * FROM `Orders` WHERE price > 100
"""


def columns(path: Path, database: Database, table: str) -> list[tuple[str | None, ...]]:
    """Of each column: name, MySQL's type, whether it may be NULL, key, default, extra."""

    async def asked(opened: Room) -> list[tuple[str | None, ...]]:
        found = await opened.sources.table(opened.record, table)
        return [
            (c.name, c.mysql_type, "YES" if c.nullable else "NO", c.key, c.default, c.extra)
            for c in found.columns
        ]

    made: list[tuple[str | None, ...]] = over(path, record(database), asked)
    return made


def indexes(path: Path, database: Database, table: str) -> list[IndexColumn]:
    async def asked(opened: Room) -> list[IndexColumn]:
        return list(await opened.sources.indexes(await opened.sources.table(opened.record, table)))

    made: list[IndexColumn] = over(path, record(database), asked)
    return made


def test_columns_of_postgresql(postgres: Database, tmp_path: Path) -> None:
    postgres.native(SHOP)
    assert columns(tmp_path, postgres, "customers") == [
        ("id", "int", "NO", "PRI", None, "auto_increment"),
        ("mail", "text", "NO", "UNI", None, ""),
        ("city", "varchar(20)", "YES", "", "Berlin", ""),
        ("joined", "timestamp(6)", "YES", "", "CURRENT_TIMESTAMP", ""),
        ("note", "text", "YES", "MUL", None, ""),
    ]


def test_columns_of_postgresql_whose_key_has_two(postgres: Database, tmp_path: Path) -> None:
    postgres.native(SHOP)
    assert columns(tmp_path, postgres, "orders") == [
        ("customer", "int", "NO", "PRI", None, ""),
        ("line", "int", "NO", "PRI", None, "auto_increment"),
        ("price", "decimal(10,2)", "YES", "MUL", None, ""),
        ("twice", "decimal(38,18)", "YES", "", None, "STORED GENERATED"),
    ]


def test_columns_of_mariadb(mariadb: Database, tmp_path: Path) -> None:
    mariadb.native(BAZAAR)
    assert columns(tmp_path, mariadb, "customers") == [
        ("id", "int(11)", "NO", "PRI", None, "auto_increment"),
        ("mail", "varchar(50)", "NO", "UNI", None, ""),
        ("city", "varchar(20)", "YES", "", "Berlin", ""),
        ("joined", "timestamp", "YES", "", "CURRENT_TIMESTAMP", ""),
        ("note", "text", "YES", "", None, ""),
    ]
    assert columns(tmp_path, mariadb, "ORDERS")[2:] == [
        ("price", "decimal(10,2)", "YES", "MUL", None, ""),
        ("twice", "decimal(12,2)", "YES", "", None, "STORED GENERATED"),
        ("hidden", "int(11)", "YES", "", None, "INVISIBLE"),
    ]


def test_indexes_of_postgresql(postgres: Database, tmp_path: Path) -> None:
    postgres.native(SHOP)
    assert indexes(tmp_path, postgres, "orders") == [
        IndexColumn("Orders", True, "PRIMARY", 1, "customer", False),
        IndexColumn("Orders", True, "PRIMARY", 2, "line", False),
        IndexColumn("Orders", False, "by_price", 1, "price", True),
        IndexColumn("Orders", False, "by_price", 2, "lower(line::text)", True),
    ]


def test_indexes_of_mariadb(mariadb: Database, tmp_path: Path) -> None:
    mariadb.native(BAZAAR)
    assert indexes(tmp_path, mariadb, "orders") == [
        IndexColumn("Orders", True, "PRIMARY", 1, "customer", False),
        IndexColumn("Orders", True, "PRIMARY", 2, "line", False),
        IndexColumn("Orders", False, "by_price", 1, "price", True),
        IndexColumn("Orders", False, "by_price", 2, "line", False),
    ]


def test_all_that_has_rows_is_a_table_of_postgresql(postgres: Database, tmp_path: Path) -> None:
    postgres.native(SHOP)

    async def asked(opened: Room) -> tuple[list[str], object]:
        rows = await opened.sources.tables(opened.record)
        found = await opened.sources.table(opened.record, "items", "STOCK")
        assert (found.schema, found.name) == ("stock", "items")
        return [f"{row[0]}.{row[1]} {row[2]}" for row in rows], await opened.ask(
            "SELECT n FROM parts"
        )

    names, rows = over(tmp_path, record(postgres), asked)
    assert names == [
        "public.Orders BASE TABLE",
        "public.cities VIEW",
        "public.customers BASE TABLE",
        "public.dear VIEW",
        "public.parts BASE TABLE",
        "public.parts_2024 BASE TABLE",
        "stock.items BASE TABLE",
    ]
    assert rows == [(1,)]


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_missing_table_is_told_with_a_near_one(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database: Database = request.getfixturevalue(kind)
    database.native("CREATE TABLE reviews (id integer)")

    async def asked(opened: Room) -> None:
        await opened.sources.table(opened.record, "review")

    known = r"^Table 'shop\.review' doesn't exist: did you mean 'reviews'\?$"
    with pytest.raises(TableUnknown, match=known):
        over(tmp_path, record(database), asked)


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_every_table_is_learnt_in_one_query(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database: Database = request.getfixturevalue(kind)
    database.native(";".join(f"CREATE TABLE t{n} (id integer, b text)" for n in range(50)))

    async def asked(opened: Room) -> int:
        await opened.sources.tables(opened.record)
        database.statements()
        tables = await opened.sources.all_tables(opened.record)
        for table in tables:
            assert await opened.sources.table(opened.record, table.name.upper()) == table
        return len(tables)

    assert over(tmp_path, record(database), asked) == 50
    word = {"postgres": "pg_attribute", "mariadb": "information_schema.COLUMNS"}[kind]
    assert len([s for s in database.statements() if word in s]) == 1


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_what_is_known_is_asked_again_after_refresh(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database: Database = request.getfixturevalue(kind)
    database.native("CREATE TABLE t (a integer)")

    async def asked(opened: Room) -> list[int]:
        counts = []
        for step in ("", "ALTER TABLE t ADD b integer", None):
            if step is None:
                opened.sources.refresh("SHOP")
            elif step:
                database.native(step)
            counts.append(len((await opened.sources.table(opened.record, "t")).columns))
        return counts

    assert over(tmp_path, record(database), asked) == [1, 1, 2]
