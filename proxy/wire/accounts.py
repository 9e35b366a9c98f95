"""An account as the wire needs it: a name and what verifies its password.

Where accounts are kept, and how, is the catalog's business.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """`native` is SHA1(SHA1(password)), 20 bytes, as mysql_native_password needs it; `salted` is a
    self-describing salted hash that checks a password in clear (auth.py makes both)."""

    user: str
    native: bytes
    salted: str
