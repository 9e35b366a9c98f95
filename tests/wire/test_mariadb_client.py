"""The mariadb command-line client, where it is installed."""

import shutil
import ssl
import subprocess
from collections.abc import Callable

import pytest

from proxy.wire.stream import PacketStream
from tests.wire.conftest import PASSWORD, Server

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
