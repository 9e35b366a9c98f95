"""Random queries and changes that call models answer as over functions that give the same."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from proxy.result import Done
from tests.fixtures.house import ORACLE, SmallHouse, add_oracle, fault, reply, small_house
from tests.support.endpoint import Endpoint, Reply

_EACH = 60
_NOT_SUPPORTED = "1235 "
"""What such an error says has another way to be written; it is no wrong answer."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with (
        Endpoint() as endpoint,
        small_house(tmp_path_factory.mktemp("random"), endpoint.url) as house,
    ):
        endpoint.replies = lambda prompt: Reply(reply(prompt))
        add_oracle(house)
        yield house


class Speaker:
    """Says statements over things AS t, of expressions up to `depth` levels deep."""

    def __init__(self, seed: int, depth: int = 3) -> None:
        self._random = Random(seed)
        self._depth = depth

    def value(self, left: int | None = None) -> str:
        left = self._depth if left is None else left
        if left <= 0:
            return self._one("t.name", "'soup'", "'knife'", "NULLIF(t.name, 'soup')")
        value, condition = (lambda: self.value(left - 1)), (lambda: self.condition(left - 1))
        return self._one(
            self.value(0),
            f"kind({value()})",
            f"colour({value()})",
            f"pair({value()}, {value()})",
            f"CASE WHEN {condition()} THEN {value()} WHEN {condition()} THEN {value()} END",
            f"CASE {value()} WHEN {value()} THEN {value()} ELSE {value()} END",
            f"IF({condition()}, {value()}, {value()})",
            f"COALESCE({value()}, {value()}, {value()})",
            f"CONCAT({value()}, '-')",
        )

    def condition(self, left: int | None = None) -> str:
        left = self._depth if left is None else left
        plain = self._one("t.price < 3", "t.id > 3", "t.name = 'soup'", "t.price IS NULL", "NULL")
        if left <= 0:
            return plain
        value, condition = (lambda: self.value(left - 1)), (lambda: self.condition(left - 1))
        return self._one(
            plain,
            f"{value()} = {value()}",
            f"{value()} <> 'tool'",
            f"({condition()} AND {condition()})",
            f"({condition()} OR {condition()})",
            f"NOT ({condition()})",
            f"{value()} IS NULL",
        )

    def query(self) -> str:
        source = f"things t{self._join()} WHERE {self.condition()} AND {self.condition(1)}"
        key = self._one("t.name", "kind(t.name)", "t.price > 3")
        return self._one(
            f"SELECT t.id, {self.value()} AS v, {self.value()} AS w FROM {source}",
            f"SELECT * FROM (SELECT t.id, {self.value()} AS v FROM {source}) q WHERE q.v > 'a'",
            f"SELECT COUNT(DISTINCT {self.value()}) AS n, MAX({self.value()}) AS m FROM {source}",
            f"SELECT pair({key}, MAX({self.value(2)})) AS p FROM {source} GROUP BY {key} "
            "HAVING COUNT(*) > 0 AND p <> 'a'",
            f"SELECT pair(t.name, LAG({self.value(1)}) OVER (ORDER BY t.id)) AS p FROM things t",
            f"SELECT {self.value()} AS v FROM {source} UNION SELECT {self.value()} FROM things t",
        )

    def change(self) -> str:
        where = f"WHERE {self.condition()} AND {self.condition(1)}"
        return self._one(
            f"UPDATE things t SET name = SUBSTR({self.value()}, 1, 9), price = price + 1 {where}",
            f"DELETE FROM things t {where}",
            f"INSERT INTO colours SELECT {self.value()}, {self.value()} FROM things t {where}",
            "INSERT INTO colours VALUES (kind('tea'), pair('a', 'b')), (kind('b'), pair('c', 'd'))",
        )

    def _join(self) -> str:
        return self._one(
            *("", ""),
            " JOIN stock s ON s.thing_id = t.id",
            f" LEFT JOIN colours c ON c.label = {self.value(1)}",
            " LEFT JOIN colours c ON kind(c.label) = kind(t.name)",
            " JOIN kind m ON m.name = t.name",
        )

    def _one(self, *said: str) -> str:
        return self._random.choice(said)


def answer(sql: str, database: str, house: SmallHouse) -> object:
    house.run(house.session.use(database))
    try:
        return Counter(house.rows(sql))
    except Exception as error:
        return fault(error)


def changed(sql: str, database: str, house: SmallHouse) -> object:
    """What a change makes of the tables; it is undone."""
    house.run(house.session.use(database))
    house.rows("BEGIN")
    try:
        done = house.run(house.session.query(sql))
        tables = [Counter(house.rows(f"SELECT * FROM {name}")) for name in ("things", "colours")]
    except Exception as error:
        return fault(error)
    else:
        assert isinstance(done, Done)
        return done.affected_rows, tables
    finally:
        house.rows("ROLLBACK")


@pytest.mark.parametrize("seed", range(3))
def test_random_queries_agree(house: SmallHouse, seed: int) -> None:
    speaker = Speaker(seed)
    for _ in range(_EACH):
        sql = speaker.query()
        said = answer(sql, "modelwire", house)
        if not str(said).startswith(_NOT_SUPPORTED):
            assert said == answer(sql, ORACLE, house), sql


def test_random_changes_agree(house: SmallHouse) -> None:
    speaker = Speaker(0, depth=2)
    for _ in range(_EACH):
        sql = speaker.change()
        assert changed(sql, "modelwire", house) == changed(sql, ORACLE, house), sql
