"""The embedded model's process as the proxy sees it: started, configured, stopped, never orphaned.

It knows processes and ports; prompts are engine.py's, the model's file is model_file.py's.
"""

import asyncio
import json
import os
import secrets
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import httpx

from engines.errors import EndpointUnreachable

_SERVER = Path(__file__).with_name("server.py")
_START_TIMEOUT = 120.0
_STOP_TIMEOUT = 5.0
_LOG_SHOWN = 400


@dataclass(frozen=True, slots=True)
class Launch:
    """What the process is started with; `threads` 0 means one per core, `context` is tokens."""

    model: Path
    alias: str
    log: Path
    threads: int = 0
    slots: int = 2
    context: int = 4096


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A running process and how to call it."""

    url: str
    api_key: str
    process: asyncio.subprocess.Process

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self.process.returncode is None


async def start(launch: Launch) -> LocalServer:
    """Start the process and return it when the model is loaded and the server healthy.

    Raises EndpointUnreachable with the end of the process's log, or after 120 s.
    Cancelled or failed, it leaves no process behind.
    """
    api_key = secrets.token_urlsafe(32)
    process = await _spawn(launch)
    try:
        async with asyncio.timeout(_START_TIMEOUT):
            url = await _configure(process, launch, api_key)
            await _healthy(url)
    except TimeoutError as error:
        await stop(process)
        raise EndpointUnreachable("the embedded model did not load within 120 seconds") from error
    except BaseException:
        await stop(process)
        raise
    return LocalServer(url, api_key, process)


async def stop(process: asyncio.subprocess.Process) -> None:
    """End the process: by closing its stdin, and by force where it does not listen."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _spawn(launch: Launch) -> asyncio.subprocess.Process:
    launch.log.parent.mkdir(parents=True, exist_ok=True)
    with launch.log.open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the folder of this room holds modules with common names
            str(_SERVER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the proxy, which stops its queries first
        )


async def _configure(process: asyncio.subprocess.Process, launch: Launch, api_key: str) -> str:
    """Hand over the configuration and return the URL that the process answers with."""
    assert process.stdin is not None
    assert process.stdout is not None
    configuration = {
        "model": str(launch.model),
        "alias": launch.alias,
        "api_key": api_key,
        "threads": launch.threads or os.cpu_count() or 1,
        "slots": launch.slots,
        "context": launch.context,
    }
    process.stdin.write(json.dumps(configuration).encode() + b"\n")
    url = (await process.stdout.readline()).decode().strip()
    if not url:
        raise EndpointUnreachable(f"the embedded model did not start: {_end_of(launch.log)}")
    return url


async def _healthy(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:  # noqa: S501 - loopback
        while True:
            response = await client.get(f"{url}/health", timeout=5.0)
            if response.status_code == httpx.codes.OK:
                return
            await asyncio.sleep(0.05)


def _end_of(log: Path) -> str:
    """Its last line: the error, without the way that it took."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:_LOG_SHOWN] if lines else "it gave no reason"


class StartLimit:
    """Counts starts, so that a process that keeps dying is not restarted for ever."""

    def __init__(self, starts: int = 4, seconds: float = 120.0) -> None:
        self._seconds = seconds
        self._starts: deque[float] = deque(maxlen=starts)

    def count(self) -> None:
        """Count one start. Raises EndpointUnreachable where there were too many of late."""
        now = asyncio.get_running_loop().time()
        if len(self._starts) == self._starts.maxlen and now - self._starts[0] < self._seconds:
            raise EndpointUnreachable(
                f"the embedded model ended {len(self._starts)} times in {self._seconds:g} seconds"
            )
        self._starts.append(now)
