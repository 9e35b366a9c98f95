"""Passwords: what an account keeps of one, and what proves that a client knows it. No I/O here.

Plug-ins: https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
and https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html
"""

import hashlib
import hmac
import secrets

from proxy.wire.accounts import Account

NATIVE = "mysql_native_password"
CACHING_SHA2 = "caching_sha2_password"

NONCE_SIZE = 20

_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 1
"""About 40 ms and 16 MB for each check."""

_SCRYPT_MEMORY = 64 * 1024 * 1024


def make_account(user: str, password: str) -> Account:
    """An account whose hashes verify `password`; an empty one makes an account without password.

    Costs about 40 ms of processor time, and blocks.
    """
    if not password:
        return Account(user, b"", "")
    secret = password.encode()
    native = _sha1(_sha1(secret))
    salt = secrets.token_bytes(16)
    digest = _scrypt(secret, salt, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P)
    fields = ("scrypt", _SCRYPT_N, _SCRYPT_R, _SCRYPT_P, salt.hex(), digest.hex())
    return Account(user, native, "$".join(map(str, fields)))


def nobody() -> Account:
    """An account that no password opens, at the cost of one that exists."""
    fields = ("scrypt", _SCRYPT_N, _SCRYPT_R, _SCRYPT_P, secrets.token_hex(16))
    salted = "$".join(map(str, (*fields, secrets.token_hex(32))))
    return Account("", secrets.token_bytes(20), salted)


def has_password(account: Account) -> bool:
    """False for an account that logs in with an empty password."""
    return bool(account.salted)


def verify_clear(account: Account, password: bytes) -> bool:
    """Whether `password` is the account's. Blocks for about 40 ms, outside the interpreter's
    lock."""
    kind, _, rest = account.salted.partition("$")
    if kind != "scrypt":
        return False
    n, r, p, salt, digest = rest.split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(digest))


def verify_native(account: Account, nonce: bytes, token: bytes) -> bool:
    """Whether `token` is SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password)))."""
    if len(token) != 20 or len(account.native) != 20:
        return False
    candidate = _xor(token, _sha1(nonce + account.native))
    return hmac.compare_digest(_sha1(candidate), account.native)


def fast_digest(password: bytes) -> bytes:
    """SHA256(SHA256(password)): what the fast path of caching_sha2_password remembers."""
    return _sha256(_sha256(password))


def verify_fast(digest: bytes, nonce: bytes, token: bytes) -> bool:
    """Whether `token` is SHA256(password) XOR SHA256(digest + nonce)."""
    if len(token) != 32:
        return False
    candidate = _xor(token, _sha256(digest + nonce))
    return hmac.compare_digest(_sha256(candidate), digest)


def make_nonce() -> bytes:
    """Random bytes that are neither NUL nor `$`, which clients and servers use as separators."""
    return bytes(secrets.choice(_NONCE_BYTES) for _ in range(NONCE_SIZE))


def unmask(data: bytes, nonce: bytes) -> bytes:
    """Takes the nonce off a password that went through RSA."""
    return bytes(byte ^ nonce[at % len(nonce)] for at, byte in enumerate(data))


_NONCE_BYTES = bytes(byte for byte in range(1, 128) if byte != ord("$"))


def _scrypt(password: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=_SCRYPT_MEMORY, dklen=32)


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
