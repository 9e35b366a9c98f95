"""What a session has open in a data source ends with the session."""

import time
from contextlib import closing

import pytest

from tests.support.proxy import ProxyProcess
from tests.support.servers.server import Database

OPEN = {
    "postgres": "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' "
    "AND datname = current_database()",
    "mariadb": "SELECT count(*) FROM information_schema.innodb_trx",
}


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_client_that_goes_leaves_no_transaction_open(
    kind: str, request: pytest.FixtureRequest, proxy: ProxyProcess
) -> None:
    source: Database = request.getfixturevalue(kind)
    names = source.names
    source.native("CREATE TABLE items (id INT PRIMARY KEY)")
    client = proxy.connect(autocommit=True)
    with closing(client), client.cursor() as cursor:
        cursor.execute(
            f"CREATE DATABASE source WITH ENGINE '{kind}' USING host = '{names['host']}', "
            f"port = {names['port']}, user = '{names['user']}', "
            f"password = '{names['password']}', database = '{names['database']}'"
        )
        cursor.execute("BEGIN")
        assert cursor.execute("INSERT INTO source.items VALUES (1), (2)") == 2
        assert _number(source, OPEN[kind]) == 1
    deadline = time.monotonic() + 5
    while _number(source, OPEN[kind]) and time.monotonic() < deadline:
        time.sleep(0.3)  # MariaDB makes that table anew 0.1 s after the last look at it
    assert _number(source, OPEN[kind]) == 0
    assert _number(source, "SELECT count(*) FROM items") == 0
    source.native("DROP TABLE items")  # nobody holds it


def _number(source: Database, sql: str) -> int:
    ((number,),) = source.native(sql, admin=True).rows
    return int(number or 0)
