"""What is refused before an endpoint is asked: that of this house is not there, so nothing is sent
unnoticed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.tuning import finetune
from tests.fixtures.house import SmallHouse, small_house

GOOD = "SELECT 'Who?' AS question, 'Ann' AS answer FROM (SELECT UNNEST(RANGE(40))) AS numbers"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    directory: Path = tmp_path_factory.mktemp("house")
    with small_house(directory) as made:
        yield made


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            f"FINETUNE kinds FROM modelwire ({GOOD})",
            "1146 Model 'modelwire.kinds' doesn't exist: did you mean 'kind'?",
        ),
        (f"FINETUNE shop.kind FROM modelwire ({GOOD})", "1049 Unknown database 'shop'"),
        (f"FINETUNE kind FROM shop ({GOOD})", "1049 Unknown database 'shop'"),
        (
            "FINETUNE kind FROM modelwire (SELECT * FROM chat)",
            "1146 Table 'modelwire.chat' doesn't exist",
        ),
        (
            "FINETUNE kind FROM modelwire (SELECT question, FROM chats WHERE)",
            "1064 You have an error in your SQL syntax",
        ),
        (
            "FINETUNE kind FROM modelwire (DELETE FROM words)",
            "1235 FROM … (…) takes a SELECT",
        ),
        (
            f"FINETUNE kind FROM modelwire ({GOOD}) USING epochs = 1",
            "1210 unknown option 'epochs' of FINETUNE kind: did you mean 'n_epochs'?",
        ),
        (
            "FINETUNE kind FROM modelwire (SELECT 1 AS role)",
            "1366 the data set has a column role, and none that is named content",
        ),
        (
            f"FINETUNE kind FROM modelwire ({GOOD})",
            "1429 cannot connect to http://127.0.0.1:9/v1: Connection refused",
        ),
        (
            "CANCEL FINETUNE kind",
            "1305 No fine-tuning of model 'modelwire.kind' is running",
        ),
        (
            "CANCEL FINETUNE kinds",
            "1146 Model 'modelwire.kinds' doesn't exist: did you mean 'kind'?",
        ),
    ],
)
def test_what_cannot_be_done_is_told(house: SmallHouse, sql: str, told: str) -> None:
    assert house.outcome(sql).startswith(told)
    assert house.rows("SELECT * FROM information_schema.fine_tunings") == []


def test_a_data_set_that_is_too_large_is_refused(
    house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "MOST_BYTES", 100)
    assert house.outcome(f"FINETUNE kind FROM modelwire ({GOOD})") == (
        "1366 the data set is larger than 0 MB"
    )


def test_the_query_is_read_in_its_own_database_and_the_session_stays_in_its(
    house: SmallHouse,
) -> None:
    house.rows("CREATE DATABASE other")
    house.rows("CREATE TABLE other.few AS SELECT 'Who?' AS question, 'Ann' AS answer")
    assert house.outcome("FINETUNE kind FROM other (SELECT * FROM few)") == (
        "1366 the data set has 1 chat: it takes at least 40"
    )
    assert house.rows("SELECT DATABASE()") == [("modelwire",)]
