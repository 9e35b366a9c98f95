import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from catalog.errors import (
    AlreadyExists,
    BudgetUnknown,
    DropUnknown,
    EngineUnknown,
    InUse,
    TableUnknown,
)
from catalog.records import BudgetRecord, EngineRecord, ModelRecord, TargetRecord, UserRecord
from catalog.secrets import Vault
from catalog.store import Store
from tests.fixtures.house import LONG_AGO

KEY = Fernet.generate_key().decode()
ENGINE = EngineRecord(
    "E1", "openai", {"api_base": "http://x"}, {"openai_api_key": "sk-1"}, LONG_AGO
)
MODEL = ModelRecord(
    project="shop",
    name="Mood",
    version=1,
    engine="E1",
    targets=(TargetRecord("mood", "enum('good','it''s')", ("good", "it's")),),
    inputs=("text", "who"),
    options={"model_name": "m", "max_tokens": 5, "stop": ["a", "b"], "x": None},
    created_at=LONG_AGO,
    training_seconds=0.25,
    source="shop",
    select_data_query="SELECT 1",
    examples=(("a", "b", "good"), ("c", None, "it's")),
)
BUDGET = BudgetRecord("Daily", "alice", None, None, 100, None, 2.5, LONG_AGO)
USER = UserRecord("alice", b"\x00\x01", "$A$005$salt")


