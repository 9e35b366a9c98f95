"""Typed targets: what is asked for them, and what becomes of the replies, over a real endpoint."""

import json

import pytest

from engines.chat import objects, prompt
from engines.chat.values import values
from engines.errors import BadReply, EngineError, OptionError
from engines.model import compile_model
from engines.registry import find_handler
from engines.task import ModelSpec, Prediction, Target, Task, Usage, Value
from engines.types import parse_type
from tests.engines.support import tasks, with_engine
from tests.support.endpoint import Endpoint, Reply

KINDS = {
    "sentiment": "enum('positive','neutral','negative')",
    "stars": "tinyint",
    "reason": "text",
    "tags": "json",
}


def typed(kinds: dict[str, str], template: str = "Say: {{text}}", **options: Value) -> ModelSpec:
    targets = [Target(name, type=parse_type(kind)) for name, kind in kinds.items()]
    given = {"model_name": "m", "prompt_template": template, **options}
    return compile_model("mood", targets, given, find_handler("openai"))


def ask(endpoint: Endpoint, spec: ModelSpec) -> tuple[str | None, ...]:
    prediction = with_engine(endpoint, lambda engine: engine.predict(tasks(spec, "hi")[0]))
    return values(spec, prediction.value or "")


def failure(endpoint: Endpoint, spec: ModelSpec) -> EngineError:
    with pytest.raises(EngineError) as caught:
        ask(endpoint, spec)
    return caught.value


def test_several_targets_are_one_call() -> None:
    said = '{"sentiment": "Positive", "stars": 5, "reason": "love", "tags": ["a", {"b": 1}]}'
    with Endpoint(said) as endpoint:
        answered = ask(endpoint, typed(KINDS))
    assert answered == ("positive", "5", "love", '["a",{"b":1}]')
    assert endpoint.calls == 1


def test_schema_has_the_targets_in_order_with_their_types() -> None:
    kinds = {
        "reasoning": "text",
        "mood": "enum('good','bad')",
        "short": "varchar(20)",
        "sure": "boolean",
        "stars": "tinyint unsigned",
        "id": "bigint",
        "price": "decimal(8,2)",
        "day": "date",
    }
    told = objects.asked_format(typed(kinds))["json_schema"]
    assert isinstance(told, dict)
    assert json.loads(json.dumps(told)) == {
        "name": "prediction",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "reasoning": {"type": "string"},
                "mood": {"type": "string", "enum": ["good", "bad"]},
                "short": {"type": "string"},
                "sure": {"type": "boolean"},
                "stars": {
                    "anyOf": [
                        {"type": "integer", "minimum": 0, "maximum": 255},
                        {"type": "null"},
                    ]
                },
                "id": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                "price": {"type": ["number", "null"]},
                "day": {
                    "anyOf": [
                        {
                            "type": "string",
                            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
                            "description": "YYYY-MM-DD",
                        },
                        {"type": "null"},
                    ]
                },
            },
            "required": list(kinds),
            "additionalProperties": False,
        },
    }
    schema = told["schema"]
    assert isinstance(schema, dict)
    assert list(schema["properties"]) == list(kinds)  # type: ignore[arg-type]


def test_json_of_any_kind_is_not_held_to_strictly() -> None:
    told = objects.asked_format(typed({"a": "json", "b": "int"}))["json_schema"]
    assert isinstance(told, dict)
    assert told["strict"] is False


def test_object_that_is_wanted_is_told_first_in_the_prompt() -> None:
    with Endpoint('{"sentiment": "positive", "stars": 5, "reason": "x", "tags": 1}') as endpoint:
        ask(endpoint, typed(KINDS))
    assert endpoint.requests[0].prompt == (
        "Answer with one JSON object: "
        '{"sentiment": one of "positive", "neutral", "negative", '
        '"stars": a whole number, or null if unknown, "reason": a text, "tags": a JSON value}. '
        "Write the object alone: no explanation, no other word.\n\nSay: hi"
    )


def test_instruction_stands_in_the_system_message_where_there_is_one() -> None:
    chat = prompt.messages(tasks(typed({"a": "int"}, system="Be brief."), "x")[0])
    assert [message["role"] for message in chat] == ["system", "user"]
    assert chat[0]["content"].endswith("\n\nBe brief.")
    assert chat[1]["content"] == "Say: x"


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ('{"stars": 5}', "5"),
        ('{"Stars": "5"}', "5"),
        ('```json\n{"stars": 5}\n```', "5"),
        ('Sure! {"stars": 5} Enjoy.', "5"),
        ("5", "5"),
        ('"5"', "5"),
        ("5.0", "5"),
        ('{"stars": null}', None),
        ("null", None),
        ('{"stars": 5, "why": "x"}', "5"),
    ],
)
def test_single_typed_target_is_read_from_an_object_or_alone(reply: str, value: str | None) -> None:
    with Endpoint(reply) as endpoint:
        assert ask(endpoint, typed({"stars": "tinyint"})) == (value,)
    assert endpoint.calls == 1


