import asyncio
import json
from typing import Any

import pytest

from engines.chat.tokens import TokenGauge
from engines.errors import BadReply, ContextOverflow, EndpointFailed, EngineError, OptionError
from engines.model import compile_model
from engines.registry import find_handler
from engines.task import ModelSpec, Prediction, Target, Task, Value
from engines.types import parse_type
from tests.engines.shares import Kept, Purse, answered, dispatcher_of, limits
from tests.engines.support import opened, with_engine
from tests.support.embeddings import vector
from tests.support.endpoint import Endpoint, Reply


def spec(kind: str = "text", handler: str = "openai", **options: Value) -> ModelSpec:
    given: dict[str, Value] = {
        "model_name": "e",
        "mode": "embedding",
        "question_column": "text",
        **options,
    }
    return compile_model(
        "v", [Target("vector", type=parse_type(kind))], given, find_handler(handler)
    )


def ask(endpoint: Endpoint, model: ModelSpec, *texts: str) -> list[Prediction]:
    asked = [Task(model, (text,)) for text in texts]
    return with_engine(endpoint, lambda engine: engine.predict_pack(asked))  # type: ignore[attr-defined, no-any-return]


def test_target_is_a_vector_and_rows_share_requests() -> None:
    assert (str(spec().target.type), spec().rows_per_prompt) == ("vector", 64)
    assert spec("vector", rows_per_prompt=7).rows_per_prompt == 7


def test_text_is_embedded_as_it_is() -> None:
    model = spec()
    with Endpoint() as endpoint:
        one = with_engine(endpoint, lambda engine: engine.predict(Task(model, ("a cat",))))
    (request,) = endpoint.requests
    assert request.body == {"model": "e", "input": ["a cat"]}
    assert json.loads(one.value or "") == vector("a cat")
    assert " " not in (one.value or "")
    assert (one.usage.prompt_tokens, one.usage.completion_tokens) == (2, 0)


def test_many_texts_are_one_request_in_order() -> None:
    with Endpoint() as endpoint:
        answers = ask(endpoint, spec(dimensions=3), "a", "b b", "c")
    assert [json.loads(one.value or "") for one in answers] == [
        vector(text, 3) for text in ("a", "b b", "c")
    ]
    assert endpoint.requests[0].body == {"model": "e", "input": ["a", "b b", "c"], "dimensions": 3}
    assert sum(one.usage.prompt_tokens for one in answers) == 4


def test_thousand_rows_are_the_fewest_requests() -> None:
    model = spec()

    async def use(endpoint: Endpoint) -> list[Prediction]:
        asked = [Task(model, (str(number),)) for number in range(200)]
        async with (
            opened(endpoint) as engine,
            dispatcher_of(engine, limits(1)) as dispatcher,
        ):
            return await answered(dispatcher.open(Purse(), Kept()), asked)

    with Endpoint() as endpoint:
        answers = asyncio.run(use(endpoint))
    assert [json.loads(one.value or "") for one in answers] == [
        vector(str(number)) for number in range(200)
    ]
    assert [len(request.body["input"]) for request in endpoint.requests] == [64, 64, 64, 8]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([{"index": 0, "embedding": [1]}], "gave 1 embeddings for 2 texts"),
        (
            [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1]}],
            "gave 1 dimensions of an embedding, expected 2",
        ),
        ([{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}], "lacks an embedding"),
        ([{"index": 0, "embedding": []}, {"index": 1, "embedding": [1]}], "lacks an embedding"),
        ([{"index": 0, "embedding": ["x"]}], "is not a list of embeddings"),
        ([{"embedding": [True]}], "is not a list of embeddings"),
        ("x", "is not a list of embeddings"),
    ],
)
def test_answer_that_is_no_vectors_is_a_bad_reply(data: object, text: str) -> None:
    with (
        Endpoint(Reply(body=json.dumps({"data": data}))) as endpoint,
        pytest.raises(BadReply, match=text),
    ):
        ask(endpoint, spec(), "a", "b")
    assert endpoint.calls == 1


def test_vector_of_another_length_than_asked_is_a_bad_reply() -> None:
    with Endpoint("[1, 2]") as endpoint, pytest.raises(BadReply, match="expected 3"):
        ask(endpoint, spec(dimensions=3), "a")


def test_vectors_are_put_in_the_order_of_their_texts() -> None:
    data = [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]
    with Endpoint(Reply(body=json.dumps({"data": data}))) as endpoint:
        assert [one.value for one in ask(endpoint, spec(), "a", "b")] == ["[1.0]", "[2.0]"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("!400 This model's maximum context length is 8192 tokens", ContextOverflow),
        ("!500 broken", EndpointFailed),
    ],
)
def test_statuses_are_engine_errors(reply: str, kind: type[EngineError]) -> None:
    with Endpoint(reply) as endpoint, pytest.raises(kind):
        ask(endpoint, spec(), "a")


def test_answer_is_estimated_to_be_no_tokens() -> None:
    model = spec()
    task, gauge = Task(model, ("some words to embed",)), TokenGauge(model)
    assert (gauge.completion(task), gauge.most(task)) == (0, 0)
    assert 3 <= gauge.prompt(task) <= 7


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"kind": "int"}, "an embedding has one target, a vector: model v has others"),
        ({"system": "x"}, "an embedding has no 'system'"),
        ({"max_tokens": 5}, "an embedding has no 'max_tokens'"),
        ({"json_struct": {"a": "b"}}, "an embedding has no 'json_struct'"),
        ({"question_column": "vector"}, "cannot have it as an input"),
        ({"mode": "default", "kind": "vector"}, "the vector 'vector' without mode = 'embedding'"),
        ({"mode": "default", "dimensions": 3}, "option 'dimensions' of model v is for mode ="),
        ({"dimensions": 0}, "option 'dimensions' of model v takes 1 to 65,536"),
        ({"handler": "local", "model_name": "Qwen"}, "handler 'local' makes no embeddings"),
    ],
)
def test_option_that_means_nothing_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionError) as caught:
        spec(**options)
    assert text in str(caught.value)
