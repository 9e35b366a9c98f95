"""The handlers of hosted OpenAI-compatible APIs: Anyscale Endpoints and OpenAI.

They read arguments; the engine is openai.py's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from engines.base import Engine, Environment, Handler, Option
from engines.errors import OptionError
from engines.http.endpoint import base_url
from engines.http.lanes import Address
from engines.model import DIMENSIONS, MODEL_OPTIONS
from engines.openai import OpenAIEngine
from engines.secrets import refers, resolved
from engines.task import Value

_MAX_CONCURRENCY = 1024
_MAX_TIMEOUT = 3600.0
_CONNECTION_OPTIONS = (
    Option(
        "api_base",
        (str,),
        "base URL, to which /chat/completions is appended; host alone means host/v1",
    ),
    Option("organization", (str,), "sent as OpenAI-Organization"),
    Option("openai_api_organization", (str,), "the same, by its longer name"),
    Option(
        "extra_headers",
        (dict,),
        "JSON object of HTTP headers to send along",
        secret=True,
        by_reference=True,
    ),
    Option("max_concurrency", (int,), "calls in flight at once", default=32),
    Option("timeout", (float,), "seconds to wait for an answer", default=120.0),
)


@dataclass(frozen=True, slots=True)
class _Provider:
    """What tells one hosted API from another: `key_options` in order of preference."""

    name: str
    default_base: str
    key_options: tuple[str, ...]
    needs_key: bool


def _open(provider: _Provider, options: Mapping[str, Value], environment: Environment) -> Engine:
    return OpenAIEngine(_address(provider, options, environment))


def _address(
    provider: _Provider, written: Mapping[str, Value], environment: Environment
) -> Address:
    """Where an engine's calls go, with keys by reference read for that base URL."""
    home = base_url(environment.api_bases.get(provider.name, provider.default_base))
    given = written.get("api_base")
    base = base_url(given) if isinstance(given, str) else home
    options = resolved(written, environment.secrets, base)
    refers_to_keys = any(map(refers, written.values()))
    key = _key(provider, options)
    lent = environment.api_keys.get(provider.name) if key is None and base == home else None
    if not (key or lent) and (provider.needs_key or base == provider.default_base):
        raise OptionError(_key_missing(provider, base, environment))
    headers = _headers(options)
    if refers_to_keys or lent:
        _check_host(headers)
    if key or lent:
        headers["Authorization"] = f"Bearer {key or lent}"
    return Address(
        base_url=base,
        headers=headers,
        secrets=_secrets(key or lent, options),
        timeout=_bounded(options, "timeout", 120.0, _MAX_TIMEOUT),
        max_concurrency=int(_bounded(options, "max_concurrency", 32, _MAX_CONCURRENCY)),
        renew=partial(_address, provider, written, environment) if refers_to_keys else None,
    )


def _check_host(headers: Mapping[str, str]) -> None:
    """A secret of the server goes to its base URL: what stands behind a shared front, such as a
    content delivery network, is chosen by this header."""
    if any(name.strip().lower() == "host" for name in headers):
        raise OptionError("option 'extra_headers' takes no Host beside a key of the server")


def _key(provider: _Provider, options: Mapping[str, Value]) -> str | None:
    for name in provider.key_options:
        key = options.get(name)
        if isinstance(key, str) and key.strip():
            return _header_text(name, key.strip())
    return None


def _key_missing(provider: _Provider, base: str, environment: Environment) -> str:
    option = provider.key_options[0]
    if provider.name in environment.api_keys:
        return f"'{option}' is required: the server's own key is not sent to {base}"
    return f"'{option}' is required"


def _headers(options: Mapping[str, Value]) -> dict[str, str]:
    headers = {}
    extra = options.get("extra_headers")
    for name, value in (extra if isinstance(extra, dict) else {}).items():
        if not isinstance(value, str):
            raise OptionError(f"option 'extra_headers' takes a text for '{name}'")
        headers[_header_text("extra_headers", name)] = _header_text("extra_headers", value)
    organization = options.get("organization") or options.get("openai_api_organization")
    if isinstance(organization, str):
        headers["OpenAI-Organization"] = _header_text("organization", organization)
    return headers


def _header_text(option: str, text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise OptionError(f"option '{option}' has characters that an HTTP header cannot hold")
    return text


def _secrets(key: str | None, options: Mapping[str, Value]) -> tuple[str, ...]:
    extra = options.get("extra_headers")
    values = extra.values() if isinstance(extra, dict) else ()
    return tuple(text for text in (key, *values) if isinstance(text, str) and len(text) >= 4)


def _bounded(options: Mapping[str, Value], name: str, default: float, most: float) -> float:
    value = options.get(name, default)
    if not isinstance(value, int | float) or not 0 < value <= most:
        raise OptionError(f"option '{name}' takes more than 0 and at most {most:g}, not {value!r}")
    return value


def _handler(provider: _Provider, title: str, description: str) -> Handler:
    keys = tuple(
        Option(
            name,
            (str,),
            f"API key of {title}; may come from the server's settings",
            secret=True,
            by_reference=True,
        )
        for name in provider.key_options
    )

    def open_engine(options: Mapping[str, Value], environment: Environment) -> Engine:
        return _open(provider, options, environment)

    return Handler(
        name=provider.name,
        title=title,
        description=description,
        version="1.0",
        engine_options=(*keys, *_CONNECTION_OPTIONS),
        model_options=(*MODEL_OPTIONS, DIMENSIONS),
        open=open_engine,
        embeds=True,
    )


ANYSCALE = _handler(
    _Provider(
        name="anyscale_endpoints",
        default_base="https://api.endpoints.anyscale.com/v1",
        key_options=("anyscale_endpoints_api_key",),
        needs_key=True,
    ),
    "Anyscale Endpoints",
    "Open models served by Anyscale Endpoints, Anyscale Services or Ray Serve LLM",
)
OPENAI = _handler(
    _Provider(
        name="openai",
        default_base="https://api.openai.com/v1",
        key_options=("openai_api_key", "api_key"),
        needs_key=False,
    ),
    "OpenAI",
    "Any OpenAI-compatible API: OpenAI, vLLM, llama.cpp and others",
)
