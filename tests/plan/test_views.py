"""A view over models plans as if it were written out: its SELECT is part of the one reading it."""

from collections.abc import Iterator

import pytest

from tests.fixtures import cases
from tests.fixtures.house import SmallHouse, small_house
from tests.fixtures.viewed import add_views


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("views")) as house:
        add_views(house, "modelwire")
        yield house


def explained(sql: str, house: SmallHouse) -> list[str]:
    """The plan; names with quotes and without are the same."""
    return [str(line).replace('"', "") for (line,) in house.rows(f"EXPLAIN {sql}")]


@cases.every("views")
def test_a_view_plans_as_if_written_out(case: cases.Case, house: SmallHouse) -> None:
    assert explained(case.sql, house) == explained(case.expected, house)
