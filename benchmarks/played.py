"""The played endpoint as the benchmarks see it: started, told how to behave, asked what it saw.

It talks to the endpoint's process over HTTP and knows nothing of the proxy.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import httpx

from benchmarks.behaviour import Behaviour
from benchmarks.tally import Stats

_POLL_SECONDS = 0.002


class PlayedEndpoint:
    """One endpoint in another process; `url` is its base for OpenAI clients."""

    def __init__(self, port: str) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self._control = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False
        )

    def play(self, behaviour: Behaviour) -> None:
        """Behave so from now on, and count from zero."""
        self._control.post("/control", json=asdict(behaviour)).raise_for_status()

    def stats(self) -> Stats:
        """What it counted since, with all moments."""
        return self._told("/stats/moments")

    def wait(self, until: Callable[[Stats], bool], patience: float = 60) -> Stats:
        """Poll until it is so; the stats then, without moments.

        Raises TimeoutError after `patience` seconds.
        """
        deadline = time.monotonic() + patience
        while not until(stats := self._told("/stats")):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the endpoint saw {stats.calls} calls, and not what was due")
            time.sleep(_POLL_SECONDS)
        return stats

    def _told(self, path: str) -> Stats:
        return Stats(**self._control.get(path).raise_for_status().json())

    def close(self) -> None:
        """Close the control connection."""
        self._control.close()


@contextmanager
def played_endpoint() -> Iterator[PlayedEndpoint]:
    """An endpoint that answers at once until it is told otherwise; it ends with the block."""
    command = [sys.executable, "-m", "benchmarks.endpoint"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        endpoint = PlayedEndpoint(process.stdout.readline().strip())
        try:
            yield endpoint
        finally:
            endpoint.close()
            process.stdin.close()
