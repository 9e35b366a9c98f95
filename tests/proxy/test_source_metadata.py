"""What data sources are asked so that information_schema and SHOW can tell of their tables."""

import re
from typing import Any

import pytest

from tests.support.proxy import ProxyProcess
from tests.support.servers.server import Database

TABLES = 1_000
MANY = f"""
DO $$ BEGIN FOR n IN 1..{TABLES} LOOP
EXECUTE format('CREATE TABLE t%s (a INT PRIMARY KEY, b TEXT, c INT, d INT, e INT, f INT, g INT,
h INT, i INT, j INT)', n);
END LOOP; END $$
"""
CATALOG = re.compile(r"FROM pg_catalog\.pg_(class|attribute|index)")
COM_FIELD_LIST = 4
COM_STMT_PREPARE = 22


def attach(proxy: ProxyProcess, name: str, database: Database) -> Any:
    """A client of the proxy, which has the database as a source."""
    client: Any = proxy.connect(read_timeout=60)
    told = database.names
    run(
        client,
        f"CREATE DATABASE {name} WITH ENGINE '{database.server.kind}' USING "
        f"host = '{told['host']}', port = {told['port']}, user = '{told['user']}', "
        f"password = '{told['password']}', database = '{told['database']}'",
    )
    return client


def run(client: Any, sql: str) -> list[tuple[Any, ...]]:
    with client.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def asked(database: Database) -> int:
    """How many looks into PostgreSQL's catalog there were since the last time."""
    return sum(1 for statement in database.statements() if CATALOG.search(statement))


def test_all_columns_of_a_source_are_two_looks_into_its_catalog(
    proxy: ProxyProcess, postgres: Database
) -> None:
    postgres.native(MANY)
    client = attach(proxy, "pg", postgres)
    asked(postgres)
    columns = run(client, "SELECT * FROM information_schema.columns WHERE TABLE_SCHEMA = 'pg'")
    assert (len(columns), asked(postgres)) == (10 * TABLES, 2)
    keys = run(client, "SELECT * FROM information_schema.statistics WHERE TABLE_SCHEMA = 'pg'")
    assert (len(keys), asked(postgres)) == (TABLES, 1)
    run(client, "SELECT * FROM information_schema.columns")
    run(client, "DESCRIBE pg.t1")
    run(client, "SHOW TABLES FROM pg")
    assert asked(postgres) <= 1
    run(client, "REFRESH DATABASE pg")
    run(client, "SELECT * FROM information_schema.columns")
    assert asked(postgres) == 2


def test_a_prepared_statement_asks_no_source_before_it_runs(
    proxy: ProxyProcess, postgres: Database
) -> None:
    client = attach(proxy, "pg", postgres)
    asked(postgres)
    client._execute_command(COM_STMT_PREPARE, b"SELECT * FROM information_schema.tables")
    assert client._read_packet().is_ok_packet()
    assert asked(postgres) == 0


def test_describe_asks_for_one_table(proxy: ProxyProcess, postgres: Database) -> None:
    postgres.native("CREATE TABLE a (id INT); CREATE TABLE b (id INT)")
    client = attach(proxy, "pg", postgres)
    asked(postgres)
    assert [row[0] for row in run(client, "DESCRIBE pg.b")] == ["id"]
    assert asked(postgres) == 2


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_com_field_list_has_a_sources_columns(
    proxy: ProxyProcess, kind: str, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    database.native("CREATE TABLE people (id INT, name VARCHAR(20))")
    client = attach(proxy, "there", database)
    client.select_db("there")
    client._execute_command(COM_FIELD_LIST, b"people\0")
    names = []
    while not (packet := client._read_packet()).is_eof_packet():
        names.append(re.search(rb"people.*?(id|name)", packet.get_all_data()))
    assert len(names) == 2