@pytest.mark.parametrize("reply", ['{"tags": ["a"]}', '["a"]'])
def test_single_json_target_is_read_from_an_object_or_alone(reply: str) -> None:
    with Endpoint(reply) as endpoint:
        assert ask(endpoint, typed({"tags": "json"})) == ('["a"]',)


def test_null_is_a_value_that_can_be_stored() -> None:
    spec = typed({"stars": "tinyint"})
    with Endpoint('{"stars": null}') as endpoint:
        prediction = with_engine(endpoint, lambda engine: engine.predict(tasks(spec, "hi")[0]))
    assert (prediction.value, prediction.error) == ("null", None)


def test_text_null_of_an_untyped_target_stays_text() -> None:
    assert values(typed({"a": "text"}), "null") == ("null",)


def test_null_beside_values_is_null() -> None:
    with Endpoint(
        '{"sentiment": "neutral", "stars": null, "reason": "", "tags": null}'
    ) as endpoint:
        assert ask(endpoint, typed(KINDS)) == ("neutral", None, "", None)


def test_reply_that_does_not_fit_is_repaired_once_with_every_error_told() -> None:
    good = '{"sentiment": "neutral", "stars": 4, "reason": "r", "tags": []}'
    bad = '{"sentiment": "fine", "stars": "5 stars", "tags": []}'
    with Endpoint({"That is not valid": good, "Say": bad}) as endpoint:
        spec = typed(KINDS)
        prediction = with_engine(endpoint, lambda engine: engine.predict(tasks(spec, "hi")[0]))
    assert values(spec, prediction.value or "") == ("neutral", "4", "r", "[]")
    first, second = endpoint.requests
    assert second.messages[:2] == [first.messages[0], {"role": "assistant", "content": bad}]
    assert second.messages[2]["content"].startswith(
        "That is not valid: the model answered 'fine' for 'sentiment', expected one of "
        '"positive", "neutral", "negative"; the model answered \'5 stars\' for \'stars\', expected '
        "a whole number from -128 to 127; the model gave no 'reason'. Answer with one JSON object"
    )
    assert "response_format" in second.body
    words = sum(len(m["content"].split()) for r in endpoint.requests for m in r.messages)
    assert prediction.usage == Usage(words, len(bad.split()) + len(good.split()))


def test_second_reply_that_does_not_fit_is_a_bad_reply_with_both_costs() -> None:
    with Endpoint('{"stars": 500}') as endpoint:
        error = failure(endpoint, typed({"stars": "tinyint"}))
    assert isinstance(error, BadReply)
    assert str(error) == (
        "the model answered '500' for 'stars', expected a whole number from -128 to 127"
    )
    assert (endpoint.calls, error.usage.completion_tokens) == (2, 4)


def test_reply_without_an_object_is_a_bad_reply_that_says_so() -> None:
    with Endpoint("I feel fine") as endpoint:
        error = failure(endpoint, typed(KINDS))
    assert str(error) == "the model answered 'I feel fine', expected a JSON object"
    assert endpoint.calls == 2


@pytest.mark.parametrize("text", ['{"stars": 12', "12", '{"stars": 1'])
def test_object_that_was_cut_off_is_a_bad_reply_in_one_call(text: str) -> None:
    with Endpoint(Reply(text, finish_reason="length")) as endpoint:
        error = failure(endpoint, typed({"stars": "tinyint"}))
    assert str(error) == "the answer for 'stars' was cut off: give it more max_tokens"
    assert endpoint.calls == 1


def test_object_that_ended_before_it_was_cut_off_is_whole() -> None:
    spec = typed({"stars": "tinyint"})
    with Endpoint(Reply('{"stars": 3}\n', finish_reason="length")) as endpoint:
        prediction = with_engine(endpoint, lambda engine: engine.predict(tasks(spec, "x")[0]))
    assert (prediction.value, prediction.truncated) == ("3", False)


def test_nested_reply_without_end_is_a_bad_reply() -> None:
    with Endpoint('{"stars": ' + "[" * 100_000) as endpoint:
        assert isinstance(failure(endpoint, typed({"stars": "tinyint"})), BadReply)


