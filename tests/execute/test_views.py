"""What is read of a view over models is what is read of the same view over tables of all their
answers; and it takes as many calls as the SELECT with the view written out.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.fixtures import cases
from tests.fixtures.house import ORACLE, SmallHouse, add_oracle, reply, small_house
from tests.fixtures.viewed import ONLY_MODELS, add_views
from tests.support.endpoint import Endpoint, Reply

_SLOW = 0.03
"""Seconds in which all calls of a window are on their way, so that LIMIT ends none before it is."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def house(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("views"), endpoint.url) as house:
        add_oracle(house)
        add_views(house, ORACLE)
        add_views(house, "modelwire")
        assert endpoint.calls == 0
        yield house


def answer(sql: str, database: str, house: SmallHouse) -> object:
    """The rows, in their order if the statement, or the view that it reads, gives them one."""
    house.run(house.session.use(database))
    rows = house.rows(sql)
    in_order = "ORDER BY" in sql or ("FROM sorted" in sql and "GROUP BY" not in sql)
    return rows if in_order else Counter(rows)


def asked(sql: str, house: SmallHouse, endpoint: Endpoint) -> tuple[object, int]:
    """The answer of the models' views, nothing being stored, and the calls that it takes."""
    house.rows("DROP CACHE")
    delay = _SLOW if "LIMIT" in sql else 0.0
    endpoint.replies = lambda prompt: Reply(reply(prompt), delay=delay)
    endpoint.forget()
    return answer(sql, "modelwire", house), endpoint.calls


@cases.every("views_oracle")
def test_a_view_over_models_answers_as_the_view_over_their_tables(
    case: cases.Case, house: SmallHouse, endpoint: Endpoint, accept: bool
) -> None:
    answers, calls = asked(case.sql, house, endpoint)
    assert [f"calls {calls}"] == cases.expected(case, f"calls {calls}", accept)
    assert answers == answer(case.sql, ORACLE, house)


@cases.every("views")
def test_a_view_takes_the_calls_of_the_select_written_out(
    case: cases.Case, house: SmallHouse, endpoint: Endpoint
) -> None:
    answers, calls = asked(case.sql, house, endpoint)
    assert (answers, calls) == asked(case.expected, house, endpoint)
    if not case.title.startswith(ONLY_MODELS):
        assert answers == answer(case.sql, ORACLE, house)
