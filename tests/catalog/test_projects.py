import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.database import Database
from catalog.errors import DatabaseExists, DatabaseProtected, DatabaseUnknown
from catalog.projects import Projects

RESERVED = [
    *("information_schema", "mysql", "performance_schema", "sys"),
    *("main", "temp", "system", "pg_catalog"),
]


def with_projects(directory: Path, work: Callable[[Projects], Awaitable[Any]]) -> Any:
    """What `work` gives, over the projects of a directory."""

    async def run() -> Any:
        database = Database(directory / "d", spill_dir=directory / "s", memory_limit="200MB")
        try:
            projects = Projects(database)
            await projects.open()
            return await work(projects)
        finally:
            database.close()

    return asyncio.run(run())


async def names(projects: Projects) -> list[str]:
    return projects.names


async def rows(projects: Projects, sql: str) -> list[Any]:
    cursor = projects.database.cursor()
    try:
        return await cursor.execute(sql)
    finally:
        await cursor.close()


def test_first_start_makes_the_default_project_and_the_demo(tmp_path: Path) -> None:
    assert with_projects(tmp_path, names) == ["demo", "modelwire"]


def test_demo_has_its_reviews(tmp_path: Path) -> None:
    count = with_projects(tmp_path, lambda p: rows(p, "SELECT count(*) FROM demo.reviews"))
    assert count == [(60,)]


def test_a_dropped_demo_stays_dropped(tmp_path: Path) -> None:
    with_projects(tmp_path, lambda p: p.drop("demo"))
    assert with_projects(tmp_path, names) == ["modelwire"]


def test_a_project_is_there_after_a_restart(tmp_path: Path) -> None:
    with_projects(tmp_path, lambda p: p.create('My "Shop"'))
    assert with_projects(tmp_path, names) == ['My "Shop"', "demo", "modelwire"]


def test_a_name_is_resolved_to_the_one_that_was_made(tmp_path: Path) -> None:
    async def work(projects: Projects) -> str:
        await projects.create("Shop")
        return projects.resolve("sHOP")

    assert with_projects(tmp_path, work) == "Shop"


def test_an_unknown_name_suggests_a_near_one(tmp_path: Path) -> None:
    async def work(projects: Projects) -> str:
        return projects.resolve("dmo")

    with pytest.raises(DatabaseUnknown, match=r"Unknown database 'dmo': did you mean 'demo'\?"):
        with_projects(tmp_path, work)


@pytest.mark.parametrize("name", [*RESERVED, "MAIN"])
def test_a_reserved_name_cannot_be_made(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseProtected):
        with_projects(tmp_path, lambda p: p.create(name))


@pytest.mark.parametrize("name", [n for n in RESERVED if n != "information_schema"])
def test_a_reserved_name_is_unknown(name: str, tmp_path: Path) -> None:
    async def work(projects: Projects) -> str:
        return projects.resolve(name)

    with pytest.raises(DatabaseUnknown):
        with_projects(tmp_path, work)


@pytest.mark.parametrize("name", [*RESERVED, "modelwire", "ModelWire"])
def test_the_proxys_own_cannot_be_dropped(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseProtected):
        with_projects(tmp_path, lambda p: p.drop(name))


def test_the_same_name_in_another_case_exists(tmp_path: Path) -> None:
    with pytest.raises(DatabaseExists):
        with_projects(tmp_path, lambda p: p.create("DEMO"))


def test_dropping_takes_the_tables_along(tmp_path: Path) -> None:
    async def work(projects: Projects) -> list[Any]:
        await projects.create("shop")
        await rows(projects, "CREATE TABLE shop.t (x INT)")
        await projects.drop("SHOP")
        return await rows(projects, "FROM duckdb_tables() WHERE schema_name = 'shop'")

    assert with_projects(tmp_path, work) == []


def test_dropping_an_unknown_one_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnknown):
        with_projects(tmp_path, lambda p: p.drop("nothing"))


def test_a_cancelled_create_is_made_and_known(tmp_path: Path) -> None:
    async def work(projects: Projects) -> tuple[bool, list[Any]]:
        making = asyncio.create_task(projects.create("shop"))
        await asyncio.sleep(0)
        making.cancel()
        await asyncio.wait([making])
        made = await rows(projects, "FROM duckdb_schemas() WHERE schema_name = 'shop'")
        return "shop" in projects.names, made

    known, made = with_projects(tmp_path, work)
    assert (known, len(made)) == (True, 1)
