"""Every DuckDB type: its column definition and its value in MySQL's text form."""

import asyncio
from collections.abc import Iterator

import pytest
from sqlglot import exp, parse_one

from catalog.database import Database, Field
from proxy.execute.columns import as_text, column_of, mysql_type_name
from proxy.result import Cell, Column, FieldType
from proxy.sql.mysql_to_duckdb import to_duckdb
from tests.fixtures import cases


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    directory = tmp_path_factory.mktemp("columns")
    database = Database(directory / "d", spill_dir=directory / "s", memory_limit="200MB")
    yield database
    database.close()


def answer(sql: str, database: Database) -> tuple[list[Field], list[tuple[Cell, ...]]]:
    """The fields and the text of a query in DuckDB's own SQL."""
    query = parse_one(sql, dialect="duckdb")
    assert isinstance(query, exp.Query)

    async def run() -> tuple[list[Field], list[tuple[Cell, ...]]]:
        cursor = database.cursor()
        try:
            fields = await cursor.describe(sql)
            return fields, await cursor.execute(to_duckdb(as_text(query, fields)))
        finally:
            await cursor.close()

    return asyncio.run(run())


def definition(column: Column) -> str:
    unsigned = " unsigned" if column.unsigned else ""
    return f"{column.type.name}({column.length},{column.decimals}){unsigned}"


@cases.every("columns")
def test_type_and_text(case: cases.Case, database: Database, accept: bool) -> None:
    (field,), ((value,),) = answer(case.sql, database)
    seen = f"{definition(column_of(field))} {mysql_type_name(field.type)}: {value!r}"
    assert [seen] == cases.expected(case, seen, accept)


@pytest.mark.parametrize("type_", ["BOOLEAN", "DOUBLE", "VARCHAR", "BLOB", "INTEGER[]", "JSON"])
def test_null_stays_null(type_: str, database: Database) -> None:
    assert answer(f"SELECT NULL::{type_} AS v", database)[1] == [(None,)]


def test_rows_and_their_order_stay(database: Database) -> None:
    rows = answer("SELECT range AS a, -range AS b FROM range(3000) ORDER BY b", database)[1]
    assert rows == [(str(n), str(-n)) for n in range(2999, -1, -1)]


def test_columns_of_the_same_name_stay_apart(database: Database) -> None:
    fields, rows = answer("SELECT 1 AS a, 'x' AS a, 2.5 AS \"A\"", database)
    assert [column_of(f).name for f in fields] == ["a", "a", "A"]
    assert rows == [("1", "x", "2.5")]


def test_names_of_our_own_are_no_trouble(database: Database) -> None:
    assert answer('SELECT 1 AS v1, 2 AS __value, 3 AS "__r"', database)[1] == [("1", "2", "3")]


def test_no_rows_have_their_columns(database: Database) -> None:
    fields, rows = answer("SELECT 1 AS a WHERE false", database)
    assert [column_of(f).type for f in fields] == [FieldType.LONG]
    assert rows == []


def test_a_type_of_a_later_duckdb_is_text() -> None:
    assert column_of(Field("x", "NEWTYPE")).type is FieldType.VAR_STRING
