"""The ladder over real sockets: what each kind of endpoint is asked for, and how often."""

import asyncio

import pytest

from engines.base import Engine
from engines.chat.schema import object_schema, plain
from engines.errors import EndpointFailed, EngineError
from engines.model import compile_model
from engines.registry import find_handler
from engines.task import ModelSpec, Prediction, Target, Task, Value
from engines.types import parse_type
from tests.engines.support import MOODS, spec, tasks, with_engine
from tests.support.endpoint import Endpoint, Reply, Request
from tests.support.schemas import Schemas

GOOD = '{"mood": "neutral", "stars": 3}'


def typed(template: str = "Say: {{text}}", **options: Value) -> ModelSpec:
    targets = [
        Target("mood", type=parse_type("enum('positive','neutral')")),
        Target("stars", type=parse_type("tinyint")),
    ]
    given = {"model_name": "m", "prompt_template": template, **options}
    return compile_model("mood", targets, given, find_handler("openai"))


def ask_all(endpoint: Endpoint, asked: list[Task], rounds: int = 1) -> list[str | EngineError]:
    async def use(engine: Engine) -> list[str | EngineError]:
        said: list[str | EngineError] = []
        for _ in range(rounds):
            calls = map(engine.predict, asked)
            for one in await asyncio.gather(*calls, return_exceptions=True):
                assert isinstance(one, Prediction | EngineError)
                said.append(one if isinstance(one, EngineError) else one.value or "")
        return said

    return with_engine(endpoint, use)


def held_by(request: Request) -> str:
    """The way in which a request is held to a schema."""
    body = request.body
    if "response_format" in body:
        return str(body["response_format"]["type"])
    return next((name for name in ("structured_outputs", "guided_json") if name in body), "words")


@pytest.mark.parametrize(
    ("takes", "ways"),
    [
        (True, ["json_schema"]),
        ("plain", ["json_schema", "json_schema"]),
        (False, ["json_schema", "structured_outputs"]),
        ("structured_outputs", ["json_schema", "structured_outputs"]),
        ("guided_json", ["json_schema", "structured_outputs", "guided_json"]),
        ("json_object", ["json_schema", "structured_outputs", "guided_json", "json_object"]),
        ("none", ["json_schema", "structured_outputs", "guided_json", "json_object", "words"]),
        (None, ["json_schema"]),
    ],
)
def test_way_is_found_by_the_first_call_and_kept_for_all(takes: Schemas, ways: list[str]) -> None:
    rows = [str(number) for number in range(20)]
    with Endpoint(GOOD, takes_json_schema=takes) as endpoint:
        said = ask_all(endpoint, tasks(typed(), *rows), rounds=2)
    assert said == ['["neutral","3"]'] * 40
    asked = [held_by(request) for request in endpoint.requests]
    assert asked[: len(ways)] == ways
    assert asked[len(ways) :] == [ways[-1]] * 39


def test_plain_schema_has_no_bounds_but_all_members() -> None:
    with Endpoint(GOOD, takes_json_schema="plain") as endpoint:
        ask_all(endpoint, tasks(typed(), "a"))
    first, second = (
        request.body["response_format"]["json_schema"] for request in endpoint.requests
    )
    assert "minimum" in str(first)
    assert "minimum" not in str(second)
    assert list(second["schema"]["properties"]) == ["mood", "stars"]
    assert second["strict"] is True


def test_member_named_like_a_keyword_stays_in_the_plain_schema() -> None:
    schema = object_schema([Target("pattern", type=parse_type("date"))])
    assert plain(schema) == {
        **schema,
        "properties": {
            "pattern": {
                "anyOf": [{"type": "string", "description": "YYYY-MM-DD"}, {"type": "null"}]
            }
        },
    }


def test_label_without_schema_is_asked_in_words_by_all_rows_after_one_refusal() -> None:
    rows = [str(number) for number in range(20)]
    with Endpoint("neutral", takes_json_schema="none") as endpoint:
        assert ask_all(endpoint, tasks(spec(MOODS), *rows)) == ["neutral"] * 20
    assert [held_by(request) for request in endpoint.requests] == ["json_schema"] + ["words"] * 20


def test_typed_model_goes_on_where_a_labelled_one_found_out() -> None:
    with Endpoint({"mood": GOOD, "Say": "neutral"}, takes_json_schema="guided_json") as endpoint:
        both = [*tasks(spec(MOODS), "a"), *tasks(typed("mood: {{text}}"), "a")]

        async def use(engine: Engine) -> list[str | None]:
            return [(await engine.predict(task)).value for task in both]

        assert with_engine(endpoint, use) == ["neutral", '["neutral","3"]']
    assert [held_by(request) for request in endpoint.requests] == [
        "json_schema",
        "words",
        "structured_outputs",
        "guided_json",
    ]


def test_prose_steps_down_one_rung_whatever_is_in_flight() -> None:
    prose = Reply("I feel fine", delay=0.5)
    replies = {"That is not valid": GOOD, "late": GOOD, "Say": prose}
    with Endpoint(replies, takes_json_schema=None) as endpoint:

        async def use(engine: Engine) -> None:
            await asyncio.gather(*map(engine.predict, tasks(typed(), "a", "b", "c")))
            await engine.predict(tasks(typed(), "late")[0])

        with_engine(endpoint, use)
    asked = [held_by(request) for request in endpoint.requests]
    assert asked == ["json_schema"] * 3 + ["structured_outputs"] * 4


def test_error_that_is_about_something_else_is_told_and_forgotten() -> None:
    said = "Unsupported parameter: 'max_tokens' is not supported with this model"
    replies: dict[str, Reply | str] = {"bad": Reply(said, 400), "good": GOOD}
    with Endpoint(replies) as endpoint:
        bad, good = (
            ask_all(endpoint, tasks(typed(), "bad")),
            ask_all(endpoint, tasks(typed(), "good")),
        )
    assert isinstance(bad[0], EndpointFailed)
    assert said in str(bad[0])
    assert good == ['["neutral","3"]']
    assert [held_by(request) for request in endpoint.requests] == [
        "json_schema",
        "words",
        "json_schema",
    ]


def test_row_that_is_refused_later_is_one_call() -> None:
    replies: dict[str, Reply | str] = {"bad": Reply("unexpected character", 400), "good": GOOD}
    with Endpoint(replies) as endpoint:

        async def use(engine: Engine) -> None:
            await engine.predict(tasks(typed(), "good")[0])
            with pytest.raises(EndpointFailed):
                await engine.predict(tasks(typed(), "bad")[0])

        with_engine(endpoint, use)
    assert [held_by(request) for request in endpoint.requests] == ["json_schema"] * 2


def test_slow_first_answer_holds_the_others_up_for_a_moment_only() -> None:
    """All are in flight while none is answered."""
    with Endpoint(Reply(GOOD, delay=1.0)) as endpoint:
        ask_all(endpoint, tasks(typed(), "a", "b", "c"))
    assert (endpoint.calls, endpoint.max_in_flight) == (3, 3)


def test_scout_that_is_cancelled_leaves_the_others_going() -> None:
    with Endpoint(Reply(GOOD, delay=0.2)) as endpoint:

        async def use(engine: Engine) -> str | None:
            first = asyncio.create_task(engine.predict(tasks(typed(), "a")[0]))
            await asyncio.sleep(0.05)
            second = asyncio.create_task(engine.predict(tasks(typed(), "b")[0]))
            await asyncio.sleep(0.05)
            first.cancel()
            return (await second).value

        assert with_engine(endpoint, use) == '["neutral","3"]'
    assert endpoint.calls == 2
