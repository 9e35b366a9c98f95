"""The settings, from the environment and from flags; no other module reads the environment.

Secrets have no flag: a command line is visible to everyone on the machine.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    DirectoryPath,
    Field,
    FilePath,
    Json,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError, from_json
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from catalog.errors import CatalogError
from engines.errors import OptionError
from engines.http.endpoint import base_url
from proxy.execute.source_arguments import parse_address


def _base(url: str) -> str:
    """The base URL as engines compare it."""
    try:
        return base_url(url)
    except OptionError as error:
        raise PydanticCustomError("base_url", "a base URL is like https://host/v1") from error


def _receiver(url: str) -> str:
    """The base URL of an endpoint, or the address of a data source."""
    if url.strip().lower().startswith(("http://", "https://")):
        return _base(url)
    try:
        return parse_address(url)
    except CatalogError as error:
        text = (
            "a base URL is like https://host/v1, an address of a data source like "
            "postgres://host:5432"
        )
        raise PydanticCustomError("receiver", text) from error


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise PydanticCustomError("path", "a folder or file has its whole path, from /")
    return path


def _paths(given: object) -> object:
    """A list as JSON has it, or as PATH does."""
    if not isinstance(given, str):
        return given
    return from_json(given) if given.startswith("[") else given.split(os.pathsep)


def _site(url: str) -> str:
    parts = urlsplit(url)
    fits = (
        parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.username)
    )
    if url in _OFF or fits:
        return url
    raise PydanticCustomError("site", "a site is like https://huggingface.co, or off")


_OFF = ("", "off")
_Folder: TypeAlias = Annotated[DirectoryPath, AfterValidator(_absolute)]
_Base: TypeAlias = Annotated[str, AfterValidator(_receiver)]
_Bases: TypeAlias = Annotated[
    tuple[_Base, ...],
    BeforeValidator(lambda given: (given,) if isinstance(given, str) else given),
]
"""One base URL, or a list of them."""


def _secret(description: str, *names: str) -> SecretStr | None:
    """A setting without a flag, read from the first of these environment variables."""
    field: SecretStr | None = Field(
        default=None, description=description, validation_alias=AliasChoices(*names)
    )
    return field


class Settings(BaseSettings):
    """Every setting by its name; MODELWIRE_<NAME> is its environment variable."""

    model_config = SettingsConfigDict(
        env_prefix="MODELWIRE_",
        env_ignore_empty=True,
        populate_by_name=True,
        extra="forbid",
    )

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(3307, ge=0, le=65535, description="TCP port; 0 takes a free one")
    data_dir: Path = Field(
        Path("~/.modelwire"), description="catalog, keys, certificates and local models"
    )
    user: str = Field("modelwire", description="name of the first user")
    password: SecretStr | None = _secret(
        "the first user's password; without one a random password is made and shown once",
        "MODELWIRE_PASSWORD",
    )
    tls_cert: FilePath | None = Field(None, description="TLS certificate (PEM); else self-signed")
    tls_key: FilePath | None = Field(None, description="TLS key (PEM) of that certificate")
    require_secure_transport: bool = Field(False, description="refuse connections without TLS")
    max_connections: int = Field(151, ge=1, description="clients at once")
    max_allowed_packet: int = Field(
        67_108_864, ge=1024, le=1_073_741_824, description="largest packet in bytes"
    )
    connect_timeout: float = Field(10, gt=0, description="seconds for a login")
    wait_timeout: int = Field(28_800, ge=1, description="seconds that a client may be silent")
    max_execution_time: int = Field(0, ge=0, description="milliseconds for a SELECT; 0 is no limit")
    shutdown_grace: float = Field(10, ge=0, description="seconds for running statements at stop")
    memory_limit: str = Field("1GB", description="memory for tables and joins; more spills to disk")
    secret_key: SecretStr | None = _secret(
        "key that seals stored API keys (Fernet); else the data directory's key file",
        "MODELWIRE_SECRET_KEY",
    )
    local_model: Path | None = Field(
        None, description="file of the embedded model, if it is here already"
    )
    local_threads: int = Field(
        0, ge=0, description="threads of the embedded model; 0 is one a core"
    )
    anyscale_endpoints_api_base: str | None = Field(
        None, description="base URL that handler anyscale_endpoints uses by default"
    )
    anyscale_endpoints_api_key: SecretStr | None = _secret(
        "key that handler anyscale_endpoints uses by default",
        "MODELWIRE_ANYSCALE_ENDPOINTS_API_KEY",
        "ANYSCALE_ENDPOINTS_API_KEY",
    )
    openai_api_base: str | None = Field(
        None, description="base URL that handler openai uses by default"
    )
    openai_api_key: SecretStr | None = _secret(
        "key that handler openai uses by default", "MODELWIRE_OPENAI_API_KEY", "OPENAI_API_KEY"
    )
    secret_env: Json[dict[str, _Bases]] = Field(
        {},
        validate_default=False,
        description="JSON object: environment variables that env('NAME') may name, each with the "
        "base URL or address of a data source, or list of them, that its value may be sent to",
    )
    secret_files: Json[dict[Annotated[Path, AfterValidator(_absolute)], _Bases]] = Field(
        {},
        validate_default=False,
        description="the same of folders, or single files, that file('/path') may name",
    )
    model_cards: Annotated[str, AfterValidator(_site)] = Field(
        "https://huggingface.co",
        description="site, or mirror, that Hugging Face model cards are fetched from; off: never",
    )
    source_dirs: Annotated[tuple[_Folder, ...], NoDecode, BeforeValidator(_paths)] = Field(
        (),
        description="folders that data sources may read and write, apart by colons; else none",
    )
    finetune_poll_seconds: float = Field(
        1, gt=0, description="seconds until a new fine-tuning job is looked at; then twice as long"
    )
    finetune_poll_max_seconds: float = Field(
        60, gt=0, description="the longest time between two looks at a fine-tuning job"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )

    @model_validator(mode="after")
    def _keeps_its_own(self) -> Self:
        """Whoever may write into a data directory is the server."""
        own = self.directory.resolve()
        for folder in (each.resolve() for each in self.source_dirs):
            if own.is_relative_to(folder) or folder.is_relative_to(own):
                raise PydanticCustomError(
                    "source_dirs",
                    "MODELWIRE_SOURCE_DIRS: {folder} and the data directory {own} overlap",
                    {"folder": str(folder), "own": str(own)},
                )
            # DuckDB looks for a file of a missing table's name where the server works.
            if Path.cwd().is_relative_to(folder):
                raise PydanticCustomError(
                    "source_dirs",
                    "MODELWIRE_SOURCE_DIRS: the server's working directory lies in {folder}: "
                    "start it elsewhere",
                    {"folder": str(folder)},
                )
        return self

    @property
    def directory(self) -> Path:
        """The data directory as an absolute path."""
        return self.data_dir.expanduser().absolute()

    @property
    def secret_variables(self) -> dict[str, str]:
        """The values of those variables of `secret_env` that are set."""
        return {name: os.environ[name] for name in self.secret_env if name in os.environ}

    @property
    def model_card_site(self) -> str | None:
        """The URL of `model_cards`, None for off."""
        return None if self.model_cards in _OFF else self.model_cards


def what_is_wrong(error: ValidationError) -> list[str]:
    """A line for each wrong setting: its name as the environment has it, and what is expected."""
    return [
        f"{_name(each['loc'])}: {each['msg']}" if each["loc"] else each["msg"]
        for each in error.errors()
    ]


def _name(location: tuple[int | str, ...]) -> str:
    name = str(location[0]).upper()
    return name if name.startswith("MODELWIRE_") else f"MODELWIRE_{name}"
