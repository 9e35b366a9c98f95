"""Payloads that no decent client sends: each ends in an ERR, none hangs the server."""

import random
import struct

import pytest
from mysql_mimic.types import Capabilities

from tests.wire.conftest import Server
from tests.wire.raw import BASIC, error_code, response

FULL = (
    BASIC | Capabilities.CLIENT_CONNECT_ATTRS | Capabilities.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
)
HEAD = struct.pack("<IIB23x", FULL, 1 << 24, 255)
ATTRIBUTES = b"\x0a\x04name\x04test"
LOGIN = (
    response("alice", b"x" * 32, b"caching_sha2_password", database="shop", capabilities=FULL)
    + ATTRIBUTES
)
CHANGE_USER = b"\x11bob\0\x03xxxshop\0\xff\0mysql_native_password\0" + ATTRIBUTES
ANSWERS = (0x01, 0xFE, 0xFF)


def alive(server: Server) -> bool:
    client = server.raw()
    return client.log_in()[0] == 0 and client.ask(b"\x0e")[0] == 0


def test_a_user_name_without_its_nul_is_refused_at_once(server: Server) -> None:
    client = server.raw(timeout=2)
    client.greeting()
    client.send(struct.pack("<IIB23x", BASIC, 1 << 24, 255) + b"admin")
    assert error_code(client.read()) == 1043
    assert client.at_end()


def test_every_truncation_of_a_login_is_refused(server: Server) -> None:
    for size in range(len(LOGIN)):
        client = server.raw(timeout=2)
        client.greeting()
        client.send(LOGIN[:size])
        answer = client.read()
        if size == len(LOGIN) - len(ATTRIBUTES):
            assert answer == b"\x01\x04"
        else:
            assert error_code(answer) == 1043, size
        client.close()
    assert alive(server)


def test_every_truncation_of_change_user_is_answered(server: Server) -> None:
    for size in range(1, len(CHANGE_USER)):
        client = server.raw(timeout=2)
        client.log_in()
        assert client.ask(CHANGE_USER[:size])[0] in ANSWERS
        client.close()
    assert alive(server)


def test_random_logins_are_answered(server: Server) -> None:
    dice = random.Random(7)
    for _ in range(150):
        client = server.raw(timeout=2)
        client.greeting()
        noise = dice.randbytes(dice.randrange(60))
        client.send(HEAD + noise if dice.random() < 0.7 else noise)
        assert client.read()[0] in (0, *ANSWERS)
        client.close()
    assert alive(server)


@pytest.mark.parametrize("command", [0x04, 0x0C, 0x11, 0x16, 0x17, 0x1A, 0x1B, 0x1C, 0x05, 0xFF])
def test_random_commands_are_answered(server: Server, command: int) -> None:
    dice = random.Random(command)
    for _ in range(20):
        client = server.raw(timeout=2)
        client.log_in()
        client.command(bytes([command]) + dice.randbytes(dice.randrange(30)))
        assert client.read()
        client.close()
    assert alive(server)


def test_random_executions_are_answered(server: Server) -> None:
    dice = random.Random(3)
    client = server.raw(timeout=2)
    client.log_in()
    client.ask(b"\x16insert ? ? ?")
    for _ in range(4):
        client.read()
    for _ in range(400):
        body = struct.pack("<BIBI", 0x17, 1, 0, 1) + dice.randbytes(dice.randrange(60))
        assert client.ask(body)[0] in (0, 0xFF)
    assert client.ask(b"\x0e")[0] == 0


@pytest.mark.parametrize("packet", [b"", b"\x04table", b"\x0c\x01", b"\x17\x01", b"\x1b\x09\0"])
def test_a_malformed_command_gets_an_error_and_the_connection_lives(
    server: Server, packet: bytes
) -> None:
    client = server.raw()
    client.log_in()
    assert client.ask(packet)[0] == 0xFF
    assert client.ask(b"\x0e")[0] == 0


@pytest.mark.parametrize("command", [0x00, 0x05, 0x07, 0x08, 0x12, 0x1C, 0x1E, 0x7F])
def test_an_unknown_command_is_1047(server: Server, command: int) -> None:
    client = server.raw()
    client.log_in()
    assert error_code(client.ask(bytes([command]))) == 1047


@pytest.mark.parametrize("packet", [b"\x18", b"\x18\x01\0\0\0\0\0data", b"\x19", b"\x19\x09\0\0\0"])
def test_commands_without_an_answer_stay_unanswered(server: Server, packet: bytes) -> None:
    client = server.raw()
    client.log_in()
    client.command(packet)
    assert client.ask(b"\x0e")[0] == 0


def test_text_that_is_not_in_the_clients_character_set_is_1300(server: Server) -> None:
    client = server.raw()
    client.log_in()
    answer = client.ask(b"\x03select '\xff\xfe'")
    assert error_code(answer) == 1300
    assert b"Invalid utf8mb4 character string" in answer
