"""What a conversation sends: the turns before each question, in their order."""

from collections.abc import Iterator

import pytest

from tests.fixtures.house import SmallHouse, small_house
from tests.support.endpoint import Endpoint

OPTIONS = (
    "USING engine = 'e', model_name = 'small', user_column = 'question', "
    "assistant_column = 'answer', system = 'Be short.'"
)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(lambda prompt: f"to {prompt.splitlines()[-1]}") as endpoint:
        yield endpoint


@pytest.fixture
def house(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("chat"), endpoint.url) as house:
        house.rows("CREATE TABLE chat (id INT, question TEXT, answer TEXT)")
        house.rows("INSERT INTO chat VALUES (1, 'a', 'A'), (2, 'b', NULL), (3, NULL, 'C')")
        house.rows("INSERT INTO chat VALUES (4, 'd', 'D'), (5, 'e', NULL)")
        for name, mode in (("last", "conversational"), ("each", "conversational-full")):
            house.rows(
                f"CREATE MODEL {name} PREDICT answer {OPTIONS}, mode = '{mode}', "
                "skip_validation = true"
            )
        yield house


def said(endpoint: Endpoint) -> list[str]:
    """What each call was told: a letter for who says it, then the text."""
    return [
        " ".join(f"{m['role'][0]}:{m['content']}" for m in request.messages)
        for request in endpoint.requests
    ]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT c.id, m.answer FROM chat c JOIN {} m ORDER BY c.id",
        "SELECT COUNT(m.answer) FROM (SELECT * FROM chat ORDER BY id) AS c JOIN {} m",
    ],
    ids=["streams", "gathers"],
)
def test_the_last_row_is_asked_with_those_before_it(
    query: str, house: SmallHouse, endpoint: Endpoint
) -> None:
    house.rows(query.format("last"))
    assert said(endpoint) == ["s:Be short. u:a a:A u:b a: u:d a:D u:e"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT c.id, m.answer FROM chat c JOIN {} m ORDER BY c.id",
        "SELECT COUNT(m.answer) FROM (SELECT * FROM chat ORDER BY id) AS c JOIN {} m",
    ],
    ids=["streams", "gathers"],
)
def test_every_open_row_is_asked_and_its_answer_is_told_to_the_next(
    query: str, house: SmallHouse, endpoint: Endpoint
) -> None:
    house.rows(query.format("each"))
    assert said(endpoint) == [
        "s:Be short. u:a a:A u:b",
        "s:Be short. u:a a:A u:b a:to b u:d a:D u:e",
    ]


def test_rows_show_the_answers_that_they_have(house: SmallHouse) -> None:
    rows = house.rows("SELECT m.answer FROM chat c JOIN last m ORDER BY c.id")
    assert rows == [("A",), (None,), ("C",), ("D",), ("to e",)]
    rows = house.rows("SELECT m.answer FROM chat c JOIN each m ORDER BY c.id")
    assert rows == [("A",), ("to b",), ("C",), ("D",), ("to e",)]


def test_without_an_assistant_column_in_reach_all_that_was_said_is_the_users(
    house: SmallHouse, endpoint: Endpoint
) -> None:
    house.rows("SELECT m.answer FROM (SELECT id, question FROM chat) AS c JOIN last m ORDER BY id")
    assert said(endpoint) == ["s:Be short. u:a a: u:b a: u:d a: u:e"]


def test_a_limit_ends_the_conversation(house: SmallHouse, endpoint: Endpoint) -> None:
    house.rows("SELECT m.answer FROM chat c JOIN each m ORDER BY c.id LIMIT 2")
    assert said(endpoint) == ["s:Be short. u:a a:A u:b"]


def test_no_rows_are_no_conversation(house: SmallHouse, endpoint: Endpoint) -> None:
    assert house.rows("SELECT m.answer FROM chat c JOIN last m WHERE c.id > 9") == []
    assert endpoint.calls == 0
