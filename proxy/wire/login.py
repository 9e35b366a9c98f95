"""The exchange that proves who a client is, at login and in COM_CHANGE_USER.

It lets in or raises AccessDenied, with one text and one cost for every reason; what a client may
then do is not its business.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from mysql_mimic.charset import CharacterSet
from mysql_mimic.packets import make_auth_more_data, make_auth_switch_request

from proxy.errors import AccessDenied
from proxy.wire import auth
from proxy.wire.accounts import Account
from proxy.wire.handler import Accounts
from proxy.wire.handshake import Introduction, is_libmariadb
from proxy.wire.stream import PacketStream

_REQUEST_PUBLIC_KEY = b"\x02"
_FAST_AUTH_SUCCESS = b"\x03"
_PERFORM_FULL_AUTHENTICATION = b"\x04"

_OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), label=None)  # noqa: S303

_FIRST_TRY = {auth.CACHING_SHA2: auth.CACHING_SHA2, None: auth.NATIVE}
"""Whose first token fits the greeting: the plug-in announced there, and clients without any."""

_CHECKS_AT_ONCE = 2
"""Salted hashes cost 40 ms and 16 MB each: clients that are not logged in get no more. The threads
are our own, so that no slow query keeps clients out."""


@dataclass(frozen=True, slots=True)
class _Proof:
    """A client's token and the nonce it was made with."""

    plugin: str
    token: bytes
    nonce: bytes


class Doorkeeper:
    """Checks clients against the accounts. One per server: it remembers, for each account, what
    caching_sha2_password's fast path needs, in memory only and for as long as the account's hash
    stays the same."""

    def __init__(self, accounts: Accounts, rsa_key: rsa.RSAPrivateKey) -> None:
        self._accounts = accounts
        self._rsa_key = rsa_key
        self._public_pem = rsa_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._nobody = auth.nobody()
        self._digests: dict[str, tuple[str, bytes]] = {}
        self._checks = ThreadPoolExecutor(_CHECKS_AT_ONCE, "login")

    def close(self) -> None:
        """No more clients come."""
        self._checks.shutdown(wait=False)

    async def admit(
        self, stream: PacketStream, who: Introduction, host: str, nonce: bytes | None
    ) -> Account:
        """The client's account. `nonce` is the greeting's, None in COM_CHANGE_USER, where a new one
        goes out. Raises AccessDenied, PeerGone and the stream's errors."""
        account = self._accounts.find(who.user)
        proof = await self._prove(stream, who, nonce)
        verified = await self._verify(stream, account or self._nobody, proof)
        if account is None or not verified:
            used = "YES" if proof.token else "NO"
            raise AccessDenied(
                f"Access denied for user '{who.user}'@'{host}' (using password: {used})"
            )
        return account

    async def _prove(self, stream: PacketStream, who: Introduction, nonce: bytes | None) -> _Proof:
        lacks_rsa = not stream.secure and _is_libmariadb(who)
        if nonce is not None and who.plugin in _FIRST_TRY and not lacks_rsa:
            return _Proof(_FIRST_TRY[who.plugin], _token(who.token), nonce)
        takes_sha2 = who.plugin == auth.CACHING_SHA2 and not lacks_rsa
        plugin = auth.CACHING_SHA2 if takes_sha2 else auth.NATIVE
        fresh = auth.make_nonce()
        stream.write(make_auth_switch_request(CharacterSet.utf8mb4, plugin, fresh + b"\0"))
        await stream.drain()
        return _Proof(plugin, _token(await stream.read()), fresh)

    async def _verify(self, stream: PacketStream, account: Account, proof: _Proof) -> bool:
        if not proof.token:
            return not auth.has_password(account)
        if not auth.has_password(account):
            account = self._nobody
        if proof.plugin == auth.NATIVE:
            return auth.verify_native(account, proof.nonce, proof.token)
        return await self._caching_sha2(stream, account, proof)

    async def _caching_sha2(self, stream: PacketStream, account: Account, proof: _Proof) -> bool:
        salted, digest = self._digests.get(account.user, ("", b""))
        if salted == account.salted and auth.verify_fast(digest, proof.nonce, proof.token):
            stream.write(make_auth_more_data(_FAST_AUTH_SUCCESS))
            return True
        stream.write(make_auth_more_data(_PERFORM_FULL_AUTHENTICATION))
        await stream.drain()
        password = await self._password(stream, proof.nonce)
        loop = asyncio.get_running_loop()
        admitted = await loop.run_in_executor(self._checks, auth.verify_clear, account, password)
        if admitted:
            self._digests[account.user] = (account.salted, auth.fast_digest(password))
        return admitted

    async def _password(self, stream: PacketStream, nonce: bytes) -> bytes:
        packet = await stream.read()
        if stream.secure:
            return packet.removesuffix(b"\0")
        if packet == _REQUEST_PUBLIC_KEY:
            stream.write(make_auth_more_data(self._public_pem))
            await stream.drain()
            packet = await stream.read()
        try:
            masked = self._rsa_key.decrypt(packet, _OAEP)
        except ValueError:
            return b""
        return auth.unmask(masked, nonce).removesuffix(b"\0")


def _is_libmariadb(who: Introduction) -> bool:
    """Debian's MariaDB clients are built with GnuTLS and cannot do the RSA exchange; 10.11 even
    sends the password in clear instead. Without TLS mysql_native_password serves them better
    (tests/wire/test_mariadb_client.py::test_its_password_never_travels_in_clear)."""
    return who.plugin is not None and is_libmariadb(who.attributes)


def _token(data: bytes) -> bytes:
    """Clients send an empty password as nothing or as one NUL."""
    return b"" if data == b"\0" else data
