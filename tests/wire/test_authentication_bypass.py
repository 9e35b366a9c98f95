"""The first test of the project: whoever is refused is out."""

import pytest

from tests.wire.conftest import Server
from tests.wire.raw import error_code, native_token, response

QUERY = b"\x03select 1"


def test_a_client_that_ignores_the_refusal_of_its_login_reads_nothing(server: Server) -> None:
    client = server.raw()
    client.greeting()
    client.send(response("alice"))
    client.read()
    client.send_bytes(client.frame(b"x" * 20) + b"\x09\0\0\0" + QUERY)
    assert error_code(client.read()) == 1045
    assert client.at_end()
    assert not server.log


def test_a_client_that_ignores_the_refusal_of_change_user_reads_nothing(server: Server) -> None:
    client = server.raw()
    assert client.log_in()[0] == 0
    switch = client.ask(b"\x11bob\0\0\0\xff\0mysql_native_password\0")
    assert switch[:1] == b"\xfe"
    client.send_bytes(client.frame(b"x" * 20) + b"\x09\0\0\0" + QUERY)
    assert error_code(client.read()) == 1045
    assert client.at_end()
    assert server.log == [("open", "alice", None), "close"]


@pytest.mark.parametrize("token", [b"", b"\0", b"x" * 20, b"\0" * 20, b"x" * 19, b"x" * 200])
def test_no_made_up_token_opens_an_account(server: Server, token: bytes) -> None:
    client = server.raw()
    client.greeting()
    client.send(response("alice"))
    client.read()
    client.send(token)
    assert error_code(client.read()) == 1045
    assert client.at_end()


def test_a_token_cannot_be_replayed(server: Server) -> None:
    first = server.raw()
    first.greeting()
    first.send(response("alice"))
    switch = first.read()
    token = native_token("wonder land", switch[switch.index(b"\0") + 1 :][:20])
    first.send(token)
    assert first.read()[0] == 0
    second = server.raw()
    second.greeting()
    second.send(response("alice"))
    second.read()
    second.send(token)
    assert error_code(second.read()) == 1045
