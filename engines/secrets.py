"""Keys by reference: `env('NAME')` and `file('/path')`, which a statement may name without seeing.

It gives a value out for the base URLs that the server's settings allow it for, and for no other:
whoever may write CREATE ML_ENGINE must not have a key sent to himself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from engines.errors import OptionError
from engines.secret_file import find_allowed, read_secret_file

Source: TypeAlias = Literal["env", "file"]
SOURCES: tuple[Source, ...] = ("env", "file")

_WRITTEN = re.compile(r"(env|file)\('(.*)'\)", re.DOTALL)
# What is no such name may be the key itself, put there by mistake: it is not shown.
_SHOWN = {"env": re.compile(r"[A-Z_][A-Z0-9_]{0,99}"), "file": re.compile(r"/[ -~]{0,299}")}


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a key is: an environment variable of the server, or a file there. Its text is the SQL
    that names it."""

    source: Source
    name: str

    def __str__(self) -> str:
        return f"{self.source}('{self.name}')"

    @property
    def shown(self) -> str:
        """The text for a message: without a name that looks like none."""
        return str(self) if _SHOWN[self.source].fullmatch(self.name) else f"{self.source}('…')"


@dataclass(frozen=True, slots=True)
class ServerSecrets:
    """What the settings allow: environment variables, folders and single files, each with the base
    URLs (see engines.http.endpoint.base_url) that its secrets may be sent to.

    `variables` are the values of those variables that are set.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    variable_bases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file_bases: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)

    def read(self, reference: SecretReference, base: str) -> str:
        """Return the secret, to be sent to the base URL `base` alone. A file is read anew.

        Raises OptionError: not allowed at all, which does not tell whether it exists; not for this
        base; not there, empty, too long. Reads a small local file: not cancellable.
        """
        read = self._of_variable if reference.source == "env" else self._of_file
        secret = read(reference, base)
        if not secret.strip():
            raise OptionError(f"{reference.shown} is empty on the server")
        return secret

    def _of_variable(self, reference: SecretReference, base: str) -> str:
        bases = self.variable_bases.get(reference.name)
        if bases is None:
            raise _not_listed(reference)
        _check_base(reference, base, bases)
        if reference.name not in self.variables:
            raise OptionError(f"{reference.shown} is not set in the server's environment")
        return self.variables[reference.name]

    def _of_file(self, reference: SecretReference, base: str) -> str:
        found = find_allowed(Path(reference.name), self.file_bases)
        if found is None:
            raise _not_listed(reference)
        _check_base(reference, base, self.file_bases[found.entry])
        return read_secret_file(found.real, reference.shown)


def parse_reference(text: str) -> SecretReference | None:
    """Return the reference whose text that is, None if it is none."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    return SecretReference("env" if found[1] == "env" else "file", found[2])


def refers(value: Any) -> bool:
    """Whether an option's value is a reference, or has one somewhere inside."""
    if isinstance(value, dict):
        return any(map(refers, value.values()))
    if isinstance(value, list):
        return any(map(refers, value))
    return isinstance(value, SecretReference)


def resolved(options: Mapping[str, Any], secrets: ServerSecrets, base: str) -> dict[str, Any]:
    """Return options with secrets in the place of their references, also of those that are values
    of an object. Raises OptionError, see ServerSecrets.read."""

    def value_of(value: Any) -> Any:
        if isinstance(value, SecretReference):
            return secrets.read(value, base)
        if isinstance(value, dict):
            return {key: value_of(member) for key, member in value.items()}
        return value

    return {name: value_of(value) for name, value in options.items()}


def _check_base(reference: SecretReference, base: str, bases: tuple[str, ...]) -> None:
    if base not in bases:
        raise OptionError(
            f"{reference.shown} is not sent to {base}: "
            f"{_setting(reference)} allows it for another base URL"
        )


def _not_listed(reference: SecretReference) -> OptionError:
    return OptionError(f"{reference.shown} is not on the server's list {_setting(reference)}")


def _setting(reference: SecretReference) -> str:
    return "MODELWIRE_SECRET_ENV" if reference.source == "env" else "MODELWIRE_SECRET_FILES"
