"""A typed model as Java sees it: MariaDB Connector/J, text, prepared, and its metadata."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess

DRIVER = Path("/usr/share/java/mariadb-java-client.jar")
PROGRAM = Path(__file__).with_name("Columns.java")
TARGETS = """
mood ENUM('good', 'bad'), stars TINYINT, price DECIMAL(10, 2), seen BOOLEAN, day DATE, at DATETIME,
tags JSON, score DOUBLE, note VARCHAR(50)
"""
ANSWER = {
    "mood": "good",
    "stars": 4,
    "price": 12.5,
    "seen": True,
    "day": "2026-01-02",
    "at": "2026-01-02 03:04:05",
    "tags": ["a"],
    "score": 0.5,
    "note": "fine",
}
# name, TYPE_NAME, java.sql.Types, precision, scale
COLUMNS = [
    "text VARCHAR 12 65532 0",
    "mood CHAR 1 16 0",
    "stars TINYINT -6 4 0",
    "price DECIMAL 3 10 2",
    "seen TINYINT -7 1 0",
    "day DATE 91 10 0",
    "at DATETIME 93 26 6",
    "tags JSON 12 -1 0",
    "score DOUBLE 8 22 31",
    "note VARCHAR 12 200 0",
]
VALUES = [
    "text|a|String",
    "mood|good|String",
    "stars|4|Integer",
    "price|12.50|BigDecimal",
    "seen|true|Boolean",
    "day|2026-01-02|Date",
    "at|2026-01-02 03:04:05.0|Timestamp",
    'tags|["a"]|String',
    "score|0.5|Double",
    "note|fine|String",
]
TABLE = [
    "text TEXT -1 65535 0",
    "mood ENUM 12 4 0",
    "stars TINYINT -6 3 0",
    "price DECIMAL 3 10 2",
    "seen BIT -7 3 0",
    "day DATE 91 10 0",
    "at DATETIME 93 19 0",
    "tags JSON 1111 0 0",
    "score DOUBLE 8 22 0",
    "note VARCHAR 12 50 0",
]

pytestmark = pytest.mark.skipif(
    shutil.which("javac") is None or not DRIVER.exists(),
    reason="needs a JDK and MariaDB Connector/J (Debian: default-jdk-headless, libmariadb-java)",
)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(json.dumps(ANSWER)) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def told(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the program prints, by what each line is about; cells apart by a bar."""
    with ProxyProcess(tmp_path_factory.mktemp("jdbc")) as proxy:
        with proxy.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "CREATE ML_ENGINE e FROM openai USING api_base = %s, openai_api_key = 'sk-test'",
                (endpoint.url,),
            )
            cursor.execute(
                f"CREATE MODEL m PREDICT {TARGETS} "
                "USING engine = 'e', model_name = 'x', prompt_template = '{{text}}'"
            )
        url = f"jdbc:mariadb://127.0.0.1:{proxy.port}/modelwire?useServerPrepStmts=true"
        query = "SELECT * FROM m WHERE text = 'a'"
        ran = subprocess.run(
            ["java", "-cp", str(DRIVER), str(PROGRAM), url, proxy.user, proxy.password, query, "m"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    lines: dict[str, list[str]] = {}
    for line in ran.stdout.splitlines():
        about, *cells = line.split("\t")
        lines.setdefault(about, []).append("|".join(cells))
    return lines


@pytest.mark.parametrize("about", ["text", "prepared", "binary"])
def test_predicted_columns_have_their_types(told: dict[str, list[str]], about: str) -> None:
    assert [line.replace("|", " ") for line in told[about]] == COLUMNS


@pytest.mark.parametrize("about", ["text value", "binary value"])
def test_predictions_are_objects_of_their_types(told: dict[str, list[str]], about: str) -> None:
    assert told[about] == VALUES


def test_a_model_is_a_table_with_typed_columns(told: dict[str, list[str]]) -> None:
    assert [line.replace("|", " ") for line in told["table"]] == TABLE


@pytest.mark.usefixtures("told")
def test_one_call_answers_both_queries(endpoint: Endpoint) -> None:
    assert endpoint.calls == 1
