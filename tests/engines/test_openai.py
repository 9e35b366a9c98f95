import asyncio
import json
import logging
import socket
from collections.abc import Iterator

import pytest

from engines.errors import (
    AuthenticationFailed,
    BadReply,
    ContextOverflow,
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    EngineError,
    ModelNotServed,
    RateLimited,
)
from engines.task import ModelSpec, Prediction, Usage
from tests.engines.support import MOODS, opened, spec, tasks, with_engine
from tests.support.endpoint import Endpoint, Reply

KEY = "sk-very-secret-0123456789"


def ask(endpoint: Endpoint | str, model: ModelSpec, **options: object) -> Prediction:
    return with_engine(endpoint, lambda e: e.predict(tasks(model, "hi")[0]), **options)  # type: ignore[arg-type]


def failure(endpoint: Endpoint | str, model: ModelSpec | None = None) -> EngineError:
    with pytest.raises(EngineError) as caught:
        ask(endpoint, model or spec(), openai_api_key=KEY)
    return caught.value


def check(endpoint: Endpoint | str, model: ModelSpec | None, **options: object) -> None:
    with_engine(endpoint, lambda e: e.check(model), **options)  # type: ignore[arg-type]


@pytest.fixture
def closed_url() -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def test_free_text_is_one_plain_call() -> None:
    with Endpoint(' "Paris" ', key=KEY) as endpoint:
        model = spec(max_tokens=5, temperature=0)
        prediction = ask(endpoint, model, openai_api_key=KEY, organization="acme")
    (request,) = endpoint.requests
    assert prediction == Prediction("Paris", Usage(2, 1))
    assert request.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Say: hi"}],
        "max_tokens": 5,
        "temperature": 0.0,
    }
    assert request.headers["OpenAI-Organization"] == "acme"


def test_labels_go_out_as_json_schema_in_one_call() -> None:
    with Endpoint("neutral") as endpoint:
        assert ask(endpoint, spec(MOODS)).value == "neutral"
    (request,) = endpoint.requests
    schema = request.body["response_format"]["json_schema"]["schema"]
    assert schema["properties"] == {"answer": {"type": "string", "enum": list(MOODS)}}


def test_refused_schema_is_remembered() -> None:
    async def twice(engine):  # type: ignore[no-untyped-def]
        return [(await engine.predict(task)).value for task in tasks(spec(MOODS), "a", "b")]

    with Endpoint("Neutral.", takes_json_schema=False) as endpoint:
        assert with_engine(endpoint, twice) == ["neutral", "neutral"]
    assert ["response_format" in request.body for request in endpoint.requests] == [
        True,
        False,
        False,
    ]
    assert "Answer with exactly one of these labels" in endpoint.requests[2].prompt


def test_ignored_schema_is_remembered_after_one_repair() -> None:
    async def twice(engine):  # type: ignore[no-untyped-def]
        return [(await engine.predict(task)).value for task in tasks(spec(MOODS), "a", "b")]

    replies = {"exactly one of": "negative", "Say": "I feel it is bad"}
    with Endpoint(replies, takes_json_schema=None) as endpoint:
        assert with_engine(endpoint, twice) == ["negative", "negative"]
    assert endpoint.calls == 3
    assert "response_format" not in endpoint.requests[2].body


def test_bad_label_is_repaired_once_and_both_calls_are_counted() -> None:
    replies = {"That is not valid": "positive", "Say": "happy"}
    with Endpoint(replies) as endpoint:
        prediction = ask(endpoint, spec(MOODS))
    assert (prediction.value, endpoint.calls) == ("positive", 2)
    assert prediction.usage.completion_tokens == 2
    assert endpoint.requests[1].messages[1] == {"role": "assistant", "content": "happy"}


def test_second_bad_label_is_a_bad_reply() -> None:
    with Endpoint("happy") as endpoint:
        error = failure(endpoint, spec(MOODS))
    assert isinstance(error, BadReply)
    assert not error.transient
    assert error.usage.completion_tokens == 2
    assert endpoint.calls == 2


