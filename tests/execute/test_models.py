"""Models as definitions: made again from what SHOW CREATE says, changed, asked by version."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.records import ModelRecord
from proxy.result import Rows
from tests.fixtures.house import LONG_AGO, SmallHouse, reply, small_house
from tests.support.endpoint import Endpoint

UNCHECKED = ", skip_validation = true"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    with small_house(tmp_path) as house:
        yield house


def timeless(model: ModelRecord | None) -> ModelRecord:
    """A model without what a second making of it may change."""
    assert model is not None
    return replace(model, created_at=LONG_AGO, training_seconds=0.0)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE MODEL x PREDICT a USING engine = 'e', model_name = 'm', prompt_template = '{{t}}'",
        "CREATE MODEL `my x` PREDICT `a b` ENUM('it''s', 'b\\\\c', 'd\"e'), "
        "`c` DECIMAL(10,2), "
        "d JSON "
        "USING engine = e, model_name = 'm', prompt_template = 'Of\\n\"{{t}}\" it''s \\\\n {x}'",
        "CREATE MODEL x PREDICT a USING engine = 'e', model_name = 'm', prompt_template = '{{t}}', "
        "stop = ['a', '\"', '\\n'], temperature = 0.0000001, presence_penalty = -1.5",
        "CREATE MODEL x FROM modelwire (SELECT name AS t, ')' AS a FROM things WHERE id < 3) "
        "PREDICT a USING engine = 'e', model_name = 'm', prompt_template = '{{t}}'",
    ],
)
def test_show_create_model_makes_the_model_again(house: SmallHouse, sql: str) -> None:
    house.rows(sql + UNCHECKED)
    (made,) = [m for m in house.store.models if m.name in ("x", "my x")]
    ((_, text),) = house.rows(f"SHOW CREATE MODEL `{made.name}`")
    house.rows(f"DROP MODEL `{made.name}`")
    house.rows(f"{text}{UNCHECKED}")
    assert timeless(house.store.find_model("modelwire", made.name)) == timeless(made)


def test_an_enum_from_before_types_stays_one(house: SmallHouse) -> None:
    kind = house.store.model("modelwire", "kind")
    labelled = replace(kind, targets=(replace(kind.targets[0], labels=("food", "tool")),))
    house.run(house.store.put_version(labelled))
    ((_, text),) = house.rows("SHOW CREATE MODEL kind")
    assert "PREDICT `label` enum('food','tool')" in str(text)
    house.rows("RETRAIN kind USING max_tokens = 5, skip_validation = true")
    (target,) = house.store.model("modelwire", "kind").targets
    assert (target.type, target.labels) == ("enum('food','tool')", ("food", "tool"))


def test_a_version_in_training_can_be_described_and_not_asked(house: SmallHouse) -> None:
    kind = house.store.model("modelwire", "kind")
    training = replace(kind, status="training")
    failed = replace(kind, status="error", error="no money")
    for version in (training, failed):
        house.run(house.store.add_version(version, activate=False))
    assert house.outcome("SELECT label FROM kind.2 WHERE name = 'soup'") == (
        "1430 Version 2 of model 'modelwire.kind' cannot be asked: its status is 'training'"
    )
    assert house.outcome("RETRAIN kind.3").endswith("its status is 'error': no money")
    assert house.outcome("SET active = kind.2").startswith("1451 ")
    assert house.rows("DESCRIBE kind.2") == house.rows("DESCRIBE kind.1")
    assert [row[3:6] for row in house.rows("DESCRIBE kind.versions")] == [
        ("1", "1", "complete"),
        ("0", "2", "training"),
        ("0", "3", "error"),
    ]


def test_a_version_comes_before_a_table_of_a_database_of_that_name(house: SmallHouse) -> None:
    house.rows("CREATE DATABASE kind")
    house.rows("USE kind")
    house.rows("CREATE TABLE `7` (a INT)")
    assert house.rows("SELECT * FROM `7`") == []
    house.rows("USE modelwire")
    assert house.outcome("SELECT * FROM kind.`7`").startswith("1146 Model 'modelwire.kind' has no")


def test_a_stream_ends_with_the_version_that_it_began_with(tmp_path: Path) -> None:
    with Endpoint(reply) as endpoint, small_house(tmp_path, endpoint.url) as house:
        house.rows("RETRAIN kind USING max_tokens = 5, skip_validation = true")

        async def dropped_meanwhile() -> list[tuple[object, ...]]:
            result = await house.session.query("SELECT k.label FROM things JOIN kind.1 AS k")
            assert isinstance(result, Rows)
            await house.store.drop_version("modelwire", "kind", 1)
            house.engines.forget(house.store.model("modelwire", "kind"))
            return [row async for batch in result.batches for row in batch]

        rows = house.run(dropped_meanwhile())
        assert sorted(map(str, rows)) == sorted(
            str((label,)) for label in ("food", "tool", "tool", "food", "other", "letter")
        )
        assert endpoint.calls == 5


def test_a_prepared_statement_reads_a_version(tmp_path: Path) -> None:
    with Endpoint(reply) as endpoint, small_house(tmp_path, endpoint.url) as house:
        house.rows("RETRAIN kind USING max_tokens = 5, skip_validation = true")

        async def executed() -> list[tuple[object, ...]]:
            prepared = house.session.prepare("SELECT kind.1.label FROM kind.1 WHERE name = ?")
            result = await house.session.execute(prepared, ["soup"])
            assert isinstance(result, Rows)
            return [row async for batch in result.batches for row in batch]

        assert house.run(executed()) == [("food",)]
        assert endpoint.calls == 1


def test_the_cost_of_two_versions_is_one_account(tmp_path: Path) -> None:
    with Endpoint(reply) as endpoint, small_house(tmp_path, endpoint.url) as house:
        house.rows("RETRAIN kind USING max_tokens = 5, skip_validation = true")
        house.rows("SELECT a.label, b.label FROM things JOIN kind.1 AS a JOIN kind.2 AS b")
        seen = house.rows("SELECT MODEL, CALLS, STATUS FROM information_schema.model_usage")
        assert seen == [("kind", "10", "complete")]
        assert endpoint.calls == 10
