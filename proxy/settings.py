"""The settings, from the environment and from flags; no other module reads the environment.

Secrets have no flag: a command line is visible to everyone on the machine.
"""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )

    @property
    def directory(self) -> Path:
        """The data directory as an absolute path."""
        return self.data_dir.expanduser().absolute()


def what_is_wrong(error: ValidationError) -> list[str]:
    """A line for each wrong setting: its name as the environment has it, and what is expected."""
    return [f"{_name(each['loc'])}: {each['msg']}" for each in error.errors()]


def _name(location: tuple[int | str, ...]) -> str:
    name = str(location[0]).upper()
    return name if name.startswith("MODELWIRE_") else f"MODELWIRE_{name}"
