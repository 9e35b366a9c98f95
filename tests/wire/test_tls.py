import ssl
import struct
from collections.abc import Callable

import pymysql
import pytest
from mysql_mimic.types import Capabilities

from proxy.wire.limits import Limits
from tests.wire.conftest import PASSWORD, Server
from tests.wire.raw import BASIC, error_code, response, sha2_token

TLS = BASIC | Capabilities.CLIENT_SSL
SSL_REQUEST = struct.pack("<IIB23x", TLS, 1 << 24, 255)


@pytest.fixture
def server(serve: Callable[..., Server], tls: ssl.SSLContext) -> Server:
    return serve(tls=tls)


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def over_tls(server: Server, **options: object) -> pymysql.Connection:
    return server.connect(ssl_disabled=False, ssl=client_context(), **options)


def test_a_client_logs_in_and_queries_through_tls(server: Server) -> None:
    with over_tls(server) as connection, connection.cursor() as cursor:
        assert connection._secure
        cursor.execute("rows 3000 200")
        assert len(cursor.fetchall()) == 3000


def test_a_client_without_tls_is_let_in_unless_told_otherwise(server: Server) -> None:
    server.connect().close()


def test_plain_logins_are_refused_where_transport_must_be_secure(
    serve: Callable[..., Server], tls: ssl.SSLContext
) -> None:
    server = serve(Limits(require_secure_transport=True), tls=tls)
    with pytest.raises(pymysql.OperationalError) as refusal:
        server.connect()
    assert refusal.value.args[0] == 3159
    over_tls(server).close()


class Tls:
    """The client's end of TLS over a raw socket, its flights in our hands."""

    def __init__(self) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context().wrap_bio(self.incoming, self.outgoing)

    def hello(self) -> bytes:
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.outgoing.read()


def test_a_client_hello_in_the_segment_of_the_ssl_request_is_answered(server: Server) -> None:
    client, tls = server.raw(), Tls()
    nonce = client.greeting()
    client.send_bytes(client.frame(SSL_REQUEST) + tls.hello())
    while True:
        tls.incoming.write(client.socket.recv(1 << 16))
        try:
            tls.tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            continue
    packet = response("alice", sha2_token(PASSWORD, nonce), b"caching_sha2_password")
    tls.tls.write(client.frame(packet))
    client.send_bytes(tls.outgoing.read())
    answer = b""
    while not answer:
        tls.incoming.write(client.socket.recv(1 << 16))
        try:
            answer = tls.tls.read(100)
        except ssl.SSLWantReadError:
            continue
    assert answer[4:6] == b"\x01\x04"


@pytest.mark.parametrize("together", [True, False])
def test_plaintext_behind_the_ssl_request_is_never_executed(server: Server, together: bool) -> None:
    client = server.raw()
    nonce = client.greeting()
    request = client.frame(SSL_REQUEST)
    token = sha2_token(PASSWORD, nonce)
    login = client.frame(response("alice", token, b"caching_sha2_password", capabilities=TLS))
    if together:
        client.send_bytes(request + login)
    else:
        client.send_bytes(request)
        client.send_bytes(login)
    received = b""
    while data := client.socket.recv(1 << 16):
        received += data
    assert received[:1] in (b"", b"\x15")
    assert not server.log


def test_an_ssl_request_to_a_server_without_tls_is_refused(serve: Callable[..., Server]) -> None:
    client = serve().raw()
    client.greeting()
    client.send(SSL_REQUEST)
    assert error_code(client.read()) == 1043


def test_a_client_that_leaves_through_tls_cancels_its_query(server: Server) -> None:
    connection = over_tls(server, autocommit=True)
    connection._execute_command(3, "sleep 60")
    server.wait_for("sleeping")
    connection._sock.close()
    connection._rfile.close()
    server.wait_for("cancelled")
