"""Framing: what TCP and hostile peers may do to packets."""

import resource
import socket
import threading
import time
from collections.abc import Callable

import pytest

from proxy.wire.limits import Limits
from tests.wire.conftest import Server
from tests.wire.raw import error_code, response

PING = b"\x0e"


def test_a_header_split_over_segments_is_one_header(server: Server) -> None:
    client = server.raw()
    client.log_in()
    for byte in b"\x01\0\0\0" + PING:
        client.send_bytes(bytes([byte]))
        time.sleep(0.01)
    assert client.read()[0] == 0


def test_pipelined_commands_are_answered_one_after_the_other(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.send_bytes((b"\x01\0\0\0" + PING) * 3)
    assert [client.read()[0] for _ in range(3)] == [0, 0, 0]


def test_a_command_that_came_while_another_ran_is_not_lost(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.command(b"\x03sleep 0.2")
    server.wait_for("sleeping")
    client.send_bytes(b"\x01\0\0\0" + PING)
    assert [client.read() for _ in range(5)][3] == b"\x010"
    assert client.read()[0] == 0


def test_a_packet_out_of_order_ends_the_connection(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.send_bytes(b"\x01\0\0\x05" + PING)
    assert error_code(client.read()) == 1156
    assert client.at_end()


def test_a_statement_above_16_mb_arrives_whole(server: Server) -> None:
    with server.connect(max_allowed_packet=1 << 26) as connection, connection.cursor() as cursor:
        text = "x" * (17 << 20)
        cursor.execute(f"select {text}")
        ((value,),) = cursor.fetchall()
    assert value == text


@pytest.mark.parametrize("size", [0xFFFFFF - 8, 0xFFFFFF - 4, 0xFFFFFF, 17 << 20])
def test_a_row_of_16_mb_and_more_arrives_whole(server: Server, size: int) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"rows 2 {size}")
        assert [len(text) for _, text in cursor.fetchall()] == [size, size]
        cursor.execute("select 1")
        assert cursor.fetchall() == (("1",),)


def test_a_packet_above_max_allowed_packet_is_refused_unread(
    serve: Callable[..., Server],
) -> None:
    server = serve(Limits(max_allowed_packet=1 << 20))
    client = server.raw()
    client.log_in()
    client.send_bytes(b"\x01\0\x10\0\x03")
    assert error_code(client.read()) == 1153
    assert client.at_end()


def test_a_flood_of_continuations_is_refused_at_the_limit(server: Server) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    client = server.raw()
    client.log_in()
    chunk = b"x" * 0xFFFFFF
    for sequence in range(5):
        client.send_bytes(b"\xff\xff\xff" + bytes([sequence]) + chunk)
    assert error_code(client.read()) == 1153
    assert client.at_end()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000


def test_before_login_a_packet_is_bounded_to_64_kb(server: Server) -> None:
    client = server.raw()
    client.greeting()
    client.send_bytes(b"\xff\xff\xff\x01")
    assert error_code(client.read()) == 1043
    assert client.at_end()


def test_a_silent_client_is_told_and_sent_away(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.wire.fake.FakeHandler.wait_timeout", 0.1)
    client = server.raw()
    client.log_in()
    assert error_code(client.read()) == 4031
    assert client.at_end()


def test_a_packet_that_is_never_finished_ends_the_connection(
    serve: Callable[..., Server],
) -> None:
    server = serve(Limits(net_read_timeout=0.1))
    client = server.raw()
    client.log_in()
    client.send_bytes(b"\x05\0\0\0\x03")
    assert client.at_end()


def test_a_client_that_reads_nothing_stops_the_rows(server: Server) -> None:
    client = server.raw(receive_buffer=1 << 16)
    client.log_in()
    client.command(b"\x03rows 2000000 100")
    server.wait_for(("batch", 0))
    time.sleep(0.5)
    produced = len(server.log)
    time.sleep(0.3)
    assert len(server.log) == produced < 400
    client.close()
    server.wait_for("batches closed")


def test_a_client_that_never_reads_again_is_given_up(serve: Callable[..., Server]) -> None:
    server = serve(Limits(net_write_timeout=0.3))
    client = server.raw(receive_buffer=1 << 16)
    client.log_in()
    client.command(b"\x03rows 2000000 100")
    server.wait_for("batches closed")
    server.wait_for("close")


def test_the_first_rows_come_before_the_last_are_made(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.command(b"\x03rows 3000000 50")
    assert [client.read() for _ in range(5)][4] == b"\x010\x32" + b"x" * 50
    assert "batches closed" not in server.log


def test_a_long_result_does_not_starve_other_clients(server: Server) -> None:
    long, other = server.raw(), server.raw()
    other.log_in()
    long.log_in()
    reader = threading.Thread(target=long.drain)
    long.command(b"\x03rows 300000 20")
    reader.start()
    started = time.monotonic()
    assert other.ask(PING)[0] == 0
    assert time.monotonic() - started < 0.5
    assert "batches closed" not in server.log
    long.socket.shutdown(socket.SHUT_RDWR)
    reader.join()


def test_a_login_in_one_byte_pieces_succeeds(server: Server) -> None:
    client = server.raw()
    client.greeting()
    for byte in client.frame(response("open", b"", b"caching_sha2_password")):
        client.send_bytes(bytes([byte]))
    assert client.read()[0] == 0
