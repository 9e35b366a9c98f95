"""One OpenAI-compatible HTTP endpoint: requests out, replies in, every failure as an EngineError.

The only module that imports httpx for talking to models; it knows no prompts, no labels and makes
no second try.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import httpx

from engines.errors import (
    BadReply,
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    OptionError,
)
from engines.http.lanes import CONNECT_TIMEOUT, Address, Lanes
from engines.http.reply import (
    SHOWN,
    Completion,
    HttpReply,
    http_error,
    read_completion,
    read_model_names,
    said_by,
)

_MAX_BODY = 32 * 1024 * 1024


def base_url(api_base: str) -> str:
    """Return the URL that /chat/completions is appended to.

    A trailing slash is dropped. An `api_base` of scheme and host alone gets /v1 appended; any path
    that it has is taken as it is. Raises OptionError for what is no http(s) URL of this kind; the
    message does not show it, as it may hold a password.
    """
    try:
        url = httpx.URL(api_base.strip())
    except httpx.InvalidURL as error:
        raise OptionError("option 'api_base' is not a URL") from error
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65535:
        raise OptionError("option 'api_base' takes a URL like https://host/v1")
    if url.userinfo or url.query or url.fragment:
        raise OptionError("option 'api_base' takes a URL without user, password, query or fragment")
    path = url.path.rstrip("/")
    if path.endswith("/chat/completions"):
        raise OptionError("option 'api_base' is the part before /chat/completions")
    return str(url.copy_with(path=path or "/v1"))


class Endpoint:
    """One endpoint and the keep-alive connections to it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._chat_url = httpx.URL(f"{address.base_url}/chat/completions")
        self._models_url = httpx.URL(f"{address.base_url}/models")
        self._headers = _encoded(address, self._chat_url)
        timeout = httpx.Timeout(address.timeout, connect=CONNECT_TIMEOUT)
        self._extensions = {"timeout": timeout.as_dict()}
        self._lanes = Lanes(address)

    def __repr__(self) -> str:
        return f"Endpoint({self._address.base_url!r})"

    async def complete(self, body: Mapping[str, object]) -> Completion:
        """Make one chat completion. Raises EngineError; may be cancelled."""
        content = json.dumps(body, separators=(",", ":")).encode()
        reply = await self._exchange("POST", self._chat_url, content)
        if reply.status != httpx.codes.OK:
            self._fail(reply, str(body.get("model", "")))
        return read_completion(reply)

    async def model_names(self) -> list[str] | None:
        """Return the names that /models lists, None where the endpoint has no such list."""
        reply = await self._exchange("GET", self._models_url)
        if reply.status in (404, 405, 501):
            return None
        if reply.status != httpx.codes.OK:
            self._fail(reply, "")
        return read_model_names(reply)

    async def aclose(self) -> None:
        """Close all connections. Idempotent."""
        await self._lanes.aclose()

    async def _exchange(self, method: str, url: httpx.URL, content: bytes = b"") -> HttpReply:
        request = httpx.Request(
            method,
            url,
            headers=[*self._headers, (b"Content-Length", b"%d" % len(content))],
            stream=httpx.ByteStream(content),
            extensions=self._extensions,
        )
        with self._translated():
            async with self._lanes.lane() as transport:
                response = await transport.handle_async_request(request)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        return HttpReply(response.status_code, response.reason_phrase, response.headers, body)

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
        except (httpx.TimeoutException, TimeoutError) as error:
            seconds = self._address.timeout
            raise EndpointTimeout(f"{where} gave no answer in {seconds:g} seconds") from error
        except httpx.TransportError as error:
            raise EndpointFailed(
                self._redacted(f"the connection to {where} broke: {error}"), transient=True
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EndpointFailed(self._redacted(f"{where} failed: {error}")) from error

    def _fail(self, reply: HttpReply, model: str) -> NoReturn:
        raise http_error(reply, model, self._redacted(said_by(reply)))

    def _redacted(self, text: str) -> str:
        for secret in self._address.secrets:
            text = text.replace(secret, "***")
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _encoded(address: Address, url: httpx.URL) -> list[tuple[bytes, bytes]]:
    """Return the headers of every request, once: an endpoint's own win over ours."""
    headers = httpx.Headers(
        {
            "Host": url.netloc.decode("ascii"),
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "modelwire",
            "Content-Type": "application/json",
        }
    )
    headers.update(address.headers)
    return headers.raw


async def _read(response: httpx.Response) -> bytes:
    """Read to the end. httpx's decoding costs 10 %: it is for endpoints that compress unasked."""
    plain = "content-encoding" not in response.headers
    assert isinstance(response.stream, httpx.AsyncByteStream)
    body = bytearray()
    async for chunk in response.stream if plain else response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_BODY:
            raise BadReply(f"the endpoint's answer is longer than {_MAX_BODY:,} bytes")
    return bytes(body)
