import hashlib
import stat
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from mysql_mimic.types import Capabilities

from proxy.wire import auth
from proxy.wire.auth import make_account
from proxy.wire.limits import Limits
from tests.wire.conftest import PASSWORD, Server
from tests.wire.raw import BASIC, RawClient, error_code, native_token, response, sha2_token

SHA2 = b"caching_sha2_password"
PUBLIC_KEY_REQUEST = b"\x02"


def sha2_login(client: RawClient, user: str, password: str) -> bytes:
    nonce = client.greeting()
    client.send(response(user, sha2_token(password, nonce), SHA2))
    return client.read()


def test_caching_sha2_logs_in_without_tls_by_public_key_exchange(server: Server) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select 1")
        assert cursor.fetchall() == (("1",),)
        assert connection._auth_plugin_name == "caching_sha2_password"


@pytest.mark.parametrize("password", ["x" * 19, "x" * 20, "x" * 21, "y" * 200])
def test_a_password_of_any_length_survives_the_exchange(server: Server, password: str) -> None:
    server.accounts.accounts["alice"] = make_account("alice", password)
    server.connect(password=password).close()


def test_the_second_login_takes_the_fast_path(server: Server) -> None:
    server.connect().close()
    client = server.raw()
    assert sha2_login(client, "alice", PASSWORD) == b"\x01\x03"
    assert client.read()[0] == 0


def test_the_first_login_takes_the_full_path(server: Server) -> None:
    assert sha2_login(server.raw(), "alice", PASSWORD) == b"\x01\x04"


def test_a_changed_password_ends_the_fast_path(server: Server) -> None:
    server.connect().close()
    server.accounts.accounts["alice"] = make_account("alice", "new")
    assert sha2_login(server.raw(), "alice", PASSWORD) == b"\x01\x04"
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        server.connect()
    server.connect(password="new").close()


def test_a_wrong_token_never_takes_the_fast_path(server: Server) -> None:
    server.connect().close()
    client = server.raw()
    assert sha2_login(client, "alice", "wrong") == b"\x01\x04"
    client.send(PUBLIC_KEY_REQUEST)
    assert b"BEGIN PUBLIC KEY" in client.read()
    client.send(b"x" * 256)
    assert error_code(client.read()) == 1045
    assert client.at_end()


def test_a_client_that_names_the_native_plugin_is_switched_to_it(server: Server) -> None:
    client = server.raw()
    client.greeting()
    client.send(response("alice", b"x" * 20))
    assert client.read().startswith(b"\xfemysql_native_password\0")


def test_a_client_that_names_an_unknown_plugin_is_switched_to_native(server: Server) -> None:
    client = server.raw()
    assert client.log_in(plugin=b"dialog")[0] == 0


def test_a_client_without_plugins_logs_in_by_native(server: Server) -> None:
    client = server.raw()
    nonce = client.greeting()
    client.send(response("alice", native_token(PASSWORD, nonce), None))
    assert client.read()[0] == 0


@pytest.mark.parametrize("plugin", [b"mysql_native_password", SHA2])
@pytest.mark.parametrize("password", ["wrong", ""])
def test_unknown_users_and_wrong_passwords_get_the_same_answer(
    server: Server, plugin: bytes, password: str
) -> None:
    def refused(user: str) -> list[bytes]:
        client = server.raw()
        nonce = client.greeting()
        token = sha2_token if plugin == SHA2 else native_token
        client.send(response(user, token(password, nonce) if password else b"", plugin))
        packets = [client.read()]
        if packets[-1][0] == 0xFE:
            client.send(native_token(password, b"n" * 20) if password else b"")
            packets.append(client.read())
        if packets[-1] == b"\x01\x04":
            client.send(b"x" * 256)
            packets.append(client.read())
        assert client.at_end()
        return [p[:22] if p[0] == 0xFE else p.replace(user.encode(), b"?") for p in packets]

    assert refused("alice") == refused("nobody")
    assert error_code(refused("nobody")[-1]) == 1045


