"""A server's process on a port of its own, and what it writes to its log.

It knows no server: what is run, and which line says that it is ready, it is told.
"""

import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.servers.program import unprivileged

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.01
PORTS = range(20_000, 30_000)
"""Below those that Linux gives to outgoing connections: a port is free again after a stop."""


class Broken(Exception):
    """A server did not start; its log is the text."""


@dataclass(slots=True)
class Process:
    """The process of `command`, that runs in `folder`, by default without root's rights.

    `ready` is found in `log` once it accepts connections, `ending` makes it stop at once. It ends
    with the thread that started it, whatever may have ended that (Linux alone can do this).
    """

    command: Sequence[str]
    folder: Path
    ready: re.Pattern[str]
    ending: signal.Signals = signal.SIGTERM
    rights: Mapping[str, Any] = field(default_factory=unprivileged)
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """What it writes to its error output, over all starts."""
        return self.folder / "log"

    @property
    def pid(self) -> int:
        """The process id, between start() and stop()."""
        assert self._running is not None
        return self._running.pid

    @property
    def running(self) -> bool:
        """Whether it has been started, and has not ended since, by itself or by stop()."""
        return self._running is not None and self._running.poll() is None

    def start(self) -> None:
        """Start, and return once connections are accepted; idempotent. Raises Broken."""
        if self.running:
            return
        said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [*_bound_to_us(self.ending), *self.command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is for the tests alone
                **self.rights,
            )
        try:
            _await(lambda: self._is_ready(said))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it as its administrator would, and wait for that; idempotent."""
        if self._running is None:
            return
        self._running.send_signal(self.ending)
        try:
            self._running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self._running = None

    def _is_ready(self, said: int) -> bool:
        assert self._running is not None
        gone = self._running.poll() is not None
        text = self.log.read_bytes()[said:].decode(errors="replace")
        if gone:
            raise Broken(f"{self.command[0]} ended by itself:\n{text}")
        return self.ready.search(text) is not None


def _bound_to_us(ending: signal.Signals) -> list[str]:
    """What to put before a command so that the kernel ends it with the thread that starts it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, f"--pdeathsig={ending.name.removeprefix('SIG')}"] if setpriv else []


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Broken(f"not ready after {START_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def free_port() -> int:
    """A port of HOST that nobody listens on."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((HOST, port))
            except OSError:
                continue
            return port
    raise Broken(f"no port from {PORTS.start} to {PORTS.stop} is free")


def run(command: Sequence[str], folder: Path) -> None:
    """Run a program to its end as a server would run. Raises Broken if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=START_SECONDS * 4,
        **unprivileged(),
    )
    if done.returncode:
        raise Broken(f"{command[0]} failed:\n{done.stdout}")
