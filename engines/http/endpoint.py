"""One OpenAI-compatible HTTP endpoint: requests out, replies in, every failure as an EngineError.

The only module that imports httpx for talking to models; it knows no prompts, no labels and makes
no second try.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeAlias

import httpx

from engines.errors import (
    BadReply,
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    EngineError,
    OptionError,
)
from engines.http.lanes import CONNECT_TIMEOUT, Address, Lanes
from engines.http.reply import (
    SHOWN,
    Completion,
    HttpReply,
    Vectors,
    http_error,
    read_completion,
    read_model_names,
    read_vectors,
    said_by,
)

Headers: TypeAlias = list[tuple[bytes, bytes]]

_MAX_BODY = 32 * 1024 * 1024
_MOST_SECRETS = 64
"""Texts that no message may show: the last keys of an endpoint whose key is rotated."""
_LEAST_RATE = 100_000
"""Bytes a second that an upload is given time for."""


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


@dataclass(frozen=True, slots=True)
class _Form:
    """What a form needs other than JSON: its type, and the seconds that its answer may take."""

    content_type: bytes
    seconds: float

    def headers(self, usual: Headers) -> Headers:
        """The headers of a request, with this type."""
        kept = (header for header in usual if header[0].lower() != b"content-type")
        return [*kept, (b"Content-Type", self.content_type)]

    @property
    def extensions(self) -> dict[str, Any]:
        """Those of httpx that bound its time."""
        return {"timeout": httpx.Timeout(self.seconds, connect=CONNECT_TIMEOUT).as_dict()}


class Endpoint:
    """One endpoint and the keep-alive connections to it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._chat_url = httpx.URL(f"{address.base_url}/chat/completions")
        self._embeddings_url = httpx.URL(f"{address.base_url}/embeddings")
        self._models_url = httpx.URL(f"{address.base_url}/models")
        self._headers = _encoded(address, self._chat_url)
        timeout = httpx.Timeout(address.timeout, connect=CONNECT_TIMEOUT)
        self._extensions = {"timeout": timeout.as_dict()}
        self._lanes = Lanes(address)

    def __repr__(self) -> str:
        return f"Endpoint({self._address.base_url!r})"

    async def complete(self, body: Mapping[str, object]) -> Completion:
        """Make one chat completion. Raises EngineError; may be cancelled."""
        return read_completion(await self._post(self._chat_url, body))

    async def embed(self, body: Mapping[str, object]) -> Vectors:
        """Have texts embedded. Raises EngineError; may be cancelled."""
        return read_vectors(await self._post(self._embeddings_url, body))

    async def model_names(self) -> list[str] | None:
        """Return the names that /models lists, None where the endpoint has no such list."""
        reply = await self._exchange("GET", self._models_url)
        if reply.status in (404, 405, 501):
            return None
        if reply.status != httpx.codes.OK:
            self._fail(reply, "")
        return read_model_names(reply)

    async def ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> HttpReply:
        """Make any other request, with `body` as JSON, to `path` below the base URL; its answer may
        be an error's, see `error`. Raises EngineError where there is none; may be cancelled."""
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        return await self._exchange(method, self._url(path), content)

    async def send_file(
        self, path: str, form: Mapping[str, str], name: str, data: bytes
    ) -> HttpReply:
        """POST a form with a file in its field `file`, as `ask`. Waits longer for long files."""
        request = httpx.Request(
            "POST", self._url(path), data=dict(form), files={"file": (name, data)}
        )
        content = await request.aread()
        form_type = request.headers["Content-Type"].encode()
        longest = max(self._address.timeout, len(data) / _LEAST_RATE)
        return await self._exchange("POST", request.url, content, _Form(form_type, longest))

    def error(self, reply: HttpReply, model: str = "") -> EngineError:
        """Return the error that an answer other than 2xx stands for; it shows no secret."""
        return http_error(reply, model, self.said(reply))

    def said(self, reply: HttpReply) -> str:
        """Return the endpoint's own words in an answer, without secrets."""
        return self.redacted(said_by(reply))

    def redacted(self, text: str) -> str:
        """Return the text without secrets, at most a few lines of it."""
        for secret in self._address.secrets:
            text = text.replace(secret, "***")
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"

    async def aclose(self) -> None:
        """Close all connections. Idempotent."""
        await self._lanes.aclose()

    async def _post(self, url: httpx.URL, body: Mapping[str, object]) -> HttpReply:
        content = json.dumps(body, separators=(",", ":")).encode()
        reply = await self._exchange("POST", url, content)
        if reply.status != httpx.codes.OK:
            self._fail(reply, str(body.get("model", "")))
        return reply

    def _url(self, path: str) -> httpx.URL:
        return httpx.URL(f"{self._address.base_url}{path}")

    async def _exchange(
        self, method: str, url: httpx.URL, content: bytes = b"", form: _Form | None = None
    ) -> HttpReply:
        headers = self._headers
        reply = await self._send(method, url, headers, content, form)
        if reply.status == httpx.codes.UNAUTHORIZED and await self._renewed(headers):
            reply = await self._send(method, url, self._headers, content, form)
        return reply

    async def _send(
        self, method: str, url: httpx.URL, headers: Headers, content: bytes, form: _Form | None
    ) -> HttpReply:
        request = httpx.Request(
            method,
            url,
            headers=[
                *(headers if form is None else form.headers(headers)),
                (b"Content-Length", b"%d" % len(content)),
            ],
            stream=httpx.ByteStream(content),
            extensions=self._extensions if form is None else form.extensions,
        )
        with self._translated():
            async with self._lanes.lane() as transport:
                response = await transport.handle_async_request(request)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        return HttpReply(response.status_code, response.reason_phrase, response.headers, body)

    async def _renewed(self, refused: Headers) -> bool:
        """Whether there are other headers by now than the refused ones: a key was rotated."""
        old = self._address
        if self._headers == refused and old.renew is not None:
            try:
                new = await asyncio.to_thread(old.renew)
            except OptionError:
                return False  # what the endpoint says of the old key stands
            secrets = tuple(dict.fromkeys((*new.secrets, *old.secrets)))[:_MOST_SECRETS]
            self._address = replace(new, secrets=secrets)
            self._headers = _encoded(new, self._chat_url)
        return self._headers != refused

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what httpx raises into the EngineError tree."""
        where = self._address.base_url
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            reason = "no answer in time" if isinstance(error, httpx.TimeoutException) else error
            raise EndpointUnreachable(
                self.redacted(f"cannot connect to {where}: {reason}")
            ) from error
        except (httpx.TimeoutException, TimeoutError) as error:
            seconds = self._address.timeout
            raise EndpointTimeout(f"{where} gave no answer in {seconds:g} seconds") from error
        except httpx.TransportError as error:
            raise EndpointFailed(
                self.redacted(f"the connection to {where} broke: {error}"), transient=True
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EndpointFailed(self.redacted(f"{where} failed: {error}")) from error

    def _fail(self, reply: HttpReply, model: str) -> NoReturn:
        raise self.error(reply, model)


def _encoded(address: Address, url: httpx.URL) -> Headers:
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
