"""Files of the client's, packet by packet: whatever becomes of the statement, the next packet that
the server reads as a command is one."""

import time
from collections.abc import Callable

import pytest
from mysql_mimic.types import Capabilities

from proxy.wire.limits import Limits
from tests.wire.conftest import Server
from tests.wire.raw import BASIC, RawClient, error_code

SENDS_FILES = BASIC | Capabilities.CLIENT_LOCAL_FILES


def connected(server: Server, capabilities: int = SENDS_FILES) -> RawClient:
    client = server.raw()
    client.log_in(capabilities=capabilities)
    return client


def asked(server: Server, how: str = "all", capabilities: int = SENDS_FILES) -> RawClient:
    """A client that is asked for its file."""
    client = connected(server, capabilities)
    name = "/tmp/ä.csv".encode()
    assert client.ask(b"\x03load " + name + b" " + how.encode()) == b"\xfb" + name
    return client


def is_alive(client: RawClient) -> bool:
    return client.ask(b"\x0e")[0] == 0


def test_a_file_is_asked_for_by_name_and_read_to_its_empty_packet(server: Server) -> None:
    client = asked(server)
    for piece in (b"a\tb\n", b"c", b"\td\n", b""):
        client.send(piece)
    answer = client.read()
    assert answer[:2] == b"\x00\x08"
    assert answer[7:] == b"\x0aRecords: 1"
    assert [entry for entry in server.log if entry[0] == "piece"] == [
        ("piece", n) for n in (4, 1, 3)
    ]
    assert is_alive(client)


def test_an_empty_file_is_a_file(server: Server) -> None:
    client = asked(server)
    client.send(b"")
    assert client.read()[:2] == b"\x00\x00"


@pytest.mark.parametrize(("how", "code"), [("refuse", 1064), ("fail", 1064), ("ignore", None)])
def test_a_file_is_read_to_its_end_whoever_wants_it(
    server: Server, how: str, code: int | None
) -> None:
    client = asked(server, how)
    for _ in range(300):  # sequence numbers go round
        client.send(b"x" * 1000)
    client.send(b"")
    answer = client.read()
    assert answer[:1] == b"\x00" if code is None else error_code(answer) == code
    assert is_alive(client)


def test_a_client_that_sends_no_files_is_told_so_and_not_asked(server: Server) -> None:
    client = connected(server, BASIC)
    answer = client.ask(b"\x03load f all")
    assert error_code(answer) == 3948
    assert b"CLIENT_LOCAL_FILES" in answer
    assert is_alive(client)


def test_statements_behind_it_follow(server: Server) -> None:
    client = asked(server, "all; insert x", SENDS_FILES | Capabilities.CLIENT_MULTI_STATEMENTS)
    client.send(b"abc")
    client.send(b"")
    assert client.read()[:2] == b"\x00\x03"
    assert client.read()[:2] == b"\x00\x03"
    assert ("query", "insert x") in server.log


def test_kill_query_waits_for_the_end_of_the_file(server: Server) -> None:
    victim, killer = asked(server, "hang"), connected(server)
    victim.send(b"x" * 10)
    server.wait_for(("piece", 10))
    killer.ask(b"\x03kill query 1")
    server.wait_for("cancelled")
    for _ in range(300):
        victim.send(b"x" * 1000)
    victim.send(b"")
    assert error_code(victim.read()) == 1317
    assert is_alive(victim)


def test_kill_query_inside_a_packet_loses_no_byte(server: Server) -> None:
    victim, killer = asked(server), connected(server)
    packet = victim.frame(b"x" * 10)
    victim.send_bytes(packet[:7])
    time.sleep(0.05)
    killer.ask(b"\x03kill query 1")
    server.wait_for("cancelled")
    victim.send_bytes(packet[7:])
    victim.send(b"")
    assert error_code(victim.read()) == 1317
    assert is_alive(victim)


def test_kill_ends_the_connection_in_the_middle_of_a_file(server: Server) -> None:
    victim, killer = asked(server, "hang"), connected(server)
    victim.send(b"x" * 10)
    server.wait_for(("piece", 10))
    killer.ask(b"\x03kill 1")
    assert error_code(victim.read()) == 1317
    assert victim.at_end()


def test_kill_ends_a_connection_whose_file_nobody_wants_any_more(server: Server) -> None:
    victim, killer = asked(server, "fail"), connected(server)
    victim.send(b"x" * 10)
    server.wait_for(("piece", 10))
    killer.ask(b"\x03kill query 1")
    killer.ask(b"\x03kill 1")
    victim.drain()
    server.wait_for("close", timeout=2)


def test_a_client_that_leaves_in_the_middle_cancels(server: Server) -> None:
    client = asked(server, "hang")
    client.send(b"x" * 10)
    server.wait_for(("piece", 10))
    client.close()
    server.wait_for("cancelled", timeout=1)
    server.wait_for("close")


def test_a_client_that_pauses_too_long_is_gone(serve: Callable[..., Server]) -> None:
    server = serve(Limits(net_read_timeout=0.2))
    client = asked(server)
    client.send(b"x")
    assert client.at_end()
    server.wait_for("close")


def test_a_packet_that_is_too_large_is_told_and_the_end(serve: Callable[..., Server]) -> None:
    server = serve(Limits(max_allowed_packet=1000))
    client = asked(server)
    client.send(b"x" * 1001)
    assert error_code(client.read()) == 1153
    assert client.at_end()


def test_a_packet_out_of_order_is_told_and_the_end(server: Server) -> None:
    client = asked(server)
    client.sequence += 1
    client.send(b"x")
    assert error_code(client.read()) == 1156
    assert client.at_end()


def test_a_packet_may_be_continued(server: Server) -> None:
    client = asked(server)
    client.send(b"x" * 0xFFFFFF)
    client.send(b"y" * 5)
    client.send(b"")
    answer = client.read()
    assert answer[:5] == b"\x00\xfe\x04\x00\x00"
    assert is_alive(client)
