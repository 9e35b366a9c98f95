"""A model is a table of all its answers: whatever is asked of the one is what the other says."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.fixtures import cases
from tests.fixtures.house import ORACLE, SmallHouse, add_oracle, reply, small_house
from tests.support.endpoint import Endpoint, Reply

_SLOW = 0.03
"""Seconds in which all calls of a window are on their way, so that LIMIT ends none before it is."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def house(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("oracle"), endpoint.url) as house:
        add_oracle(house)
        yield house


def answer(sql: str, database: str, house: SmallHouse) -> object:
    """The rows, in their order if the statement gives them one."""
    house.run(house.session.use(database))
    rows = house.rows(sql)
    return rows if "ORDER BY" in sql else Counter(rows)


@cases.every("oracle")
def test_model_answers_as_the_table_of_its_answers(
    case: cases.Case, house: SmallHouse, endpoint: Endpoint, accept: bool
) -> None:
    house.rows("DROP CACHE")
    delay = _SLOW if "LIMIT" in case.sql else 0.0
    endpoint.replies = lambda prompt: Reply(reply(prompt), delay=delay)
    endpoint.forget()
    answers = answer(case.sql, "modelwire", house)
    calls = [f"calls {endpoint.calls}"]
    assert calls == cases.expected(case, calls[0], accept)
    assert answers == answer(case.sql, ORACLE, house)
