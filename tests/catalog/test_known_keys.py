import asyncio
from pathlib import Path

import pytest

from catalog.known_keys import FEW, KnownKeys, load_known_keys
from tests.catalog.rooms import answer, digest, rooms

KEYS = [digest() for _ in range(5000)]
assert len(KEYS) > FEW


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, len(KEYS)])
def test_what_was_added_is_known(count: int) -> None:
    known = KnownKeys()
    for key in KEYS[:count]:
        known.add(key)
    assert all(key in known for key in KEYS[:count])


def test_of_a_few_keys_no_other_is_known() -> None:
    known = KnownKeys()
    for key in KEYS[:FEW]:
        known.add(key)
    assert not any(key in known for key in KEYS[FEW:])


def test_what_was_not_added_is_hardly_ever_known() -> None:
    known = KnownKeys()
    for key in KEYS:
        known.add(key)
    assert sum(digest() in known for _ in range(5000)) < 10


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, len(KEYS)])
def test_duckdb_makes_the_same(count: int, tmp_path: Path) -> None:
    async def go() -> KnownKeys:
        async with rooms(tmp_path) as r:
            for key in KEYS[:count]:
                r.answers.keep("a.b", key, answer("x"), most=10_000)
            await r.journal.flush()
            return await r.journal.read(load_known_keys)

    known = KnownKeys()
    for key in KEYS[:count]:
        known.add(key)
    loaded = asyncio.run(go())
    assert loaded._few == known._few
    assert (loaded._bits and loaded._bits[:]) == (known._bits and known._bits[:])
    assert (known._bits is None) == (count <= FEW)
