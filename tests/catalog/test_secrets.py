import asyncio
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from catalog.errors import SecretsLocked
from catalog.records import UserRecord
from catalog.secrets import Vault, read_or_make_key
from catalog.store import Store
from tests.catalog.test_store import ENGINE

SECRET = "sk-plain-0123456789"
KEY, OTHER = (Fernet.generate_key().decode() for _ in range(2))


def test_what_is_sealed_opens_with_its_key() -> None:
    document = {"a": "x", "b": [1, None, {"c": True}], "ü": "한"}
    assert Vault(KEY).open(Vault(KEY).seal(document)) == document


def test_what_is_sealed_stays_shut_for_another_key() -> None:
    with pytest.raises(SecretsLocked, match="sealed with another key"):
        Vault(OTHER).open(Vault(KEY).seal({"a": SECRET}))


def test_changed_bytes_stay_shut() -> None:
    sealed = Vault(KEY).seal({"a": SECRET})
    with pytest.raises(SecretsLocked):
        Vault(KEY).open(sealed[:-4] + "AAA=")


@pytest.mark.parametrize("key", ["", "short", "x" * 44, "not base64 at all !!"])
def test_what_is_no_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(SecretsLocked) as caught:
        Vault(key)
    assert not key or key not in str(caught.value)


def test_seal_is_another_text_each_time() -> None:
    assert Vault(KEY).seal({"a": SECRET}) != Vault(KEY).seal({"a": SECRET})


def test_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    read_or_make_key(tmp_path / "secret.key")
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_key_file_is_made_once(tmp_path: Path) -> None:
    made = read_or_make_key(tmp_path / "secret.key")
    assert read_or_make_key(tmp_path / "secret.key") == made


def test_key_file_may_end_in_a_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text(f"{KEY}\n")
    assert read_or_make_key(tmp_path / "secret.key") == KEY


def test_catalog_of_another_key_does_not_open(tmp_path: Path) -> None:
    store = Store(tmp_path / "catalog.duckdb", Vault(KEY))
    asyncio.run(store.add_engine(ENGINE))
    store.close()
    with pytest.raises(SecretsLocked):
        Store(tmp_path / "catalog.duckdb", Vault(OTHER))


def test_no_file_of_the_catalog_holds_a_plain_secret(tmp_path: Path) -> None:
    store = Store(tmp_path / "catalog.duckdb", Vault(KEY))
    engine = type(ENGINE)("e", "openai", {}, {"openai_api_key": SECRET}, ENGINE.created_at)
    asyncio.run(store.add_engine(engine))
    asyncio.run(store.put_user(UserRecord("alice", SECRET.encode(), SECRET)))
    while_open = [path.read_bytes() for path in tmp_path.iterdir()]
    store.close()
    closed = [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(while_open) == 2, "the catalog and its log"
    assert not any(SECRET.encode() in content for content in (*while_open, *closed))
    assert not any(SECRET.encode().hex().encode() in content for content in (*while_open, *closed))
