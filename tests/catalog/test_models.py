import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from cryptography.fernet import Fernet

from catalog import migrations
from catalog.errors import AlreadyExists, InUse, TableUnknown, VersionUnknown
from catalog.migrations import STEPS, migrate
from catalog.records import BudgetRecord, EngineRecord, ModelRecord, TargetRecord
from catalog.secrets import Vault
from catalog.store import Store
from tests.fixtures.house import LONG_AGO

KEY = Fernet.generate_key().decode()
ENGINE = EngineRecord("e", "openai", {}, {}, LONG_AGO)
MODEL = ModelRecord(
    "shop", "Mood", 1, "e", (TargetRecord("mood"),), ("text",), {"model_name": "m"}, LONG_AGO
)
SECOND = replace(MODEL, version=2, options={"model_name": "n"}, examples=(("a", None),))


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
    """A store with MODEL and, not active, SECOND."""
    store = reopened()
    asyncio.run(store.add_engine(ENGINE))
    asyncio.run(store.add_model(MODEL, or_replace=False))
    asyncio.run(store.add_version(SECOND, activate=False))
    return store


def test_versions_are_there_after_a_restart(store: Store, reopened: Callable[[], Store]) -> None:
    again = reopened()
    assert (again.models, again.all_versions) == ([MODEL], [MODEL, SECOND])


def test_active_version_is_active_after_a_restart(
    store: Store, reopened: Callable[[], Store]
) -> None:
    asyncio.run(store.activate("SHOP", "mood", 2))
    assert (store.models, reopened().models) == ([SECOND], [SECOND])


def test_a_version_that_is_not_complete_cannot_be_active(store: Store) -> None:
    training = replace(MODEL, status="training")
    asyncio.run(store.add_version(training, activate=False))
    with pytest.raises(InUse, match="its status is 'training'"):
        asyncio.run(store.activate("shop", "mood", 3))
    assert store.model("shop", "mood") == MODEL


def test_unknown_version_names_those_there_are(store: Store) -> None:
    with pytest.raises(VersionUnknown, match=r"'shop\.Mood' has no version 7 \(there is 1, 2\)"):
        store.version("shop", "mood", 7)


def test_a_version_is_replaced_in_its_place(store: Store, reopened: Callable[[], Store]) -> None:
    changed = replace(SECOND, options={"model_name": "o"})
    asyncio.run(store.put_version(changed))
    assert (store.all_versions, reopened().all_versions) == ([MODEL, changed], [MODEL, changed])


def test_a_dropped_version_is_gone_and_its_number_with_it(
    store: Store, reopened: Callable[[], Store]
) -> None:
    asyncio.run(store.add_version(SECOND, activate=True))
    asyncio.run(store.drop_version("shop", "mood", 2))
    again = reopened()
    assert [m.version for m in again.all_versions] == [1, 3]
    assert asyncio.run(again.add_version(SECOND, activate=False)).version == 4


def test_the_active_version_stays(store: Store) -> None:
    with pytest.raises(InUse, match="it is the active one"):
        asyncio.run(store.drop_version("shop", "mood", 1))
    assert store.all_versions == [MODEL, SECOND]


def test_a_model_goes_with_all_its_versions(store: Store, reopened: Callable[[], Store]) -> None:
    asyncio.run(store.drop_model("shop", "mood"))
    assert (store.all_versions, reopened().all_versions) == ([], [])


def test_a_model_is_renamed_with_its_versions_and_budgets(
    store: Store, reopened: Callable[[], Store]
) -> None:
    budget = BudgetRecord("b", None, "shop.Mood", None, 1, None, None, LONG_AGO)
    other = replace(budget, name="c", model="shop.other")
    for each in (budget, other):
        asyncio.run(store.add_budget(each))
    asyncio.run(store.activate("shop", "mood", 2))
    asyncio.run(store.rename_model("shop", "MOOD", "Feeling"))
    versions = [replace(m, name="Feeling", origin="shop.Mood") for m in (MODEL, SECOND)]
    budgets = [replace(budget, model="shop.Feeling"), other]
    for seen in (store, reopened()):
        assert (seen.all_versions, seen.models) == (versions, versions[1:])
        assert seen.budgets == budgets
        assert seen.find_model("shop", "mood") is None


def test_a_model_renamed_back_keeps_its_origin(store: Store) -> None:
    asyncio.run(store.rename_model("shop", "mood", "feeling"))
    asyncio.run(store.rename_model("shop", "feeling", "Mood"))
    assert [m.origin for m in store.all_versions] == ["shop.Mood", "shop.Mood"]


def test_a_name_in_use_is_not_given_again(store: Store) -> None:
    asyncio.run(store.add_model(replace(MODEL, name="other"), or_replace=False))
    with pytest.raises(AlreadyExists, match=r"Model 'shop\.other' already exists"):
        asyncio.run(store.rename_model("shop", "mood", "OTHER"))
    assert store.model("shop", "mood") == MODEL


def test_a_version_of_nothing_is_not_added(store: Store) -> None:
    with pytest.raises(TableUnknown):
        asyncio.run(store.add_version(replace(MODEL, name="nothing"), activate=True))


def test_a_catalog_before_versions_keeps_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = duckdb.connect(str(tmp_path / "old.duckdb"))
    with monkeypatch.context() as old:
        old.setattr(migrations, "STEPS", STEPS[:2])
        migrate(connection)
    options = {"model_name": "m", "stop": ["a"], "max_tokens": None}
    connection.execute(
        "INSERT INTO models VALUES ('shop', 'Mood', 3, 'e', 'mood', ?, '[\"text\"]', ?, "
        "'SELECT 1', ?, 0.25)",
        [json.dumps(["good", "it's"]), json.dumps(options), LONG_AGO],
    )
    connection.close()
    store = Store(tmp_path / "old.duckdb", Vault(KEY))
    expected = ModelRecord(
        project="shop",
        name="Mood",
        version=3,
        engine="e",
        targets=(TargetRecord("mood", "text", ("good", "it's")),),
        inputs=("text",),
        options=options,
        created_at=LONG_AGO,
        training_seconds=0.25,
        select_data_query="SELECT 1",
    )
    assert (store.models, store.all_versions) == ([expected], [expected])
    store.close()
