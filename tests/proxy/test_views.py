"""Views in a session: those that DuckDB keeps since earlier versions, and prepared statements."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engines.base import Option
from engines.registry import find_handler
from proxy.execute import engine_pool
from proxy.plan import overrides
from proxy.result import Rows
from tests.fixtures.house import SmallHouse, small_house

OLD = [
    "CREATE VIEW modelwire.old AS SELECT id, name FROM modelwire.things WHERE price > 3",
    "CREATE SCHEMA gone",
    "CREATE VIEW gone.old AS SELECT 1 AS x",
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    """A house with views of an earlier version, which DuckDB kept."""
    with small_house(tmp_path) as house:
        cursor = house.projects.database.cursor()
        house.run(cursor.script([(sql, ()) for sql in OLD]))
        house.run(cursor.close())
        house.run(house.projects.open())
        yield house


def kept_by_duckdb(house: SmallHouse) -> list[str]:
    cursor = house.projects.database.cursor()
    sql = "SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1"
    rows = house.run(cursor.execute(sql))
    house.run(cursor.close())
    return [str(name) for (name,) in rows]


def test_an_old_view_is_read_as_before(house: SmallHouse) -> None:
    assert house.rows("SELECT name FROM old WHERE id = 5") == [("b",)]
    assert house.rows("SHOW FULL TABLES LIKE 'old'") == [("old", "VIEW")]
    assert house.rows("DESCRIBE old")[0][:2] == ("id", "int")
    listed = house.rows("SELECT table_schema, table_name FROM information_schema.views")
    assert listed == [("gone", "old"), ("modelwire", "old")]
    created = house.rows("SHOW CREATE VIEW old")[0][1]
    assert str(created).replace('"', "").startswith("CREATE VIEW modelwire.old AS SELECT id")


def test_a_view_may_read_an_old_one(house: SmallHouse) -> None:
    house.rows("CREATE VIEW newer AS SELECT * FROM old WHERE id > 3")
    assert house.rows("SELECT id FROM newer ORDER BY id") == [("4",), ("5",)]


def test_an_old_view_has_its_name(house: SmallHouse) -> None:
    assert house.outcome("CREATE VIEW Old AS SELECT 1 AS x").startswith("1050")
    assert house.outcome("CREATE TABLE old (x INT)").startswith("1050")


@pytest.mark.parametrize(
    "change", ["CREATE OR REPLACE VIEW old AS SELECT 7 AS x", "ALTER VIEW old AS SELECT 7 AS x"]
)
def test_an_old_view_that_is_replaced_is_the_catalogs(change: str, house: SmallHouse) -> None:
    house.rows(change)
    assert house.rows("SELECT * FROM old") == [("7",)]
    assert kept_by_duckdb(house) == ["gone.old"]
    assert house.store.views.names("modelwire") == ["old"]


def test_an_old_view_is_dropped(house: SmallHouse) -> None:
    house.rows("DROP VIEW old")
    assert kept_by_duckdb(house) == ["gone.old"]
    assert house.outcome("SELECT * FROM old").startswith("1146")
    house.rows("DROP PROJECT gone")
    assert kept_by_duckdb(house) == []


def test_a_prepared_statement_reads_the_view_as_it_is_when_it_runs(house: SmallHouse) -> None:
    house.rows("CREATE VIEW cheap AS SELECT id, price FROM things WHERE price < 3")
    prepared = house.session.prepare("SELECT id FROM cheap WHERE id > ? ORDER BY id")
    (column,) = house.run(house.session.columns(prepared))
    assert column.name == "id"

    async def ids() -> list[str]:
        rows = await house.session.execute(prepared, [0])
        assert isinstance(rows, Rows)
        return [str(row[0]) async for batch in rows.batches for row in batch]

    assert house.run(ids()) == ["2", "6"]
    house.rows("ALTER VIEW cheap AS SELECT id, price FROM things WHERE price < 2")
    assert house.run(ids()) == ["2"]


def test_a_view_over_a_model_has_its_columns_at_prepare(house: SmallHouse) -> None:
    house.rows("CREATE VIEW kinds AS SELECT t.id, m.mood FROM things t JOIN mood m")
    prepared = house.session.prepare("SELECT * FROM kinds WHERE id = ?")
    names = [column.name for column in house.run(house.session.columns(prepared))]
    assert names == ["id", "mood"]


def test_a_parameter_is_none_of_a_views(house: SmallHouse) -> None:
    with pytest.raises(Exception, match="variable or parameter"):
        house.session.prepare("CREATE VIEW v AS SELECT ? AS x")


def test_a_view_is_made_in_no_transaction(house: SmallHouse) -> None:
    house.rows("BEGIN")
    house.rows("INSERT INTO stock VALUES (100, 1)")
    house.rows("CREATE VIEW v AS SELECT * FROM stock WHERE thing_id = 100")
    house.rows("ROLLBACK")
    assert house.rows("SELECT * FROM v") == [("100", "1")]


def test_a_secret_among_a_models_options_is_none_of_a_views(
    house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = find_handler("openai")
    secret = Option("token", (str,), "what a plug-in may want", secret=True)
    handler = replace(usual, model_options=(*usual.model_options, secret))
    for room in (engine_pool, overrides):
        monkeypatch.setattr(room, "find_handler", lambda _: handler)
    view = "CREATE VIEW v AS SELECT mood FROM mood WHERE name = 'x' USING token = 'sk-1'"
    outcome = house.outcome(view)
    assert outcome.startswith("1235 Option 'token' cannot stand in a view")
    assert "sk-1" not in outcome
    assert house.rows("SHOW VIEWS LIKE 'v'") == []
