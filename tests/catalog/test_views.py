import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import AlreadyExists, TableUnknown
from catalog.views import ViewRecord, ViewStore
from tests.catalog.rooms import rooms

VIEW = ViewRecord(
    "shop", "Good", "SELECT id, 'ü' AS x FROM t", "Shop", ("id", "x"), ("int", "text"), "alice"
)


def with_views(directory: Path, use: Callable[[ViewStore], Awaitable[Any]]) -> None:
    async def go() -> None:
        async with rooms(directory) as r:
            await use(r.store.views)

    asyncio.run(go())


def test_a_view_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async def make(views: ViewStore) -> None:
        await views.put(VIEW, replacing=False)

    async def look(views: ViewStore) -> None:
        assert views.all == [VIEW]
        assert views.find("SHOP", "gOOD") == VIEW

    with_views(tmp_path, make)
    with_views(tmp_path, look)


def test_a_view_takes_anothers_place_whatever_the_case_of_its_name(tmp_path: Path) -> None:
    other = replace(VIEW, name="GOOD", query="SELECT 1 AS id, 2 AS x")

    async def make(views: ViewStore) -> None:
        await views.put(VIEW, replacing=False)
        with pytest.raises(AlreadyExists, match=r"'shop\.Good' already exists"):
            await views.put(other, replacing=False)
        await views.put(other, replacing=True)

    async def look(views: ViewStore) -> None:
        assert views.all == [other]

    with_views(tmp_path, make)
    with_views(tmp_path, look)


def test_types_are_those_of_the_view_that_was_looked_at(tmp_path: Path) -> None:
    async def make(views: ViewStore) -> None:
        await views.put(VIEW, replacing=False)
        await views.retype(replace(VIEW, query="SELECT 1"), ("bigint", "text"))
        assert views.all == [VIEW]
        await views.retype(VIEW, ("bigint", "text"))

    async def look(views: ViewStore) -> None:
        assert views.all == [replace(VIEW, types=("bigint", "text"))]

    with_views(tmp_path, make)
    with_views(tmp_path, look)


def test_views_are_dropped_together_and_with_their_project(tmp_path: Path) -> None:
    away = replace(VIEW, project="away")

    async def make(views: ViewStore) -> None:
        for view in (VIEW, replace(VIEW, name="b"), replace(VIEW, name="c"), away):
            await views.put(view, replacing=False)
        await views.drop([VIEW, replace(VIEW, name="b")])
        assert views.names("SHOP") == ["c"]
        await views.drop_of("SHOP")

    async def look(views: ViewStore) -> None:
        assert views.all == [away]
        with pytest.raises(TableUnknown, match=r"'shop\.c' doesn't exist"):
            views.view("shop", "c")
        with pytest.raises(TableUnknown, match="did you mean 'Good'"):
            views.view("away", "godo")

    with_views(tmp_path, make)
    with_views(tmp_path, look)


def test_a_change_that_its_caller_gives_up_is_written_all_the_same(tmp_path: Path) -> None:
    async def make(views: ViewStore) -> None:
        task = asyncio.create_task(views.put(VIEW, replacing=False))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert views.all == [VIEW]

    async def look(views: ViewStore) -> None:
        assert views.all == [VIEW]

    with_views(tmp_path, make)
    with_views(tmp_path, look)
