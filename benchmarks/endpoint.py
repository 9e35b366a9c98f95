"""An OpenAI-compatible endpoint on loopback that behaves as it is told, in a process of its own.

It is lean, so that what is measured is the client; it prints its port, is told by POST /control,
tells by GET /stats or /stats/moments, and ends with its standard input.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from benchmarks import behaviour as rules
from benchmarks.behaviour import Behaviour
from benchmarks.limiter import Limiter, PrefixCache
from benchmarks.tally import Tally

MODEL = "played"
CHARACTERS_PER_TOKEN = 4
TIMER_SECONDS = 0.001
"""How late the loop's timers are, which count whole milliseconds: 100 ms would be 101."""

_MODELS = {"object": "list", "data": [{"id": MODEL, "object": "model"}]}
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests"}

new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
if find_spec("uvloop"):
    new_event_loop = import_module("uvloop").new_event_loop


class Played:
    """The endpoint behind all connections: how it behaves, and what it counted since."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behave(behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        """Behave so from now on, and begin to count anew."""
        self.behaviour = behaviour
        self.limiter = Limiter(behaviour)
        self.prefixes = PrefixCache(behaviour.prefix_blocks)
        self.tally = Tally()

    def decide(self, prompt: str, body: dict[str, Any]) -> tuple[int, float, bytes]:
        """Take a chat completion in: its status, the seconds until its answer, the answer."""
        now = time.monotonic()
        attempt = self.tally.arrive(prompt, now)
        if not self.limiter.admits(now):
            self.tally.refusals.append(now)
            return 429, 0.0, _error("rate limit reached")
        fresh = self.prefixes.fresh(prompt) if self.behaviour.prefix_seconds else len(prompt)
        wait = rules.seconds(self.behaviour, prompt) + self.behaviour.prefix_seconds * fresh
        self.tally.take_in(wait, len(prompt), fresh)
        if status := rules.failure(self.behaviour, prompt, attempt):
            return status, wait, _error(f"a failure was asked for: {status}")
        return 200, wait, _completion(rules.text(self.behaviour, prompt), body, len(prompt))


class Connection(asyncio.Protocol):
    """One client's connection: HTTP/1.1, kept alive, one request at a time."""

    def __init__(self, played: Played) -> None:
        self._played = played
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tally: Tally | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            whole = end + 4 + _content_length(head)
            if len(self._buffer) < whole:
                return
            body = bytes(self._buffer[end + 4 : whole])
            del self._buffer[:whole]
            self._request(head.partition(b"\r\n")[0], body)

    def connection_lost(self, error: Exception | None) -> None:
        """Count the call that the client no longer waits for."""
        if self._timer is not None and self._tally is not None:
            self._timer.cancel()
            self._tally.abandon(time.monotonic())
        self._timer = self._transport = None

    def _request(self, line: bytes, body: bytes) -> None:
        if line.startswith(b"POST /v1/chat/completions"):
            self._chat(json.loads(body))
        elif line.startswith(b"POST /control"):
            self._played.behave(rules.from_json(json.loads(body)))
            self._send(200, b"{}")
        elif line.startswith(b"GET /stats"):
            told = self._played.tally.stats(moments=b"/moments" in line)
            self._send(200, json.dumps(asdict(told)).encode())
        elif line.startswith(b"GET /v1/models"):
            self._send(200, json.dumps(_MODELS).encode())
        else:
            self._send(404, _error("Not Found"))

    def _chat(self, body: dict[str, Any]) -> None:
        prompt = "\n".join(message["content"] for message in body["messages"])
        status, wait, answer = self._played.decide(prompt, body)
        self._tally = self._played.tally
        later = max(0.0, wait - TIMER_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(later, self._answer, status, answer)

    def _answer(self, status: int, answer: bytes) -> None:
        self._timer = None
        if self._tally is not None:
            self._tally.answer(status, time.monotonic())
        self._send(status, answer)

    def _send(self, status: int, body: bytes) -> None:
        after = self._played.behaviour.retry_after
        extra = f"Retry-After: {after:g}\r\n" if status == 429 and after is not None else ""
        head = (
            f"HTTP/1.1 {status} {_REASONS.get(status, 'Failed')}\r\n{extra}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        if self._transport is not None:
            self._transport.write(head.encode() + body)


async def main(behaviour: Behaviour) -> None:
    """Serve until standard input ends."""
    played = Played(behaviour)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(played), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return 0 if at < 0 else int(head[at + 17 :].partition(b"\r\n")[0])


def _error(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "error"}}).encode()


def _completion(answer: str, body: dict[str, Any], characters: int) -> bytes:
    content = _as_asked(answer, body)
    asked = characters // CHARACTERS_PER_TOKEN + 1
    said = len(content) // CHARACTERS_PER_TOKEN + 1
    message = {"role": "assistant", "content": content}
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": said,
            "total_tokens": asked + said,
        },
    }
    return json.dumps(completion).encode()


def _as_asked(answer: str, body: dict[str, Any]) -> str:
    """The bare answer, or the object that the request's JSON schema asks for."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    return json.dumps({next(iter(schema["properties"])): answer}) if schema else answer


if __name__ == "__main__":
    told = rules.from_json(json.loads(sys.argv[1])) if len(sys.argv) > 1 else Behaviour()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(told))
