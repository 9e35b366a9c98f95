"""How soon a statement ends when it is killed or its client is gone, whatever it does meanwhile."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable

import pytest
import uvloop

from tests.wire.conftest import Server
from tests.wire.raw import RawClient, error_code

SOON = 0.02
TRIES = 3
"""One of so many tries must be in time: the machine that tests may be busy."""


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def server(serve: Callable[..., Server], request: pytest.FixtureRequest) -> Server:
    return serve(loop=request.param())


def silent(server: Server) -> RawClient:
    """No row is there yet."""
    client = server.raw()
    client.log_in()
    client.command(b"\x03sleep 60")
    server.wait_for("sleeping")
    return client


def dripping(server: Server) -> RawClient:
    """Some rows are out; the next one is waited for."""
    client = server.raw()
    client.log_in()
    client.command(b"\x03drip 3")
    server.wait_for("dry")
    return client


def stalled(server: Server) -> RawClient:
    """Rows are there, and the client does not read them."""
    client = server.raw(receive_buffer=1 << 12)
    client.log_in()
    client.command(b"\x03rows 2000000 100")
    server.settle()
    return client


def kill_query(server: Server, client: RawClient) -> float:
    return kill(server, "query ")


def kill_connection(server: Server, client: RawClient) -> float:
    return kill(server, "")


def kill(server: Server, what: str) -> float:
    victim, killer = server.listener.processes.list()[-1].connection_id, server.raw()
    killer.log_in()
    at = time.monotonic()
    assert killer.ask(f"\x03kill {what}{victim}".encode())[0] == 0
    return at


def close(server: Server, client: RawClient) -> float:
    at = time.monotonic()
    client.close()
    return at


def reset(server: Server, client: RawClient) -> float:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return close(server, client)


def half_close(server: Server, client: RawClient) -> float:
    at = time.monotonic()
    client.socket.shutdown(socket.SHUT_WR)
    return at


@pytest.mark.parametrize("end", [kill_query, kill_connection, close, reset, half_close])
@pytest.mark.parametrize("begin", [silent, dripping, stalled])
def test_a_statement_ends_soon(
    server: Server,
    begin: Callable[[Server], RawClient],
    end: Callable[[Server, RawClient], float],
) -> None:
    waited = []
    for _ in range(TRIES):
        server.log.clear()
        client = begin(server)
        handler = server.handlers[-1]
        assert handler.ended_at is None
        at = end(server, client)
        server.wait_for("batches closed" if begin is stalled else "cancelled")
        assert handler.ended_at is not None
        waited.append(handler.ended_at - at)
        client.close()
        server.wait_for("close")
    assert min(waited) < SOON, waited


def test_a_deadline_holds_for_rows_that_nobody_reads(server: Server) -> None:
    client = server.raw(receive_buffer=1 << 12)
    client.log_in()
    client.command(b"\x03late 0.5")
    server.settle()
    server.wait_for("batches closed", timeout=3)
    rows, last = client.answer()
    assert rows
    assert error_code(last) == 3024
    assert client.ask(b"\x0e")[0] == 0


def test_a_killed_connection_that_nobody_reads_is_gone(server: Server) -> None:
    client = stalled(server)
    kill_connection(server, client)
    server.wait_for("close", timeout=3)


def test_a_result_that_was_never_begun_is_released(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.ask(b"\x03unsent x")
    assert error_code(client.read()) == 1105
    assert "released" in server.log


def test_rows_are_sent_while_the_next_one_is_waited_for(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.command(b"\x03drip 3")
    assert client.read() == b"\x01"
    assert client.read().startswith(b"\x03def")
    assert client.read()[0] == 0xFE
    assert [client.read() for _ in range(3)] == [b"\x010", b"\x011", b"\x012"]
    assert "cancelled" not in server.log


def test_small_packets_do_not_wait_for_each_other(server: Server) -> None:
    server.raw().log_in()
    (connection,) = server.listener._connections.values()
    peer = connection._stream._writer.get_extra_info("socket")
    assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
