"""What drivers learn of predicted columns: PyMySQL in text, raw packets in binary, PREPARE."""

import datetime
import json
import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from mysql_mimic.types import Capabilities
from pymysql.constants import FIELD_TYPE, FLAG
from pymysql.converters import encoders

from proxy.result import Column, FieldType
from proxy.wire.columns import column_definition
from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess
from tests.wire.raw import BASIC, RawClient

MODERN = BASIC | Capabilities.CLIENT_DEPRECATE_EOF
TARGETS = {
    "mood": "ENUM('good', 'bad', 'très bon')",
    "stars": "TINYINT",
    "many": "BIGINT UNSIGNED",
    "sure": "BOOLEAN",
    "price": "DECIMAL(10, 2)",
    "share": "DOUBLE",
    "day": "DATE",
    "moment": "DATETIME",
    "hour": "TIME",
    "tags": "JSON",
    "word": "VARCHAR(20)",
    "reason": "TEXT",
}
ANSWER = {
    "mood": "très bon",
    "stars": 4,
    "many": 18_446_744_073_709_551_615,
    "sure": True,
    "price": "12.50",
    "share": 1.0,
    "day": "2026-02-28",
    "moment": "2026-02-28 12:30:00.500000",
    "hour": "12:30:00",
    "tags": ["a", {"b": None}],
    "word": "yes",
    "reason": "why not",
}
TEXTS = (
    *("très bon", "4", "18446744073709551615", "1", "12.50", "1", "2026-02-28"),
    *("2026-02-28 12:30:00.5", "12:30:00", '["a",{"b":null}]', "yes", "why not"),
)
QUERY = f"SELECT {', '.join(TARGETS)} FROM m WHERE text = "


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(json.dumps(ANSWER, ensure_ascii=False)) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def proxy(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyProcess]:
    with ProxyProcess(tmp_path_factory.mktemp("typed")) as proxy:
        with proxy.connect(autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(
                f"CREATE ML_ENGINE e FROM openai USING api_base = '{endpoint.url}', "
                "openai_api_key = 'sk-1'"
            )
            targets = ", ".join(f"{name} {type_}" for name, type_ in TARGETS.items())
            cursor.execute(
                f"CREATE MODEL m PREDICT {targets} USING engine = 'e', model_name = 'small', "
                "prompt_template = 'Of {{text}}'"
            )
            cursor.execute("CREATE TABLE r (id INT, text VARCHAR(20))")
            cursor.execute("INSERT INTO r VALUES (1, 'one'), (2, 'two'), (3, NULL)")
        yield proxy


@pytest.fixture
def cursor(proxy: ProxyProcess) -> Iterator[Any]:
    with proxy.connect(autocommit=True) as connection, connection.cursor() as cursor:
        yield cursor


@pytest.fixture
def raw(proxy: ProxyProcess) -> Iterator[RawClient]:
    client = RawClient(proxy.port)
    client.log_in(proxy.user, proxy.password, capabilities=MODERN)
    yield client
    client.close()


def definitions(cursor: Any) -> dict[str, tuple[int, int, int, int]]:
    """Type, length, decimals and flags of each column, as PyMySQL read them."""
    fields = cursor._result.fields
    return {f.name: (f.type_code, f.length, f.scale, f.flags) for f in fields}


SHAPES = {
    "mood": (FIELD_TYPE.STRING, 8 * 4, 0),
    "stars": (FIELD_TYPE.TINY, 4, 0),
    "many": (FIELD_TYPE.LONGLONG, 20, 0),
    "sure": (FIELD_TYPE.TINY, 1, 0),
    "price": (FIELD_TYPE.NEWDECIMAL, 12, 2),
    "share": (FIELD_TYPE.DOUBLE, 22, 31),
    "day": (FIELD_TYPE.DATE, 10, 0),
    "moment": (FIELD_TYPE.DATETIME, 26, 6),
    "hour": (FIELD_TYPE.TIME, 17, 6),
    "tags": (FIELD_TYPE.JSON, 4_294_967_295, 0),
    "word": (FIELD_TYPE.VAR_STRING, 20 * 4, 0),
    "reason": (FIELD_TYPE.VAR_STRING, 16_383 * 4, 0),
}


@pytest.mark.parametrize(
    "source",
    [
        "FROM m WHERE text = 'alone'",
        "FROM r JOIN m ON m.text = r.text",
        "FROM r JOIN m ON m.text = r.text ORDER BY m.stars, r.id",
        "FROM r JOIN m ON m.text = r.text WHERE r.id = 9",
    ],
    ids=["constant", "streams", "gathers", "empty"],
)
def test_every_type_has_its_definition_however_the_rows_are_made(source: str, cursor: Any) -> None:
    cursor.execute(f"SELECT {', '.join(TARGETS)} {source}")
    seen = definitions(cursor)
    assert {name: shape[:3] for name, shape in seen.items()} == SHAPES
    flags = {name: shape[3] for name, shape in seen.items()}
    assert [name for name in TARGETS if flags[name] & FLAG.ENUM] == ["mood"]
    assert [name for name in TARGETS if flags[name] & FLAG.UNSIGNED] == ["many"]
    assert [name for name in TARGETS if not flags[name] & FLAG.BINARY] == ["mood", "word", "reason"]


def test_columns_of_a_model_that_is_asked_nothing_have_their_types(
    cursor: Any, endpoint: Endpoint
) -> None:
    before = endpoint.calls
    cursor.execute("SELECT text, stars FROM m LIMIT 0")
    kinds = [found[0] for found in definitions(cursor).values()]
    assert kinds == [FIELD_TYPE.VAR_STRING, FIELD_TYPE.TINY]
    assert endpoint.calls == before


def test_a_derived_table_keeps_the_types(cursor: Any) -> None:
    cursor.execute("SELECT * FROM (SELECT m.* FROM r JOIN m ON m.text = r.text) AS q ORDER BY 1")
    seen = definitions(cursor)
    assert {name: seen[name][0] for name in TARGETS} == {n: s[0] for n, s in SHAPES.items()}


def test_pymysql_makes_python_values_of_them(cursor: Any) -> None:
    cursor.execute(QUERY + "'values'")
    assert cursor.fetchall() == (
        (
            "très bon",
            4,
            18_446_744_073_709_551_615,
            1,
            Decimal("12.50"),
            1.0,
            datetime.date(2026, 2, 28),
            datetime.datetime(2026, 2, 28, 12, 30, 0, 500_000),
            datetime.timedelta(hours=12, minutes=30),
            '["a",{"b":null}]',
            "yes",
            "why not",
        ),
    )


@pytest.mark.parametrize("order", ["", " ORDER BY m.stars, r.id"], ids=["streams", "gathers"])
def test_texts_are_the_same_streamed_and_gathered(
    order: str, proxy: ProxyProcess, endpoint: Endpoint
) -> None:
    with proxy.connect(conv=encoders) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(TARGETS)} FROM r JOIN m ON m.text = r.text{order}")
        rows = sorted(cursor.fetchall(), key=str)
    assert rows == sorted([TEXTS, TEXTS, (None,) * len(TARGETS)], key=str)


