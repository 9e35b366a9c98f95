"""A real OpenAI-compatible server on loopback, with scripted replies, for tests.

It runs in a thread with an event loop of its own, counts what it is asked and remembers it.
"""

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

from tests.support.embeddings import embedded
from tests.support.packs import items_of, packed
from tests.support.schemas import Schemas, refusal, schema_of
from tests.support.tuning import TuningDesk

HELD_POLL_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer: its text, or with a `status` other than 200 its error message.

    `body` stands for the whole response body where a test wants a malformed one. After `delay`
    seconds it waits until the event `held` is set.
    """

    text: str = ""
    status: int = 200
    delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    finish_reason: str = "stop"
    body: str | None = None
    held: threading.Event | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One chat completion that was asked for; `prompt` is all that the user said in it."""

    messages: list[dict[str, str]]
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        return "\n".join(m["content"] for m in self.messages if m["role"] == "user")


Replies: TypeAlias = Callable[[str], Reply | str] | Mapping[str, Reply | str] | Reply | str
"""One answer for all; or by a part of the prompt, first match; or a function of the prompt.

A text `!503 busy` is an HTTP error with that message, `!length long` an answer that was cut off at
the most tokens, `!never` none as long as the client waits. A mapping answers each item of a pack:
`!missing` leaves its key out, an HTTP error is one of the whole request.
"""


