"""What is shown of a statement has none of its passwords and keys, however they are written."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from proxy.errors import Unsupported
from proxy.sql.masking import MASK, masked
from proxy.sql.parser import parse
from tests.safety.attempts import Intruder

SECRETS = [
    'CREATE DATABASE pg WITH ENGINE = \'postgres\', PARAMETERS = {"password": "hunter2"}',
    "CREATE DATABASE pg WITH ENGINE = 'postgres', PARAMETERS = {'password': 'it''s hunter2'}",
    'CREATE DATABASE pg WITH ENGINE = "postgres" PARAMETERS {"a": {"password": "hunter2"}}',
    "CREATE OR REPLACE DATABASE my WITH ENGINE 'mysql' USING host = 'h', password = 'hunter2'",
    "CREATE DATABASE IF NOT EXISTS my ENGINE 'mysql' USING password 'hunter2', ssl 'hunter2'",
    "CREATE DATABASE my ENGINE 'mysql' USING port = 1, password hunter2, user = 'u'",
    "CREATE DATABASE my ENGINE 'mysql' USING password = hunter2",
    "CREATE DATABASE b ENGINE 's3' USING key = 'hunter2', secret = 'hunter2'",
    "CREATE DATABASE b ENGINE 's3' USING `session_token` = 'hunter2'",
    "CREATE DATABASE b ENGINE 's3' USING endpoint = 'https://me:hunter2@example.com'",
    "CREATE DATABASE pg ENGINE 'postgres' USING connection_string = 'host=h password=hunter2'",
    'CREATE PROJECT p WITH ENGINE = \'postgres\', PARAMETERS = {"dsn": "hunter2"}',
    "CREATE /* x */ DATABASE pg USING password /* x */ = 'hunter2'",
    "/*! CREATE DATABASE pg USING password = 'hunter2' */",
    "create database pg using PASSWORD='hunter2'",
    "ALTER DATABASE pg SET password = 'hunter2'",
    "ALTER DATABASE pg PARAMETERS = {'tokens': ['hunter2', 'hunter2']}",
    "ALTER DATABASE pg password = 'hunter2'",
    "CREATE ML_ENGINE e FROM openai USING openai_api_key = 'hunter2'",
    "CREATE ML_ENGINE e FROM openai USING headers = {'Authorization': 'Bearer hunter2'}",
    "CREATE JOB j (SELECT 1; CREATE DATABASE pg ENGINE 'x' USING password = 'hunter2') EVERY day",
    "CREATE DATABASE pg USING password = 'hunter2",
]
OPEN = [
    "CREATE DATABASE shop",
    "CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    'CREATE DATABASE pg ENGINE = \'postgres\', PARAMETERS = {"host": "h", "port": 5432}',
    "CREATE DATABASE pg ENGINE 'postgres' USING user = 'u', password = env('PG_PASSWORD')",
    "CREATE DATABASE pg ENGINE 'postgres' USING password = file('/run/secrets/pg')",
    "CREATE JOB j (SELECT 'x' AS password) EVERY '2 days'",
    "CREATE MODEL m PREDICT a USING engine = 'e', prompt_template = 'password: {{x}}'",
    "DROP DATABASE shop",
]


@pytest.mark.parametrize("sql", SECRETS)
def test_secrets_are_masked(sql: str) -> None:
    shown = masked(sql)
    assert "hunter2" not in shown
    assert MASK in shown or shown == "…"


@pytest.mark.parametrize("sql", OPEN)
def test_what_is_no_secret_is_shown(sql: str) -> None:
    assert masked(sql) == sql


def test_what_stands_around_a_secret_is_shown() -> None:
    sql = "CREATE DATABASE pg ENGINE 'x' USING host = 'h', password = 'hunter2', port = 5432"
    assert masked(sql) == sql.replace("'hunter2'", MASK)


def test_the_process_list_shows_a_definition_without_its_key(intruder: Intruder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        create = f"CREATE ML_ENGINE e FROM openai USING api_base = '{url}', openai_api_key = "
        with intruder.proxy.connect() as client, client.cursor() as cursor:
            running = pool.submit(intruder.attempt, f"{create}'hunter2'")
            shown: tuple[tuple[object, ...], ...] = ()
            while not shown and not running.done():
                cursor.execute(
                    "SELECT ID, INFO FROM information_schema.PROCESSLIST WHERE INFO LIKE 'CREATE%'"
                )
                shown = cursor.fetchall()
            ((number, text),) = shown
            cursor.execute(f"KILL QUERY {number}")
            assert running.result().code == 1317
    assert isinstance(text, str)
    assert text.startswith("CREATE ML_ENGINE e FROM openai")
    assert text.endswith(f"openai_api_key = {MASK}")
    assert "hunter2" not in "\n".join(intruder.proxy.log)


def test_a_job_holds_no_password() -> None:
    engine = "CREATE ML_ENGINE e FROM openai USING openai_api_key = 'hunter2'"
    with pytest.raises(Unsupported) as caught:
        parse(f"CREATE JOB j ({engine})")
    assert "hunter2" not in str(caught.value)