def test_truncated_label_is_a_bad_reply_in_one_call() -> None:
    with Endpoint(Reply("neutral", finish_reason="length")) as endpoint:
        error = failure(endpoint, spec(MOODS))
    assert isinstance(error, BadReply)
    assert "cut off" in str(error)
    assert endpoint.calls == 1


@pytest.mark.parametrize(
    ("reply", "kind", "transient", "text"),
    [
        ("!401 no", AuthenticationFailed, False, "the endpoint refused the key: no"),
        ("!403 no", AuthenticationFailed, False, "the endpoint refused the key: no"),
        ("!404 no model m", ModelNotServed, False, "does not serve 'm': no model m"),
        ("!404 Not Found", EndpointFailed, False, "HTTP status 404: Not Found"),
        ("!429 slow down", RateLimited, True, "for now: slow down"),
        ("!408 late", EndpointTimeout, True, "gave up waiting: late"),
        ("!400 too long", EndpointFailed, False, "HTTP status 400: too long"),
        ("!409 again", EndpointFailed, True, "HTTP status 409: again"),
        ("!500 broken", EndpointFailed, True, "HTTP status 500: broken"),
        ("!503 busy", EndpointFailed, True, "HTTP status 503: busy"),
    ],
)
def test_statuses_become_engine_errors(
    reply: str, kind: type[EngineError], transient: bool, text: str
) -> None:
    with Endpoint(reply) as endpoint:
        error = failure(endpoint)
    assert type(error) is kind
    assert text in str(error)
    assert (error.transient, endpoint.calls) == (transient, 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"error": {"message": "A"}}', "A"),
        ('{"error": "B"}', "B"),
        ('{"object": "error", "message": "C"}', "C"),
        ('{"detail": "D"}', "D"),
        ('{"detail": [{"loc": "E"}]}', '[{"loc": "E"}]'),
        ("<h1>F</h1>\n", "<h1>F</h1>"),
        ("", "Bad Gateway"),
        ("x" * 900, "x" * 500 + "…"),
    ],
)
def test_the_endpoints_own_message_is_told(body: str, said: str) -> None:
    with Endpoint(Reply(status=502, body=body)) as endpoint:
        error = failure(endpoint)
    assert str(error) == f"the endpoint answered with HTTP status 502: {said}"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, 0.25),
        ({}, None),
    ],
)
def test_rate_limit_carries_the_wait(headers: dict[str, str], seconds: float | None) -> None:
    with Endpoint(Reply("slow down", 429, headers=headers)) as endpoint:
        error = failure(endpoint)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"error": {"message": "x", "code": "context_length_exceeded"}}'),
        (400, '{"message": "This model\'s maximum context length is 4096 tokens. However, …"}'),
        (400, '{"error": {"message": "x", "type": "exceed_context_size_error"}}'),
        (500, '{"error": {"message": "the request exceeds the available context size"}}'),
        (413, '{"error": {"message": "Please reduce the length of the messages."}}'),
        (422, '{"error": "the decoder prompt is longer than the maximum model length of 512"}'),
    ],
)
def test_prompt_that_is_too_long_is_a_context_overflow(status: int, body: str) -> None:
    with Endpoint(Reply(status=status, body=body)) as endpoint:
        error = failure(endpoint)
    assert type(error) is ContextOverflow
    assert (error.status, error.transient) == (status, False)


@pytest.mark.parametrize(("reason", "cut"), [("length", True), ("stop", False)])
def test_free_text_that_was_cut_off_says_so(reason: str, cut: bool) -> None:
    with Endpoint(Reply("once upon a", finish_reason=reason)) as endpoint:
        prediction = ask(endpoint, spec(max_tokens=3))
    assert (prediction.value, prediction.truncated) == ("once upon a", cut)