def test_all_targets_of_a_prompt_take_one_call(cursor: Any, endpoint: Endpoint) -> None:
    endpoint.forget()
    cursor.execute(QUERY + "'counted'")
    cursor.execute("SELECT stars FROM m WHERE text = 'counted'")
    cursor.execute(
        "SELECT a.mood, b.tags FROM r JOIN m a ON a.text = 'counted' JOIN m b ON "
        "b.text = 'counted' WHERE r.id = 1"
    )
    assert endpoint.calls == 1


def test_a_star_has_inputs_before_targets(cursor: Any) -> None:
    cursor.execute("SELECT * FROM m WHERE text = 'star'")
    assert [item[0] for item in cursor.description] == ["text", *TARGETS]


def prepared(client: RawClient, sql: str) -> tuple[int, list[bytes]]:
    """The statement's id and the definitions of its rows' columns."""
    head = client.ask(b"\x16" + sql.encode())
    assert head[0] == 0, head
    columns, parameters = struct.unpack("<HH", head[5:9])
    for _ in range(parameters):
        client.read()
    return int.from_bytes(head[1:5], "little"), [client.read() for _ in range(columns)]


def test_prepare_describes_the_columns_and_asks_nothing(raw: RawClient, endpoint: Endpoint) -> None:
    endpoint.forget()
    _, described = prepared(raw, QUERY + "?")
    _, joined = prepared(
        raw, f"SELECT {', '.join(TARGETS)} FROM r JOIN m ON m.text = r.text WHERE r.id > ? LIMIT ?"
    )
    assert endpoint.calls == 0
    assert described == joined
    assert [d[-6] for d in described] == [shape[0] for shape in SHAPES.values()]


def test_execute_sends_binary_values_under_the_definitions_of_prepare(
    raw: RawClient,
) -> None:
    statement, described = prepared(raw, QUERY + "'values'")
    raw.command(b"\x17" + struct.pack("<I", statement) + b"\0\x01\0\0\0")
    count = raw.read()
    assert count == bytes([len(TARGETS)])
    assert [raw.read() for _ in described] == described
    row = raw.read()
    texts = [text.encode() for text in ("très bon", "12.50", '["a",{"b":null}]', "why not")]
    assert row[:3] == b"\0\0\0"
    assert row[3:].startswith(bytes([len(texts[0])]) + texts[0] + b"\x04" + b"\xff" * 8 + b"\x01")
    assert struct.pack("<d", 1.0) + b"\x04\xea\x07\x02\x1c" in row
    assert all(bytes([len(text)]) + text in row for text in texts)


def test_prepare_tells_nothing_of_what_it_cannot_know(raw: RawClient) -> None:
    assert prepared(raw, "SELECT * FROM no_such_table")[1] == []
    assert prepared(raw, "INSERT INTO r SELECT 9, m.mood FROM m WHERE m.text = ?")[1] == []


def test_prepare_does_no_harm_to_a_transaction(raw: RawClient) -> None:
    assert raw.ask(b"\x03BEGIN")[0] == 0
    assert raw.ask(b"\x03INSERT INTO r VALUES (50, 'fifty')")[0] == 0
    assert prepared(raw, "SELECT * FROM no_such_table")[1] == []
    assert prepared(raw, "SELECT m.mood FROM r JOIN m ON m.text = CAST(? AS DATE)")[1]
    assert raw.ask(b"\x03DELETE FROM r WHERE id = 50")[0] == 0
    assert raw.ask(b"\x03COMMIT")[0] == 0


def test_values_to_come_may_be_limits_and_options(raw: RawClient) -> None:
    query = "SELECT stars FROM m WHERE text = ? LIMIT ? USING max_tokens = ?"
    (definition,) = prepared(raw, query)[1]
    assert definition[-6] == FIELD_TYPE.TINY


def test_a_value_to_come_is_text_until_it_is_there(raw: RawClient) -> None:
    (definition,) = prepared(raw, "SELECT ? AS v")[1]
    assert definition == column_definition(Column("v", FieldType.VAR_STRING, 16_383))
