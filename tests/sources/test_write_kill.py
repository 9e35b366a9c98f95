"""A server that is killed while it writes into a data source leaves no half table there."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing

import pymysql
import pytest

from tests.support.endpoint import Endpoint, Reply
from tests.support.proxy import ProxyProcess
from tests.support.servers.server import Database

ROWS, PROMPTS = 4_000, 400
WINDOW = 32
"""Most answers that can have been on their way, or not been written down yet."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(lambda prompt: Reply(prompt.rsplit(" ", 1)[-1], delay=0.02)) as endpoint:
        yield endpoint


def attach(
    client: pymysql.Connection, endpoint: Endpoint, kind: str, names: Mapping[str, str]
) -> None:
    statements = [
        "CREATE ML_ENGINE e FROM openai USING openai_api_key = 'sk-1', "
        f"api_base = '{endpoint.url}', max_concurrency = 8",
        "CREATE MODEL m PREDICT answer USING engine = 'e', model_name = 'test-model', "
        "prompt_template = 'Say {{text}}'",
        f"CREATE DATABASE source WITH ENGINE '{kind}' USING host = '{names['host']}', "
        f"port = {names['port']}, user = '{names['user']}', password = '{names['password']}', "
        f"database = '{names['database']}'",
    ]
    with client.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


LABELLED = (
    "CREATE TABLE source.labelled AS "
    "SELECT r.id, m.answer FROM source.reviews r JOIN m ON m.text = r.body"
)
TABLES = {
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    "mariadb": "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema = DATABASE() ORDER BY 1",
}


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_killed_in_the_middle(
    kind: str, request: pytest.FixtureRequest, endpoint: Endpoint, proxy: ProxyProcess
) -> None:
    source: Database = request.getfixturevalue(kind)
    values = ", ".join(f"({n}, 'text {n % PROMPTS}')" for n in range(ROWS))
    source.native("CREATE TABLE reviews (id INT PRIMARY KEY, body VARCHAR(20))")
    source.native(f"INSERT INTO reviews VALUES {values}")
    with closing(proxy.connect()) as client:
        attach(client, endpoint, kind, source.names)
    killed = threading.Thread(target=_ask, args=(proxy,))
    killed.start()
    while len(endpoint.answered) < PROMPTS // 2:
        time.sleep(0.01)
    proxy.kill()
    killed.join()
    answered = len(endpoint.answered)
    assert _tables(source, kind) == ["reviews"]
    endpoint.forget()
    proxy.start()
    with closing(proxy.connect()) as client, client.cursor() as cursor:
        assert cursor.execute(LABELLED) == ROWS
    assert PROMPTS - answered <= endpoint.calls <= PROMPTS - answered + WINDOW
    ((wrong,),) = source.native(
        "SELECT count(*) FROM reviews r LEFT JOIN labelled l ON l.id = r.id "
        "WHERE r.body <> concat('text ', l.answer) OR l.answer IS NULL"
    ).rows
    assert wrong == "0"
    assert _tables(source, kind, all_=True) == ["labelled", "reviews"]


def _ask(proxy: ProxyProcess) -> None:
    with (
        closing(proxy.connect()) as client,
        client.cursor() as cursor,
        pytest.raises(pymysql.err.OperationalError),
    ):
        cursor.execute(LABELLED)


def _tables(source: Database, kind: str, *, all_: bool = False) -> list[str]:
    """The names of tables; without `all_`, of those that are ready."""
    names = [str(row[0]) for row in source.native(TABLES[kind]).rows]
    return [name for name in names if all_ or not name.startswith("__mw_")]
