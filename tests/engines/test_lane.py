"""One connection against servers that a test writes byte by byte."""

import asyncio
import gzip
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from engines.errors import BadReply, EndpointFailed
from engines.http import endpoint
from engines.http.endpoint import Endpoint
from engines.http.lane import Lane
from engines.http.lanes import Address
from tests.engines.support import until

T = TypeVar("T")
MODELS = b'{"data": [{"id": "m"}]}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(MODELS), MODELS)


class Peer:
    """A server that answers the n-th request of its k-th connection with `script[k][n]`, and
    hangs up when that is done: after one request more where it `holds_on`."""

    def __init__(self, script: tuple[list[bytes], ...], holds_on: bool) -> None:
        self._script = script
        self._holds_on = holds_on
        self.requests: list[int] = []
        self.left = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.requests)
        self.requests.append(0)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            for answer in self._script[number]:
                await reader.readuntil(b"\r\n\r\n")
                self.requests[number] += 1
                writer.write(answer)
                await writer.drain()
            if self._holds_on:
                await reader.readuntil(b"\r\n\r\n")
                self.requests[number] += 1
        self.left.set()
        writer.close()


def with_peer(
    use: Callable[[Endpoint, Peer], Awaitable[T]], *script: list[bytes], holds_on: bool = True
) -> tuple[T, list[int]]:
    """Run `use` with an endpoint over a peer; return what it gave and the peer's requests."""

    async def run() -> tuple[T, list[int]]:
        peer = Peer(script, holds_on)
        async with await asyncio.start_server(peer.serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            asked = Endpoint(Address(f"http://127.0.0.1:{port}/v1", max_concurrency=1))
            try:
                return await asyncio.wait_for(use(asked, peer), 10), peer.requests
            finally:
                await asked.aclose()

    return asyncio.run(run())


async def twice(asked: Endpoint, _: Peer) -> list[str] | None:
    await asked.model_names()
    return await asked.model_names()


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE,
        b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        % (len(MODELS), MODELS),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
        % (len(gzip.compress(MODELS, mtime=0)), gzip.compress(MODELS, mtime=0)),
    ],
    ids=["length", "continue", "chunked", "gzip"],
)
def test_answers_come_over_one_connection(answer: bytes) -> None:
    assert with_peer(twice, [answer, answer]) == (["m"], [2])


def test_connection_that_the_endpoint_closes_is_not_used_again() -> None:
    closing = WHOLE.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    assert with_peer(twice, [closing], [WHOLE], holds_on=False) == (["m"], [1, 1])


def test_connection_that_says_more_than_its_answer_is_not_used_again() -> None:
    twofold = WHOLE + WHOLE.replace(b'"m"', b'"x"')
    assert with_peer(twice, [twofold], [WHOLE]) == (["m"], [1, 1])


def test_connection_that_was_closed_unseen_is_made_anew_once() -> None:
    """The first connection takes the second request and hangs up: a race that any idle one has."""
    assert with_peer(twice, [WHOLE], [WHOLE]) == (["m"], [2, 1])


def test_connection_that_breaks_in_an_answer_is_no_second_try() -> None:
    async def use(asked: Endpoint, _: Peer) -> bool:
        await asked.model_names()
        with pytest.raises(EndpointFailed, match=r"the connection to .* broke") as caught:
            await asked.model_names()
        return caught.value.transient

    assert with_peer(use, [WHOLE, WHOLE[:-5]], holds_on=False) == (True, [2])


def test_nonsense_is_a_broken_connection() -> None:
    async def use(asked: Endpoint, _: Peer) -> None:
        with pytest.raises(EndpointFailed, match="broke"):
            await asked.model_names()

    assert with_peer(use, [b"SSH-2.0-OpenSSH_9.6\r\n\r\n"]) == (None, [1])


def test_endless_answer_is_a_bad_reply_and_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_MAX_BODY", 10_000)

    async def use(asked: Endpoint, peer: Peer) -> None:
        with pytest.raises(BadReply, match="longer than 10,000 bytes"):
            await asked.model_names()
        await peer.left.wait()

    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + b"x" * 20_000
    assert with_peer(use, [endless, WHOLE]) == (None, [1])


@pytest.mark.parametrize("sent", [b"", WHOLE[:-5]], ids=["before the answer", "within it"])
def test_cancelled_request_hangs_up(sent: bytes) -> None:
    async def use(asked: Endpoint, peer: Peer) -> None:
        asking = asyncio.create_task(asked.model_names())
        await until(lambda: peer.requests == [1])
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await peer.left.wait()

    assert with_peer(use, [sent, WHOLE]) == (None, [1])


def test_tls_is_verified(tmp_path: Path) -> None:
    trusted, untrusted = certified(tmp_path), ssl.create_default_context()

    async def use() -> int:
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ours.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        peer = Peer(([WHOLE],), holds_on=False)
        async with await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=ours) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(httpx.ConnectError, match="self-signed certificate"):
                await status(f"https://localhost:{port}/", untrusted)
            with pytest.raises(httpx.ConnectError, match="IP address mismatch"):
                await status(f"https://127.0.0.1:{port}/", trusted)
            return await status(f"https://localhost:{port}/", trusted)

    assert asyncio.run(use()) == 200


async def status(url: str, tls: ssl.SSLContext) -> int:
    lane = Lane(httpx.URL(url), tls)
    timeout = {"connect": 5.0, "read": 5.0}
    request = httpx.Request("GET", url, extensions={"timeout": timeout})
    response = await lane.handle_async_request(request)
    await response.aread()
    await lane.aclose()
    return response.status_code


def certified(folder: Path) -> ssl.SSLContext:
    """Write a certificate for localhost that signs itself; return a context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ssl.create_default_context(cafile=str(folder / "cert.pem"))
