"""Keys and certificates: those that are given, and those made at first start.

It talks to no client; private keys are files that only their owner reads.
"""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

CERTIFICATE, KEY = "server-cert.pem", "server-key.pem"


@dataclass(frozen=True, slots=True)
class Keys:
    """What a server proves itself with and hides passwords under. Without `tls` it offers none."""

    rsa_key: rsa.RSAPrivateKey
    tls: ssl.SSLContext | None = None


_YEARS = timedelta(days=3650)


def given_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer with the given PEM files. Raises OSError (ssl.SSLError is one)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(certificate, key)
    return context


def self_signed_context(directory: Path) -> ssl.SSLContext:
    """TLS with the certificate kept in `directory`, made there if it is missing. Raises OSError."""
    certificate, key = directory / CERTIFICATE, directory / KEY
    if not (certificate.exists() and key.exists()):
        private = _make_rsa_key()
        _write_private(key, _private_pem(private))
        _write_private(certificate, _self_sign(private))
    return given_context(certificate, key)


def rsa_key(path: Path) -> rsa.RSAPrivateKey:
    """The RSA key kept at `path` (PEM), made there if it is missing: passwords travel under it when
    a client logs in without TLS. Raises OSError, and ValueError for a file without an RSA key."""
    if not path.exists():
        _write_private(path, _private_pem(_make_rsa_key()))
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path} holds no RSA key")  # noqa: TRY004 - the content is wrong
    return key


def _make_rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _self_sign(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "modelwire")])
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            *(x509.IPAddress(ip_address(ip)) for ip in ("127.0.0.1", "::1")),
        ]
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEARS)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_private(path: Path, data: bytes) -> None:
    """Whole or not at all, and never readable by others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    draft.replace(path)
