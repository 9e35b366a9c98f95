"""The mariadb command-line client, where it is installed."""

import os
import pty
import select
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from proxy.wire import reports
from proxy.wire.stream import PacketStream
from tests.wire.conftest import PASSWORD, Server
from tests.wire.fake import PROGRESS

MARIADB = shutil.which("mariadb")

pytestmark = pytest.mark.skipif(MARIADB is None, reason="the mariadb client is not installed")


def mariadb(server: Server, sql: str, *options: str) -> subprocess.CompletedProcess[str]:
    assert MARIADB is not None
    command = [
        MARIADB,
        "--no-defaults",
        "--host=127.0.0.1",
        f"--port={server.port}",
        "--user=alice",
        f"--password={PASSWORD}",
        "--batch",
        "--skip-auto-rehash",
        *options,
        f"--execute={sql}",
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_it_logs_in_and_reads_rows(server: Server) -> None:
    run = mariadb(server, "select hello")
    assert (run.stdout, run.stderr) == ("value\nhello\n", "")


def test_it_logs_in_through_tls(serve: Callable[..., Server], tls: ssl.SSLContext) -> None:
    run = mariadb(serve(tls=tls), "rows 2000 100", "--ssl")
    assert run.stderr == ""
    assert len(run.stdout.splitlines()) == 2001


def test_its_password_never_travels_in_clear(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    packets: list[bytes] = []
    read = PacketStream.read

    async def overheard(stream: PacketStream, patience: float | None = None) -> bytes:
        packets.append(await read(stream, patience))
        return packets[-1]

    monkeypatch.setattr(PacketStream, "read", overheard)
    assert mariadb(server, "select 1").returncode == 0
    assert not any(PASSWORD.encode() in packet for packet in packets)


def test_it_takes_several_results(server: Server) -> None:
    run = mariadb(server, "select one; select two;")
    assert run.stdout == "value\none\nvalue\ntwo\n"


def test_it_shows_errors_as_mysql_does(server: Server) -> None:
    run = mariadb(server, "oops")
    assert "ERROR 1064 (42000) at line 1: near 'oops'" in run.stderr


def test_it_is_refused_with_a_wrong_password(server: Server) -> None:
    run = mariadb(server, "select 1", "--password=wrong")
    assert "ERROR 1045 (28000): Access denied for user 'alice'@'127.0.0.1'" in run.stderr


@contextmanager
def terminal(server: Server, *options: str) -> Iterator[int]:
    """The client at a terminal; what is written to the descriptor is typed."""
    assert MARIADB is not None
    login = ["--host=127.0.0.1", f"--port={server.port}", "--user=alice", f"--password={PASSWORD}"]
    pid, typed = pty.fork()
    if pid == 0:
        os.execve(
            MARIADB,
            ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", *login, *options],
            {"TERM": "dumb"},
        )
    try:
        read_until(typed, "MySQL [(none)]> ")
        yield typed
    finally:
        os.close(typed)
        os.waitpid(pid, 0)


def read_until(typed: int, wanted: str) -> str:
    """All that is on the terminal up to the text."""
    seen = b""
    deadline = time.monotonic() + 10
    while not seen.endswith(wanted.encode()):
        assert select.select([typed], [], [], max(0, deadline - time.monotonic()))[0], seen
        seen += os.read(typed, 1)
    return seen.decode()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "FIRST", 0.05)
    monkeypatch.setattr(reports, "EVERY", 0.1)


@pytest.mark.parametrize("tls_on", [False, True])
def test_it_draws_progress(
    serve: Callable[..., Server], tls: ssl.SSLContext, tls_on: bool, hasty: None
) -> None:
    server = serve(tls=tls if tls_on else None)
    with terminal(server, *(["--ssl"] if tls_on else [])) as typed:
        os.write(typed, b"predict 0.3;\n")
        read_until(typed, f"Stage: 1 of 2 '{PROGRESS.text}'   12.3% of stage done\r")
        assert "first" in read_until(typed, "2 rows in set")


def test_control_c_kills_the_query_and_not_the_client(server: Server) -> None:
    with terminal(server) as typed:
        os.write(typed, b"sleep 60;\n")
        server.wait_for("sleeping")
        os.write(typed, b"\x03")
        server.wait_for("cancelled", timeout=2)
        read_until(typed, "ERROR 1317 (70100): Query execution was interrupted")
        os.write(typed, b"select alive;\n")
        read_until(typed, "1 row in set")