@pytest.mark.parametrize(
    "body",
    ["", "no json", "[]", "{}", '{"choices": []}', '{"choices": [{"message": {"content": null}}]}'],
)
def test_answer_that_is_no_completion_is_a_bad_reply(body: str) -> None:
    with Endpoint(Reply(body=body)) as endpoint:
        assert isinstance(failure(endpoint), BadReply)


def test_no_listener_is_unreachable(closed_url: str) -> None:
    error = failure(closed_url)
    assert isinstance(error, EndpointUnreachable)
    assert str(error).startswith(f"cannot connect to {closed_url}: ")


def test_slow_answer_is_a_timeout() -> None:
    with (
        Endpoint(Reply("late", delay=5)) as endpoint,
        pytest.raises(EndpointTimeout, match=r"gave no answer in 0\.1 seconds"),
    ):
        ask(endpoint, spec(), timeout=0.1)


def test_connection_that_breaks_is_transient() -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def use() -> EngineError:
        async with await asyncio.start_server(break_off, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with opened(url) as engine:
                with pytest.raises(EndpointFailed) as caught:
                    await engine.predict(tasks(spec(), "hi")[0])
                return caught.value

    error = asyncio.run(use())
    assert error.transient
    assert not isinstance(error, EndpointUnreachable)


def test_check_accepts_a_listed_model() -> None:
    with Endpoint(models=["m", "n"]) as endpoint:
        check(endpoint, spec())
    assert endpoint.calls == 0


def test_check_names_near_models() -> None:
    models = ["mistral-7b-instruct", "mistral-7b", "llama-3-8b"]
    with Endpoint(models=models) as endpoint, pytest.raises(ModelNotServed) as caught:
        check(endpoint, spec(model_name="mistral-7b-instrct"))
    assert str(caught.value) == (
        "the endpoint does not serve 'mistral-7b-instrct': "
        "near names are mistral-7b-instruct, mistral-7b"
    )


def test_check_names_what_is_served_where_nothing_is_near() -> None:
    models = [f"x-{n}" for n in range(9)]
    with Endpoint(models=models) as endpoint, pytest.raises(ModelNotServed) as caught:
        check(endpoint, spec(model_name="gemma"))
    assert str(caught.value).endswith("it serves x-0, x-1, x-2, x-3, x-4, …")


def test_check_takes_an_endpoint_without_a_list_at_its_word() -> None:
    with Endpoint(models=None) as endpoint:
        check(endpoint, spec())


def test_check_tells_a_bad_key() -> None:
    with Endpoint(models=["m"], key=KEY) as endpoint, pytest.raises(AuthenticationFailed):
        check(endpoint, None, openai_api_key="sk-wrong-key")


def test_check_tells_a_closed_port(closed_url: str) -> None:
    with pytest.raises(EndpointUnreachable):
        check(closed_url, None)


def test_key_is_in_no_error_log_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def use() -> str:
        async with opened(endpoint, openai_api_key=KEY, extra_headers={"X-Token": "tok-77"}) as e:
            with pytest.raises(EngineError) as caught:
                await e.predict(tasks(spec(), "hi")[0])
            chain = [caught.value, caught.value.__cause__, caught.value.__context__]
            return f"{e!r} {vars(e)!r} {[repr(error) for error in chain]}"

    with Endpoint(Reply(f"key {KEY} and tok-77 are wrong", 400)) as endpoint:
        shown = asyncio.run(use())
    assert "key *** and *** are wrong" in shown
    assert KEY not in shown + caplog.text
    assert "tok-77" not in shown


def test_text_is_sent_as_it_is() -> None:
    text = "\u0000 \\ \" ' {{text}} ${x} ü 🙂"
    with Endpoint("ok") as endpoint:
        with_engine(endpoint, lambda e: e.predict(tasks(spec(), text)[0]))
    assert endpoint.requests[0].prompt == f"Say: {text}"
    assert json.loads(json.dumps(endpoint.requests[0].body))["messages"][0]["content"].endswith(
        "🙂"
    )
