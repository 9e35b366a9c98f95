from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from catalog import migrations
from catalog.migrations import STEPS, migrate


@pytest.fixture
def connection(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(tmp_path / "catalog.duckdb"))


def steps_done(connection: duckdb.DuckDBPyConnection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT step FROM shape ORDER BY rowid").fetchall()]


def test_a_new_catalog_takes_every_step_once(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection)
    assert steps_done(connection) == list(range(1, len(STEPS) + 1))


def test_a_catalog_in_shape_takes_no_step(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection)
    migrate(connection)
    assert steps_done(connection) == list(range(1, len(STEPS) + 1))


def test_a_catalog_takes_the_steps_that_it_lacks(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(connection)
    connection.execute("INSERT INTO users VALUES ('alice', 'x')")
    step = "ALTER TABLE users ADD COLUMN role VARCHAR"
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, step))
    migrate(connection)
    assert connection.execute("FROM users").fetchall() == [("alice", "x", None)]


def test_a_catalog_of_the_first_shape_gets_rooms_for_answers_accounts_and_budgets(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(migrations, "STEPS", STEPS[:1])
        migrate(connection)
    connection.execute("INSERT INTO users VALUES ('alice', 'x')")
    migrate(connection)
    assert connection.execute("FROM users").fetchall() == [("alice", "x")]
    assert steps_done(connection) == list(range(1, len(STEPS) + 1))
    for table in ("answers", "model_usage", "budgets"):
        assert connection.execute(f"FROM {table}").fetchall() == []


def test_a_step_that_fails_leaves_no_half_of_it(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = "CREATE TABLE half (x INT); SELECT no_such_column"
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, step))
    with pytest.raises(duckdb.Error):
        migrate(connection)
    connection.execute("ROLLBACK")
    assert steps_done(connection) == list(range(1, len(STEPS) + 1))
    assert not connection.execute("FROM duckdb_tables() WHERE table_name = 'half'").fetchall()


def test_released_steps_are_as_they_were_released() -> None:
    """A released step is never edited: append one, and its digest here."""
    assert [sha256(step.encode()).hexdigest() for step in STEPS] == [
        "5c73cece41e08cd730009bb03d7bc928fb78e7ff0dd78f0b5121c93dc6f87d63",
        "c23708a6f15929943542928192ab43878ea87a3585b9e9662815976dc211510d",
        "25dfec08847257e5f245e74197eaddf637e92c90cbfdd50df6b48c9a8c87661b",
        "78cb951e481c9d2f2666c517dfe61bd4a8e1668686401a6c6e70a743c9b77c2c",
        "e133aa3c972bd5ef1110da7a630796f9bec123063e1fcbdfb4e9225199268e04",
        "601ef7cbf3b746b293de1674a26d5d68245db6e100c5bab67cb2ff19068d4657",
        "3e52a1fddd9c3209d3db3a1f74a5216a8a17e2f887d0e420956185ef31fe0779",
        "4fe4236a5e9f7833a1f11ae2060722e1c17d4d1c9bf02decfaad77b0a9e3b9b0",
    ]
