"""Secrets at rest: sealed with a key that does not lie beside them in the catalog.

It never logs, prints or puts into an error what it seals.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from catalog.errors import SecretsLocked


class Vault:
    """Seals small JSON documents (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: str) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError as error:
            raise SecretsLocked(
                "The secret key is no Fernet key: 32 bytes in URL-safe base64"
            ) from error

    def seal(self, document: Mapping[str, Any]) -> str:
        """The document as text that only this key opens."""
        return self._fernet.encrypt(json.dumps(dict(document)).encode()).decode()

    def open(self, sealed: str) -> dict[str, Any]:
        """The document again. Raises SecretsLocked if another key sealed it."""
        try:
            document: dict[str, Any] = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise SecretsLocked(
                "A stored secret was sealed with another key: "
                "start with the key file or secret key that made it"
            ) from error
        return document


def read_or_make_key(path: Path) -> str:
    """The key kept in `path`, made at first use with mode 0600."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(Fernet.generate_key().decode())
    return path.read_text()