def test_an_unknown_user_costs_as_much_as_a_wrong_password(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[int] = []
    scrypt = hashlib.scrypt

    def counted(password: bytes, **options: int) -> bytes:
        checks.append(options["n"])
        return scrypt(password, **options)

    monkeypatch.setattr(auth.hashlib, "scrypt", counted)
    for user in ("alice", "nobody"):
        with pytest.raises(pymysql.OperationalError):
            server.connect(user, "wrong")
    assert checks == [2**14, 2**14]


def test_the_refusal_names_user_host_and_whether_a_password_came(server: Server) -> None:
    with pytest.raises(pymysql.OperationalError) as refusal:
        server.connect("carol", "x")
    text = "Access denied for user 'carol'@'127.0.0.1' (using password: YES)"
    assert refusal.value.args == (1045, text)
    with pytest.raises(pymysql.OperationalError, match="using password: NO"):
        server.connect("carol", "")


def test_an_account_without_password_takes_none_but_the_empty_one(server: Server) -> None:
    server.connect("open", "").close()
    assert server.raw().log_in("open", "")[0] == 0
    assert error_code(server.raw().log_in("open", "x")) == 1045
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        server.connect("open", "x")


def test_login_opens_the_handler_with_who_came(server: Server) -> None:
    with server.connect("bob", "builder", database="shop"):
        assert server.log == [("open", "bob", "shop")]


def test_an_unknown_database_refuses_the_login_and_closes_the_handler(server: Server) -> None:
    with pytest.raises(pymysql.err.ProgrammingError, match="Unknown database"):
        server.connect(database="missing")
    assert server.log == ["close"]


def test_change_user_logs_in_anew_with_a_new_handler(server: Server) -> None:
    client = server.raw()
    client.log_in(database="shop")
    switch = client.ask(b"\x11bob\0\0other\0\xff\0mysql_native_password\0")
    client.send(native_token("builder", switch[switch.index(b"\0") + 1 :][:20]))
    assert client.read()[0] == 0
    client.command(b"\x03user")
    packets = [client.read() for _ in range(5)]
    assert packets[3] == b"\x09bob@other"
    assert server.log[:3] == [("open", "alice", "shop"), ("open", "bob", "other"), "close"]


def test_a_refused_change_user_changes_nobody(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.ask(b"\x11bob\0\0other\0\xff\0mysql_native_password\0")
    (process,) = server.listener.processes.list()
    assert (process.user, process.database) == ("alice", None)
    client.send(b"x" * 20)
    assert error_code(client.read()) == 1045
    assert server.log[0] == ("open", "alice", None)
    assert ("open", "bob", "other") not in server.log


def test_a_client_that_dawdles_over_its_login_is_sent_away(serve: Callable[..., Server]) -> None:
    server = serve(Limits(connect_timeout=0.2))
    client = server.raw()
    client.greeting()
    for byte in b"\x20\0\0":
        client.send_bytes(bytes([byte]))
    assert error_code(client.read()) == 1043
    assert client.at_end()


def test_one_connection_too_many_is_refused_before_its_login(
    serve: Callable[..., Server],
) -> None:
    server = serve(Limits(max_connections=2))
    first, silent = server.connect(), server.raw()
    silent.greeting()
    with pytest.raises(pymysql.OperationalError) as refusal:
        server.connect()
    assert refusal.value.args == (1040, "Too many connections")
    first.close()


def test_a_closed_connection_makes_room(serve: Callable[..., Server]) -> None:
    server = serve(Limits(max_connections=1))
    server.connect().close()
    server.wait_for("close")
    server.connect().close()


def test_only_what_is_served_is_offered(server: Server) -> None:
    packet = server.raw().read()
    at = packet.index(b"\0", 1) + 1
    low, high = packet[at + 13 : at + 15], packet[at + 18 : at + 20]
    offered = Capabilities(int.from_bytes(low + high, "little"))
    for absent in ("COMPRESS", "SESSION_TRACK", "QUERY_ATTRIBUTES", "SSL"):
        assert Capabilities[f"CLIENT_{absent}"] not in offered
    for present in (
        "MULTI_STATEMENTS",
        "MULTI_RESULTS",
        "TRANSACTIONS",
        "FOUND_ROWS",
        "LOCAL_FILES",
    ):
        assert Capabilities[f"CLIENT_{present}"] in offered


def test_a_client_older_than_4_1_is_refused(server: Server) -> None:
    client = server.raw()
    client.greeting()
    client.send(response(capabilities=BASIC & ~Capabilities.CLIENT_PROTOCOL_41))
    assert error_code(client.read()) == 1043


def test_connect_attributes_and_found_rows_reach_the_handler(server: Server) -> None:
    with server.connect(program_name="test", client_flag=Capabilities.CLIENT_FOUND_ROWS):
        (connection,) = server.listener._connections.values()
        client = connection._conversation.handler.client
    assert client.attributes["program_name"] == "test"
    assert client.found_rows


def test_the_private_keys_are_for_their_owner_only(
    server_key: object, tls: object, key_directory: Path
) -> None:
    files = [key_directory / name for name in ("rsa.pem", "server-key.pem")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]


def test_an_account_tells_nothing_of_its_password() -> None:
    one, two = make_account("a", "same"), make_account("a", "same")
    assert one.salted != two.salted
    assert "same" not in repr(one)