class Endpoint:
    """`with Endpoint(replies) as endpoint:` serves at `endpoint.url` until the block ends.

    `models` None: no /models at all (404). `key`: what the Authorization header must bear.
    `takes_json_schema` says how it can be held to a schema, see schemas.py. A bare label that is
    scripted for a request with a JSON schema is answered as the JSON that a real server makes.
    Embeddings are calls, too: their vectors are made of the texts, see embeddings.py.
    `answered` has the moments (time.monotonic) of the answers with status 200.
    """

    def __init__(
        self,
        replies: Replies = "ok",
        models: list[str] | None = None,
        key: str | None = None,
        takes_json_schema: Schemas = True,
    ) -> None:
        self.replies = replies
        self.models = models
        self.key = key
        self.takes_json_schema = takes_json_schema
        self.requests: list[Request] = []
        self.answered: list[float] = []
        self.in_flight = 0
        self.max_in_flight = 0
        self.tuning = TuningDesk(key=key)
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    @property
    def calls(self) -> int:
        """Chat completions, and embeddings, asked for since the start or the last `forget`."""
        return len(self.requests)

    def forget(self) -> None:
        """Begin to count anew."""
        self.requests.clear()
        self.answered.clear()
        self.max_in_flight = 0

    def start(self) -> "Endpoint":
        self._thread.start()
        self._wait(self._serve())
        return self

    def stop(self) -> None:
        """Stop serving and end the thread. Idempotent."""
        if self._runner is not None:
            self._wait(self._runner.cleanup())
            self._runner = None
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop.close()

    def __enter__(self) -> "Endpoint":
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _wait(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _serve(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", self._embed)
        app.router.add_get("/v1/models", self._list)
        app.router.add_get("/v1/{name:.+}/raw/main/README.md", self._card)
        app.router.add_routes(self.tuning.routes())
        # A handler must learn that its client is gone: tests count what is in flight.
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/v1"

    async def _list(self, request: web.Request) -> web.Response:
        if self.key is not None and not self._admits(request):
            return _error(401, "Incorrect API key provided")
        if self.models is None:
            return _error(404, "Not Found")
        listed = [{"id": name, "object": "model"} for name in self.models]
        return web.json_response({"object": "list", "data": listed})

    async def _card(self, request: web.Request) -> web.Response:
        """The Hugging Face card of a listed model, for who takes this for that site."""
        name = request.match_info["name"]
        if name not in (self.models or ()):
            return web.Response(status=404)
        return web.Response(text=f"---\nlicense: none\n---\n# {name}\n")

    async def _embed(self, http: web.Request) -> web.Response:
        body = await http.json()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        told = [{"role": "user", "content": text} for text in texts]
        return await self._counted(
            self._vectors(http, texts), Request(told, dict(http.headers), body)
        )

    async def _vectors(self, http: web.Request, texts: list[str]) -> web.Response:
        if self.key is not None and not self._admits(http):
            return _error(401, "Incorrect API key provided")
        replies = [self._scripted_or(text) for text in texts]
        for reply in filter(None, replies):
            await self._wait_for(reply)
            if (plain := _plain(reply)) is not None:
                return plain
        said = [reply.text if reply else None for reply in replies]
        self.answered.append(time.monotonic())
        return web.json_response(embedded(await http.json(), texts, said))

    def _scripted_or(self, text: str) -> Reply | None:
        """What is scripted for a text to embed, if it is an error or a vector."""
        if isinstance(self.replies, Mapping) and not any(part in text for part in self.replies):
            return None
        reply = self._scripted(text)
        is_told = reply.status != 200 or reply.body is not None or reply.text.startswith("[")
        return reply if is_told else None

    async def _chat(self, http: web.Request) -> web.Response:
        body = await http.json()
        request = Request(body["messages"], dict(http.headers), body)
        return await self._counted(self._answer(http, request), request)

    async def _counted(
        self, answer: Coroutine[Any, Any, web.Response], request: Request
    ) -> web.Response:
        self.requests.append(request)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            return await answer
        finally:
            self.in_flight -= 1

    async def _wait_for(self, reply: Reply) -> None:
        await asyncio.sleep(reply.delay)
        while reply.held is not None and not reply.held.is_set():  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(HELD_POLL_SECONDS)

    async def _answer(self, http: web.Request, request: Request) -> web.Response:
        if self.key is not None and not self._admits(http):
            return _error(401, "Incorrect API key provided")
        if (refused := refusal(request.body, self.takes_json_schema)) is not None:
            return _error(400, refused)
        reply = self._reply(request)
        await self._wait_for(reply)
        if (plain := _plain(reply)) is not None:
            return plain
        text = _as_json(reply.text, schema_of(request.body, self.takes_json_schema))
        self.answered.append(time.monotonic())
        return web.json_response(_completion(text, reply, request), headers=reply.headers)

    def _admits(self, http: web.Request) -> bool:
        return http.headers.get("Authorization") == f"Bearer {self.key}"

    def _reply(self, request: Request) -> Reply:
        items = items_of(request.prompt, request.body)
        if not items or not isinstance(self.replies, Mapping):
            return self._scripted(request.prompt)
        replies = {key: self._scripted(prompt) for key, prompt in items.items()}
        failed = next((reply for reply in replies.values() if reply.status != 200), None)
        return failed or Reply(packed({key: reply.text for key, reply in replies.items()}))

    def _scripted(self, prompt: str) -> Reply:
        replies = self.replies
        if callable(replies):
            reply = replies(prompt)
        elif isinstance(replies, Mapping):
            matching = (reply for part, reply in replies.items() if part in prompt)
            reply = next(matching, Reply("no reply is scripted for this prompt", 400))
        else:
            reply = replies
        return written_reply(reply) if isinstance(reply, str) else reply


def written_reply(text: str) -> Reply:
    """The reply that a script writes as a text, see Replies."""
    marked = re.fullmatch(r"!(\d{3}|length|never)\s*(.*)", text, re.DOTALL)
    if marked is None:
        return Reply(text)
    match marked[1]:
        case "length":
            return Reply(marked[2], finish_reason="length")
        case "never":
            return Reply(held=threading.Event())
        case status:
            return Reply(marked[2], int(status))


def _plain(reply: Reply) -> web.Response | None:
    """The response to a reply that is an error, or a whole body of its own."""
    if reply.body is not None:
        return web.Response(status=reply.status, text=reply.body, headers=reply.headers)
    return None if reply.status == 200 else _error(reply.status, reply.text, reply.headers)


def _as_json(text: str, schema: dict[str, Any] | None) -> str:
    """Wrap a bare label in the object that the request's schema asks for."""
    if schema is None:
        return text
    name, member = next(iter(schema["properties"].items()))
    return json.dumps({name: text}) if text in member.get("enum", ()) else text


def _completion(text: str, reply: Reply, request: Request) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    prompt_tokens = sum(len(m["content"].split()) for m in request.messages)
    completion_tokens = len(text.split())
    return {
        "id": "chatcmpl-test",
        "object": "chat.completion",
        "model": request.body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"error": {"message": message, "type": "error", "code": status}}
    return web.json_response(body, status=status, headers=headers)