@pytest.fixture
def reopened(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the store of the test's directory, closing the one that was open."""
    stores: list[Store] = []

    def reopen() -> Store:
        if stores:
            stores.pop().close()
        stores.append(Store(tmp_path / "catalog.duckdb", Vault(KEY)))
        return stores[-1]

    yield reopen
    stores.pop().close()


@pytest.fixture
def store(reopened: Callable[[], Store]) -> Store:
    return reopened()


@pytest.fixture
def engine(store: Store) -> EngineRecord:
    """The engine that MODEL names, kept."""
    asyncio.run(store.add_engine(ENGINE))
    return ENGINE


def test_engine_is_there_after_a_restart(store: Store, reopened: Callable[[], Store]) -> None:
    asyncio.run(store.add_engine(ENGINE))
    assert reopened().engines == [ENGINE]


@pytest.mark.usefixtures("engine")
def test_model_is_there_after_a_restart(store: Store, reopened: Callable[[], Store]) -> None:
    asyncio.run(store.add_model(MODEL, or_replace=False))
    assert reopened().models == [MODEL]


def test_user_is_there_after_a_restart(store: Store, reopened: Callable[[], Store]) -> None:
    asyncio.run(store.put_user(USER))
    assert reopened().users == [USER]


def test_budget_is_there_after_a_restart(store: Store, reopened: Callable[[], Store]) -> None:
    other = BudgetRecord("all", None, None, None, None, 2**40, None, LONG_AGO)
    asyncio.run(store.add_budget(BUDGET))
    asyncio.run(store.add_budget(other))
    assert reopened().budgets == [other, BUDGET]


def test_dropped_budget_is_gone_after_a_restart(
    store: Store, reopened: Callable[[], Store]
) -> None:
    asyncio.run(store.add_budget(BUDGET))
    asyncio.run(store.drop_budget("DAILY"))
    assert (store.budgets, reopened().budgets) == ([], [])


def test_budget_of_the_same_name_in_another_case_exists(store: Store) -> None:
    asyncio.run(store.add_budget(BUDGET))
    with pytest.raises(AlreadyExists, match="Budget 'daily' already exists"):
        asyncio.run(store.add_budget(replace(BUDGET, name="daily")))


def test_unknown_budget_suggests_a_near_one(store: Store) -> None:
    asyncio.run(store.add_budget(BUDGET))
    with pytest.raises(BudgetUnknown, match=r"'dayly' does not exist: did you mean 'Daily'\?"):
        asyncio.run(store.drop_budget("dayly"))


def test_dropped_engine_is_gone_after_a_restart(
    store: Store, reopened: Callable[[], Store]
) -> None:
    asyncio.run(store.add_engine(ENGINE))
    asyncio.run(store.drop_engine("E1"))
    assert reopened().engines == []


@pytest.mark.usefixtures("engine")
def test_dropped_model_is_gone_after_a_restart(store: Store, reopened: Callable[[], Store]) -> None:
    asyncio.run(store.add_model(MODEL, or_replace=False))
    asyncio.run(store.drop_model("shop", "Mood"))
    assert reopened().models == []


def test_new_password_replaces_the_old_one(store: Store, reopened: Callable[[], Store]) -> None:
    asyncio.run(store.put_user(USER))
    asyncio.run(store.put_user(replace(USER, native=b"new")))
    assert reopened().users == [replace(USER, native=b"new")]


def test_engine_is_found_in_any_case(store: Store) -> None:
    asyncio.run(store.add_engine(ENGINE))
    assert store.engine("e1") is ENGINE


@pytest.mark.usefixtures("engine")
def test_model_is_found_in_any_case(store: Store) -> None:
    asyncio.run(store.add_model(MODEL, or_replace=False))
    assert store.find_model("SHOP", "mOOD") == MODEL


def test_user_is_found_in_his_own_case_only(store: Store) -> None:
    asyncio.run(store.put_user(USER))
    assert store.user("Alice") is None


def test_engine_of_the_same_name_in_another_case_exists(store: Store) -> None:
    asyncio.run(store.add_engine(ENGINE))
    with pytest.raises(AlreadyExists, match="ML engine 'e1' already exists"):
        asyncio.run(store.add_engine(replace(ENGINE, name="e1")))


@pytest.mark.usefixtures("engine")
def test_model_of_the_same_name_in_another_case_exists(store: Store) -> None:
    asyncio.run(store.add_model(MODEL, or_replace=False))
    with pytest.raises(AlreadyExists, match=r"Model 'shop\.MOOD' already exists"):
        asyncio.run(store.add_model(replace(MODEL, name="MOOD"), or_replace=False))


@pytest.mark.usefixtures("engine")
def test_replaced_model_is_one_model(store: Store, reopened: Callable[[], Store]) -> None:
    asyncio.run(store.add_model(MODEL, or_replace=False))
    newer = asyncio.run(store.add_model(replace(MODEL, name="MOOD", inputs=()), or_replace=True))
    assert newer == replace(MODEL, version=2, inputs=())
    again = reopened()
    assert (again.models, again.all_versions) == ([newer], [MODEL, newer])


@pytest.mark.usefixtures("engine")
def test_models_of_two_projects_may_share_a_name(store: Store) -> None:
    other = replace(MODEL, project="lab")
    asyncio.run(store.add_model(MODEL, or_replace=False))
    asyncio.run(store.add_model(other, or_replace=False))
    assert store.models == [other, MODEL]


def test_engine_in_use_stays(store: Store) -> None:
    asyncio.run(store.add_engine(ENGINE))
    asyncio.run(store.add_model(replace(MODEL, engine="e1"), or_replace=False))
    with pytest.raises(InUse, match=r"Cannot drop ML engine 'E1': model 'shop\.Mood' uses it"):
        asyncio.run(store.drop_engine("E1"))
    assert store.has_engine("E1")


def test_unknown_engine_suggests_a_near_one(store: Store) -> None:
    asyncio.run(store.add_engine(replace(ENGINE, name="anyscale")))
    with pytest.raises(EngineUnknown, match=r"'anyscle': did you mean 'anyscale'\?"):
        store.engine("anyscle")


@pytest.mark.usefixtures("engine")
def test_unknown_model_suggests_a_near_one_of_its_project(store: Store) -> None:
    asyncio.run(store.add_model(MODEL, or_replace=False))
    asyncio.run(store.add_model(replace(MODEL, project="lab", name="Mooda"), or_replace=False))
    with pytest.raises(TableUnknown, match=r"'shop\.moods' doesn't exist: did you mean 'Mood'\?"):
        store.model("shop", "moods")


def test_dropping_what_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(DropUnknown, match=r"Unknown model 'shop\.nothing'"):
        asyncio.run(store.drop_model("shop", "nothing"))


def test_dropping_an_unknown_engine_is_an_error(store: Store) -> None:
    with pytest.raises(EngineUnknown):
        asyncio.run(store.drop_engine("nothing"))


@pytest.mark.usefixtures("engine")
def test_models_of_a_project_go_together(store: Store) -> None:
    for model in (MODEL, replace(MODEL, name="b"), replace(MODEL, project="lab")):
        asyncio.run(store.add_model(model, or_replace=False))
    asyncio.run(store.drop_models_of("SHOP"))
    assert [m.project for m in store.models] == ["lab"]


def test_of_two_writers_of_one_name_one_wins(store: Store) -> None:
    async def both() -> tuple[BaseException | None, BaseException | None]:
        return await asyncio.gather(
            store.add_engine(ENGINE), store.add_engine(ENGINE), return_exceptions=True
        )

    assert sorted(type(result).__name__ for result in asyncio.run(both())) == [
        "AlreadyExists",
        "NoneType",
    ]


def test_model_needs_its_engine(store: Store) -> None:
    with pytest.raises(EngineUnknown):
        asyncio.run(store.add_model(MODEL, or_replace=False))


def test_a_cancelled_write_is_written_and_remembered(
    store: Store, reopened: Callable[[], Store]
) -> None:
    async def cancelled() -> bool:
        writing = asyncio.create_task(store.add_engine(ENGINE))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        return writing.cancelled()

    assert asyncio.run(cancelled())
    assert (store.engines, reopened().engines) == ([ENGINE], [ENGINE])


def test_what_a_record_prints_holds_no_secret(store: Store) -> None:
    assert "sk-1" not in repr(ENGINE)
    assert "$A$" not in repr(USER)
