"""The answers of an OpenAI-compatible endpoint, read: a completion, embeddings, a list of models,
an error.

Pure: bytes and status in, values or EngineErrors out.
https://platform.openai.com/docs/api-reference/chat/object
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engines.errors import (
    AuthenticationFailed,
    BadReply,
    ContextOverflow,
    EndpointFailed,
    EndpointTimeout,
    EngineError,
    ModelNotServed,
    RateLimited,
)
from engines.http.retry_after import retry_after
from engines.quota import Quota, read_quota
from engines.task import Usage, Value

SHOWN = 500
"""Characters at most of an endpoint's own words in a message."""

_MALFORMED = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
# OpenAI's and llama.cpp's codes, then the words of vLLM, llama.cpp, TGI, Groq and Anthropic.
_OVERFLOW = re.compile(
    rb"context_length_exceeded|exceed_context_size|maximum context length|maximum model length"
    rb"|exceeds? the (?:available |model's )?context|context (?:window|size|length) exceeded"
    rb"|reduce the length of the (?:messages|prompt|input)|(?:prompt|input) is too long",
    re.IGNORECASE,
)
_TRANSIENT_STATUSES = frozenset({409, 425, *range(500, 600)}) - {501, 505}


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP answer read to its end."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Completion:
    """The first choice of a chat completion."""

    text: str
    finish_reason: str
    usage: Usage
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class Vectors:
    """The embeddings of texts, in the order of the texts."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage
    quota: Quota | None = None


def succeeded(reply: HttpReply) -> bool:
    """Whether the endpoint did what it was asked."""
    return reply.status // 100 == 2


def refuses_route(reply: HttpReply) -> bool:
    """Whether the endpoint has nothing of that kind at all."""
    return reply.status in (404, 405, 501)


def json_of(reply: HttpReply) -> Value:
    """Read any JSON. Raises BadReply."""
    try:
        value: Value = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise BadReply("the endpoint's answer is not JSON", status=reply.status) from error
    return value


def read_completion(reply: HttpReply) -> Completion:
    """Read a chat completion. Raises BadReply where there is none, or no text in it."""
    try:
        body = json.loads(reply.body)
        choice = body["choices"][0]
        text = choice["message"]["content"]
        refusal = choice["message"].get("refusal")
        counted = _counted(body)
    except _MALFORMED as error:
        raise BadReply("the endpoint's answer is not a chat completion", status=200) from error
    if not isinstance(text, str):
        reason = f": {str(refusal)[:SHOWN]}" if refusal else ""
        raise BadReply(f"the model gave no text{reason}", status=200, usage=counted)
    return Completion(
        text, str(choice.get("finish_reason") or ""), counted, read_quota(reply.headers)
    )


def read_vectors(reply: HttpReply) -> Vectors:
    """Read a list of embeddings, in the order of what was sent. Raises BadReply where there is
    none, or one is no vector of finite numbers.

    https://platform.openai.com/docs/api-reference/embeddings
    """
    try:
        body = json.loads(reply.body)
        listed = enumerate(body["data"])
        placed = sorted((item.get("index", place), item["embedding"]) for place, item in listed)
        vectors = tuple(tuple(map(_coordinate, vector)) for _, vector in placed)
        counted = _counted(body)
        in_order = [place for place, _ in placed] == list(range(len(placed)))
    except _MALFORMED as error:
        raise BadReply("the endpoint's answer is not a list of embeddings", status=200) from error
    if not in_order or not all(vectors):
        raise BadReply("the endpoint's answer lacks an embedding", status=200, usage=counted)
    return Vectors(vectors, counted, read_quota(reply.headers))


def read_model_names(reply: HttpReply) -> list[str] | None:
    """Read OpenAI's {"data": [{"id": …}]}, or the bare array that some endpoints answer with."""
    try:
        body: Value = json.loads(reply.body)
    except ValueError:
        return None
    listed = body.get("data") if isinstance(body, dict) else body
    if not isinstance(listed, list):
        return None
    return [str(model["id"]) for model in listed if isinstance(model, dict) and "id" in model]


def _counted(body: Mapping[str, Any]) -> Usage:
    usage = body.get("usage") or {}
    return Usage(
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or 0),
    )


def _coordinate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a coordinate is a finite number")
    return float(value)


def http_error(reply: HttpReply, model: str, said: str) -> EngineError:
    """Return the error that an HTTP answer other than 200 stands for.

    `said` is the endpoint's own message, without secrets; `model` the one asked for, if any.
    """
    status = reply.status
    if status in (401, 403):
        return AuthenticationFailed(f"the endpoint refused the key: {said}", status=status)
    if status == 404 and model and "model" in said.lower():
        return ModelNotServed(f"the endpoint does not serve '{model}': {said}", status=status)
    if status in (400, 413, 422, 500) and _overflows(reply):
        return ContextOverflow(
            f"the prompt is too long for the model's context: {said}", status=status
        )
    if status == 429:
        return RateLimited(
            f"the endpoint refused the call for now: {said}",
            retry_after=retry_after(reply.headers),
            quota=read_quota(reply.headers),
        )
    if status == 408:
        return EndpointTimeout(f"the endpoint gave up waiting: {said}")
    return EndpointFailed(
        f"the endpoint answered with HTTP status {status}: {said}",
        status=status,
        transient=status in _TRANSIENT_STATUSES,
    )


def _overflows(reply: HttpReply) -> bool:
    return _OVERFLOW.search(reply.body) is not None


def said_by(reply: HttpReply) -> str:
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
