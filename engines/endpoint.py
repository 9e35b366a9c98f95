"""One OpenAI-compatible HTTP endpoint: requests out, replies in, every failure as an EngineError.

The only module that imports httpx for talking to models; it knows no prompts, no labels and makes
no second try.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from ssl import SSLContext
from typing import NoReturn

import httpx

from engines.errors import (
    AuthenticationFailed,
    BadReply,
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    EngineError,
    ModelNotServed,
    OptionError,
    RateLimited,
)
from engines.retry_after import retry_after
from engines.task import Usage, Value

CONNECT_TIMEOUT = 5.0
_SHOWN = 500
_MAX_BODY = 32 * 1024 * 1024
_TRANSIENT_STATUSES = frozenset({409, 425, *range(500, 600)}) - {501, 505}


@dataclass(frozen=True, slots=True)
class Address:
    """Where an endpoint is and what it asks for: its base URL (see `base_url`) and headers.

    `secrets` are the texts that no message may show.
    """

    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    timeout: float = 120.0
    max_concurrency: int = 32


@dataclass(frozen=True, slots=True)
class Completion:
    """The first choice of a chat completion."""

    text: str
    finish_reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


def base_url(api_base: str) -> str:
    """Return the URL that /chat/completions is appended to.

    A trailing slash is dropped. An `api_base` of scheme and host alone gets /v1 appended; any path
    that it has is taken as it is. Raises OptionError for what is no http(s) URL of this kind; the
    message shows the URL without user, password and query.
    """
    try:
        url = httpx.URL(api_base.strip())
    except httpx.InvalidURL as error:
        raise OptionError("option 'api_base' is not a URL") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise OptionError("option 'api_base' takes a URL like https://host/v1")
    if url.userinfo or url.query or url.fragment:
        raise OptionError("option 'api_base' takes a URL without user, password, query or fragment")
    path = url.path.rstrip("/")
    if path.endswith("/chat/completions"):
        raise OptionError("option 'api_base' is the part before /chat/completions")
    return str(url.copy_with(path=path or "/v1"))


class Endpoint:
    """A pool of keep-alive connections to one endpoint."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._chat_url = httpx.URL(f"{address.base_url}/chat/completions")
        self._models_url = httpx.URL(f"{address.base_url}/models")
        self._client = _client(address)

    def __repr__(self) -> str:
        return f"Endpoint({self._address.base_url!r})"

    async def complete(self, body: Mapping[str, object]) -> Completion:
        """Make one chat completion. Raises EngineError; may be cancelled."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        reply = await self._exchange("POST", self._chat_url, content)
        if reply.status != httpx.codes.OK:
            self._fail(reply, str(body.get("model", "")))
        return _completion(reply)

    async def model_names(self) -> list[str] | None:
        """Return the names that /models lists, None where the endpoint has no such list."""
        reply = await self._exchange("GET", self._models_url)
        if reply.status in (404, 405, 501):
            return None
        if reply.status != httpx.codes.OK:
            self._fail(reply, "")
        return _model_names(reply)

    async def aclose(self) -> None:
        """Close all connections. Idempotent."""
        await self._client.aclose()

    async def _exchange(self, method: str, url: httpx.URL, content: bytes | None = None) -> _Reply:
        with self._translated():
            async with self._client.stream(method, url, content=content) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _MAX_BODY:
                        raise BadReply(f"the endpoint's answer is longer than {_MAX_BODY:,} bytes")
        return _Reply(response.status_code, response.reason_phrase, response.headers, bytes(body))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what httpx raises into the EngineError tree."""
        where = self._address.base_url
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            reason = "no answer in time" if isinstance(error, httpx.TimeoutException) else error
            raise EndpointUnreachable(
                self._redacted(f"cannot connect to {where}: {reason}")
            ) from error
        except httpx.TimeoutException as error:
            seconds = self._address.timeout
            raise EndpointTimeout(f"{where} gave no answer in {seconds:g} seconds") from error
        except httpx.TransportError as error:
            raise EndpointFailed(
                self._redacted(f"the connection to {where} broke: {error}"), transient=True
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EndpointFailed(self._redacted(f"{where} failed: {error}")) from error

    def _fail(self, reply: _Reply, model: str) -> NoReturn:
        raise _error(reply, model, self._redacted(_said(reply)))

    def _redacted(self, text: str) -> str:
        for secret in self._address.secrets:
            text = text.replace(secret, "***")
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _client(address: Address) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=address.max_concurrency,
        max_keepalive_connections=address.max_concurrency,
        keepalive_expiry=30.0,
    )
    url = httpx.URL(address.base_url)
    return httpx.AsyncClient(
        headers={"Content-Type": "application/json", **address.headers},
        limits=limits,
        timeout=httpx.Timeout(address.timeout, connect=CONNECT_TIMEOUT),
        verify=_tls() if url.scheme == "https" else False,
        # A proxy of the environment is for the world outside, never for this machine itself.
        trust_env=url.host not in ("localhost", "127.0.0.1", "::1"),
    )


@cache
def _tls() -> SSLContext:
    """Load the certificates once, and only where https asks for them: it takes 20 ms and 3 MB."""
    return httpx.create_ssl_context()


def _error(reply: _Reply, model: str, said: str) -> EngineError:
    """Choose the error that an HTTP answer other than 200 stands for."""
    status = reply.status
    if status in (401, 403):
        return AuthenticationFailed(f"the endpoint refused the key: {said}", status=status)
    if status == 404 and model and "model" in said.lower():
        return ModelNotServed(f"the endpoint does not serve '{model}': {said}", status=status)
    if status == 429:
        return RateLimited(
            f"the endpoint refused the call for now: {said}",
            retry_after=retry_after(reply.headers),
        )
    if status == 408:
        return EndpointTimeout(f"the endpoint gave up waiting: {said}")
    return EndpointFailed(
        f"the endpoint answered with HTTP status {status}: {said}",
        status=status,
        transient=status in _TRANSIENT_STATUSES,
    )


def _said(reply: _Reply) -> str:
    """Return the endpoint's own words: OpenAI's error.message, message, detail, or the body."""
    try:
        body: Value = json.loads(reply.body)
    except ValueError:
        return " ".join(reply.body.decode(errors="replace").split()) or reply.reason
    if isinstance(body, dict):
        for said in (body.get("error"), body.get("message"), body.get("detail")):
            if isinstance(said, dict) and isinstance(said.get("message"), str):
                return str(said["message"])
            if said:
                return said if isinstance(said, str) else json.dumps(said)
    return json.dumps(body)


def _completion(reply: _Reply) -> Completion:
    try:
        body = json.loads(reply.body)
        choice = body["choices"][0]
        text = choice["message"]["content"]
        refusal = choice["message"].get("refusal")
        usage = body.get("usage") or {}
        counted = Usage(
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadReply("the endpoint's answer is not a chat completion", status=200) from error
    if not isinstance(text, str):
        reason = f": {str(refusal)[:_SHOWN]}" if refusal else ""
        raise BadReply(f"the model gave no text{reason}", status=200)
    return Completion(text, str(choice.get("finish_reason") or ""), counted)


def _model_names(reply: _Reply) -> list[str] | None:
    """Read OpenAI's {"data": [{"id": …}]}, or the bare array that some endpoints answer with."""
    try:
        body: Value = json.loads(reply.body)
    except ValueError:
        return None
    listed = body.get("data") if isinstance(body, dict) else body
    if not isinstance(listed, list):
        return None
    return [str(model["id"]) for model in listed if isinstance(model, dict) and "id" in model]