@pytest.mark.parametrize("kind", ["enum('a','b')", "text"])
def test_one_label_or_text_is_asked_as_ever(kind: str) -> None:
    with Endpoint("a") as endpoint:
        assert ask(endpoint, typed({"t": kind})) == ("a",)
    assert endpoint.requests[0].prompt == "Say: hi"


def test_labels_of_the_template_are_for_one_target_only() -> None:
    spec = typed({"a": "text", "b": "text"}, "`yes` or `no`? {{text}}")
    assert [target.labels for target in spec.targets] == [(), ()]


def test_stop_would_cut_an_object() -> None:
    with pytest.raises(OptionError, match="option 'stop' of model mood would cut its JSON"):
        typed({"a": "int"}, stop="\n")


@pytest.mark.parametrize("kinds", [{"stars": "tinyint"}, {"stars": "tinyint", "why": "text"}])
def test_pack_of_objects_has_one_for_each_item(kinds: dict[str, str]) -> None:
    spec = typed(kinds, rows_per_prompt=3)
    replies = {
        '"a"': '{"stars": 5, "why": "x"}',
        '"b"': '{"stars": "five", "why": "x"}',
        '"c"': '{"stars": null, "why": "z"}',
    }
    asked = [Task(spec, (text,)) for text in "abc"]
    with Endpoint(replies) as endpoint:
        answers = with_engine(endpoint, lambda engine: engine.predict_pack(asked))  # type: ignore[attr-defined]
    first, second, third = answers
    assert isinstance(first, Prediction)
    assert isinstance(second, BadReply)
    assert isinstance(third, Prediction)
    assert values(spec, first.value or "")[0] == "5"
    assert values(spec, third.value or "")[0] is None
    (request,) = endpoint.requests
    schema = request.body["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["1", "2", "3"]
    assert list(schema["properties"]["2"]["properties"]) == list(kinds)
    assert '"stars": a whole number, or null if unknown' in request.prompt


def struct_spec(struct: Value, target: str = "text", **options: Value) -> ModelSpec:
    given = {"model_name": "m", "json_struct": struct, "input_text": "sentence", **options}
    targets = [Target("json", type=parse_type(target))]
    return compile_model("found", targets, given, find_handler("openai"))


STRUCT: Value = {"price": "rental price", "place": {"city": "the city", "zip": "its code"}}


def test_json_struct_has_its_keys_strictly_in_a_json_target() -> None:
    spec = struct_spec(STRUCT)
    assert (spec.target.type.name, spec.inputs) == ("json", ("sentence",))
    said = '{"json": {"price": 1800, "place": {"city": "Berlin", "zip": null}}}'
    with Endpoint(said) as endpoint:
        assert ask(endpoint, spec) == ('{"price":"1800","place":{"city":"Berlin","zip":null}}',)
    (request,) = endpoint.requests
    told = request.body["response_format"]["json_schema"]
    assert told["strict"] is True
    member = told["schema"]["properties"]["json"]
    assert member["required"] == ["price", "place"]
    assert member["properties"]["price"] == {
        "type": ["string", "null"],
        "description": "rental price",
    }
    assert member["properties"]["place"]["additionalProperties"] is False
    assert '{"json": {"price": rental price, "place": {"city": the city,' in request.prompt
    assert request.prompt.endswith("Read the values from this text:\nhi")


def test_json_struct_alone_is_taken_as_the_answer() -> None:
    with Endpoint('{"price": "9", "place": {"city": "X", "zip": "1"}}') as endpoint:
        assert ask(endpoint, struct_spec(STRUCT, "json")) == (
            '{"price":"9","place":{"city":"X","zip":"1"}}',
        )


@pytest.mark.parametrize(
    ("struct", "text"),
    [
        ({}, "takes a JSON object with keys"),
        ({"a": 1}, "takes a text for 'a' that says what it means, or an object, not 1"),
        ({"a": {"b": ["c"]}}, "takes a text for 'b'"),
        ({"a": {}}, "takes a text for 'a'"),
        ("a", "takes a JSON object"),
    ],
)
def test_json_struct_that_is_none_is_refused(struct: Value, text: str) -> None:
    with pytest.raises(OptionError, match=text):
        struct_spec(struct)


def test_json_struct_is_for_a_json_target() -> None:
    with pytest.raises(OptionError, match="json_struct has one target, a json: model found has"):
        struct_spec(STRUCT, "int")
