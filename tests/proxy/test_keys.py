"""An API key that was given to CREATE ML_ENGINE appears nowhere again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess

KEY = "sk-KEY-4f6a8c0e2b1d3957"
CREATE = "CREATE ML_ENGINE {name} FROM openai USING openai_api_key = '{key}', api_base = '{url}'"
LOOKS = [
    "SHOW ML_ENGINES",
    "SHOW ML_ENGINES LIKE 'given%'",
    "SELECT * FROM information_schema.ml_engines",
    "SELECT * FROM information_schema.models",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM information_schema.databases",
    "SELECT * FROM information_schema.processlist",
    "SHOW FULL PROCESSLIST",
    "SHOW MODELS",
    "SHOW HANDLERS",
    "SHOW VARIABLES",
    "SHOW STATUS",
    "SHOW CREATE TABLE m",
    "DESCRIBE m",
    "DESCRIBE m.args",
    "DESCRIBE m.metadata",
    "EXPLAIN SELECT answer FROM m WHERE text = 'x'",
    "SELECT answer FROM m WHERE text = 'x'",
]
FAILURES = [
    CREATE.format(name="given", key=KEY, url="{url}"),
    CREATE.format(name="wrong", key=f"{KEY}-wrong", url="{url}"),
    CREATE.format(name="gone", key=KEY, url="http://127.0.0.1:9/v1"),
    CREATE.format(name="e", key=KEY, url="{url}") + " oops",
    CREATE.format(name="e", key=KEY, url="{url}") + ", nonsense = 1",
    CREATE.format(name="e", key=KEY, url="no url"),
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = ['{KEY}']",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = {{'key': '{KEY}'}}",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_kye = '{KEY}'",
    f"CREATE ML_ENGINE e FROM nothing USING openai_api_key = '{KEY}'",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = {KEY}",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = '{KEY}",
    f"CREATE MODEL n PREDICT a USING engine = 'given', openai_api_key = '{KEY}'",
]


@dataclass(frozen=True)
class Told:
    """All that a proxy told of itself: answers, errors and warnings over the wire, its log, and
    its files, while it ran and when it had stopped."""

    answers: dict[str, str]
    errors: dict[str, str]
    log: str
    files: dict[str, bytes]
    heard: set[str]


def text(connection: Any, sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return repr((cursor.description, cursor.fetchall()))


def error(connection: Any, sql: str) -> str:
    """What a statement that fails says, and its warnings."""
    with pytest.raises(pymysql.MySQLError) as caught:
        text(connection, sql)
    return repr(caught.value.args) + text(connection, "SHOW WARNINGS")


def contents(directory: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    directory = tmp_path_factory.mktemp("keys")
    with Endpoint("fine", models=["small"], key=KEY) as endpoint:
        env = {"MODELWIRE_LOG_LEVEL": "DEBUG"}
        with ProxyProcess(directory / "data", env) as proxy:
            connection = proxy.connect()
            create = CREATE.format(name="given", key=KEY, url=endpoint.url)
            answers = {create: text(connection, create)}
            model = "CREATE MODEL m PREDICT answer USING engine = 'given', model_name = 'small', "
            answers[model] = text(connection, model + "prompt_template = '{{text}}'")
            answers |= {sql: text(connection, sql) for sql in LOOKS}
            errors = {
                sql: error(connection, sql.replace("{url}", endpoint.url)) for sql in FAILURES
            }
            files = contents(directory)
            log = proxy.log
        heard = {request.headers["Authorization"] for request in endpoint.requests}
        yield Told(answers, errors, "\n".join(log), files | contents(directory), heard)


def test_the_endpoint_hears_the_key(told: Told) -> None:
    assert told.heard == {f"Bearer {KEY}"}


@pytest.mark.parametrize("sql", LOOKS)
def test_no_answer_shows_it(sql: str, told: Told) -> None:
    assert "KEY-4f6a" not in told.answers[sql]


@pytest.mark.parametrize("sql", FAILURES)
def test_no_error_shows_it(sql: str, told: Told) -> None:
    assert "4f6a8c0e" not in told.errors[sql]


def test_the_list_of_engines_shows_that_there_is_one(told: Told) -> None:
    assert '"openai_api_key": "******"' in told.answers["SHOW ML_ENGINES"]


def test_no_log_line_shows_it(told: Told) -> None:
    assert "4f6a8c0e" not in told.log


def test_no_file_shows_it(told: Told) -> None:
    assert [name for name, content in told.files.items() if b"4f6a8c0e" in content] == []


def test_the_files_were_looked_at(told: Told) -> None:
    assert {Path(name).name for name in told.files} >= {"catalog.duckdb", "data.duckdb"}
