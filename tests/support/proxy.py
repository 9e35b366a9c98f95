"""A real proxy in a process of its own, for tests and benchmarks to connect to.

It knows the proxy by its command line, environment and log only.
"""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymysql

READY = re.compile(r"modelwire is ready on (\S+):(\d+)")
START_SECONDS = 30.0
STOP_SECONDS = 15.0


class ProxyGone(Exception):
    """The proxy ended, or stayed silent, before it was ready; its log is the text."""


class ProxyProcess:
    """`modelwire serve` on a free port of loopback, with one user.

    `env` adds settings. `log` grows while the process runs; `host` and `port` are known once
    start() returns. Raises ProxyGone from start().
    """

    user = "tester"
    password = "correct horse battery staple"

    def __init__(self, data_dir: Path, env: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.host = ""
        self.port = 0
        self.log: list[str] = []
        self.start_seconds = 0.0
        self._env = dict(env or {})
        self._ready = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """The process id; only after start()."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start, and return once connections are accepted."""
        started = time.monotonic()
        self._ready.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proxy.cli", "serve"],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read_log, args=(self._process,), daemon=True)
        self._reader.start()
        self._ready.wait(START_SECONDS)
        self.start_seconds = time.monotonic() - started
        if not self.port:
            self.stop()
            raise ProxyGone("\n".join(self.log) or "no log")
        return self

    def stop(self) -> int:
        """End the process as SIGTERM does, and give its exit code; idempotent."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if self._reader is not None:
            self._reader.join(STOP_SECONDS)
        self._process = None
        self.port = 0
        return code

    def kill(self) -> None:
        """End the process as kill -9 does: it gets no chance to put anything away."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.stop()

    def connect(self, **options: Any) -> Any:
        """Open a pymysql connection; `options` go to pymysql and override user and password."""
        defaults = {"user": self.user, "password": self.password, "charset": "utf8mb4"}
        return pymysql.connect(host=self.host, port=self.port, **{**defaults, **options})

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("MODELWIRE_")
        }
        return inherited | {
            "MODELWIRE_HOST": "127.0.0.1",
            "MODELWIRE_PORT": "0",
            "MODELWIRE_DATA_DIR": str(self.data_dir),
            "MODELWIRE_USER": self.user,
            "MODELWIRE_PASSWORD": self.password,
            **self._env,
        }

    def _read_log(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self.log.append(line.rstrip("\n"))
                if found := READY.search(line):
                    self.host, self.port = found[1], int(found[2])
                    self._ready.set()
        self._ready.set()  # nobody waits for a process that is gone

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()
