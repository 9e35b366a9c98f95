"""The instance that clients' SQL runs in is closed, whatever statement should get through to it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from catalog.database import Database, Row
from catalog.errors import CatalogError
from tests.safety.attempts import SECRET

CLOSED = {
    "enable_external_access": "false",
    "lock_configuration": "true",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    "allow_persistent_secrets": "false",
    "allow_unredacted_secrets": "false",
    "allowed_configs": "[]",
    "enable_logging": "0",
    "python_enable_replacements": "false",
}
REFUSED = [
    "SELECT * FROM '{file}'",
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM parquet_metadata('{file}')",
    "SELECT * FROM sniff_csv('{file}')",
    "COPY (SELECT 1) TO '{file}.out'",
    "EXPORT DATABASE '{file}.out'",
    "IMPORT DATABASE '{file}.out'",
    "ATTACH '{file}.out' AS x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CREATE PERSISTENT SECRET s (TYPE http)",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET allowed_directories = ['/']",
    "SET GLOBAL memory_limit = '1TB'",
    "SET temp_directory = '/tmp'",
    "SET secret_directory = '/tmp'",
    "SET profiling_output = '{file}.out'",
    "SET log_query_path = '{file}.out'",
    "SET allow_unredacted_secrets = true",
    "SET file_search_path = '/'",
    "SELECT getenv('HOME')",
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("instance")
    (directory / "secret.csv").write_text(f"a,b\n1,{SECRET}\n")
    return directory


@pytest.fixture(scope="module")
def database(directory: Path) -> Iterator[Database]:
    database = Database(directory / "d", spill_dir=directory / "spilt", memory_limit="200MB")
    yield database
    database.close()


def rows(database: Database, sql: str) -> list[Row]:
    async def run() -> list[Row]:
        cursor = database.cursor()
        try:
            return await cursor.execute(sql)
        finally:
            await cursor.close()

    return asyncio.run(run())


@pytest.mark.parametrize(("name", "value"), CLOSED.items())
def test_setting_is_closed(name: str, value: str, database: Database) -> None:
    assert rows(database, f"SELECT current_setting('{name}')::VARCHAR") == [(value,)]


def test_only_its_own_files_are_in_reach(database: Database, directory: Path) -> None:
    ((folders, files),) = rows(
        database, "SELECT current_setting('allowed_directories'), current_setting('allowed_paths')"
    )
    assert [Path(place) for place in folders] == [directory / "spilt"]
    assert {Path(file).name.split(".")[0] for file in files} == {"d"}
    assert {Path(file).parent for file in files} == {directory}


@pytest.mark.parametrize("sql", REFUSED)
def test_it_refuses_by_itself(sql: str, database: Database, directory: Path) -> None:
    with pytest.raises(CatalogError) as caught:
        rows(database, sql.replace("{file}", str(directory / "secret.csv")))
    assert SECRET not in str(caught.value)


def test_it_has_no_secrets(database: Database) -> None:
    assert rows(database, "FROM duckdb_secrets()") == []


def test_duckdb_reads_a_file_for_a_missing_table_of_an_allowed_folder(directory: Path) -> None:
    """Why no database is called like a folder, and no WITH like a file: see projects.is_path."""
    schema = f'"{directory / "secret"}"'
    with duckdb.connect() as connection:
        connection.execute(f"SET allowed_directories = ['{directory}/']")
        connection.execute("SET enable_external_access = false")
        connection.execute(f"CREATE SCHEMA {schema}")
        assert connection.execute(f"SELECT b FROM {schema}.csv").fetchall() == [(SECRET,)]
        name = f'"{directory / "secret.csv"}"'
        sql = f"WITH RECURSIVE {name} AS (SELECT * FROM {name}) SELECT b FROM {name}"
        assert connection.execute(sql).fetchall() == [(SECRET,)]
