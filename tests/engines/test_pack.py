import json

import pytest

from engines.chat import pack
from engines.errors import BadReply, ContextOverflow, EngineError
from engines.http.reply import Completion
from engines.task import ModelSpec, Prediction, Task, Usage
from tests.engines.support import MOODS, spec, tasks, with_engine
from tests.support.endpoint import Endpoint, Reply


def read(text: str, model: ModelSpec, count: int) -> list[str | None]:
    """Return the values, None for a bad reply."""
    answers = pack.predictions(model, Completion(text, "stop", Usage()), count)
    return [answer.value if isinstance(answer, Prediction) else None for answer in answers]


def ask(endpoint: Endpoint, asked: list[Task]) -> list[Prediction | EngineError]:
    return with_engine(endpoint, lambda engine: engine.predict_pack(asked))  # type: ignore[attr-defined, no-any-return]


def test_fixed_text_is_the_same_whatever_the_rows_and_comes_first() -> None:
    model = spec(MOODS, "Mood of {{text}}, please. Think of {{text}} and {{place}}.")
    few = pack.messages([Task(model, ("a", "b"))])[0]["content"]
    many = pack.messages([Task(model, (str(n), None)) for n in range(9)])[0]["content"]
    head = few[: few.index("Items:")]
    assert many.startswith(head)
    assert "Mood of {{text}}, please. Think of {{text}} and {{place}}." in head
    assert '"positive", "neutral", "negative"' in head
    assert json.loads(many[len(head) + len("Items:") :])["9"] == {"text": "8", "place": ""}


def test_tasks_of_two_models_are_no_pack() -> None:
    with pytest.raises(ValueError, match="of one model"):
        pack.messages([*tasks(spec(), "a"), *tasks(spec(MOODS), "a")])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"1": "x", "2": "y", "3": "z"}', ["x", "y", "z"]),
        ('```json\n{"2": "y",\n "1": "x", "3": "z"}\n```', ["x", "y", "z"]),
        ('Here {it} is: {"1": "x", "2": "y", "3": "z"} Enjoy!', ["x", "y", "z"]),
        ('{"1": "x", "3": "z", "7": "w"}', ["x", None, "z"]),
        ('{"1": "x", "2": "a \\"b\\" {c', ["x", None, None]),
        ('{"1": "x", "2": "y"', ["x", "y", None]),
        ('{"1": 5, "2": {"a": [1]}, "3": null}', ["5", '{"a": [1]}', None]),
        ('{"1": "x", "2": "y", "2": "n", "3": "z"}', ["x", None, "z"]),
        ('["x", "y", "z"]', [None, None, None]),
        ("I cannot do that", [None, None, None]),
        ("", [None, None, None]),
    ],
)
def test_answers_are_found_by_key(text: str, values: list[str | None]) -> None:
    assert read(text, spec(), 3) == values


def test_label_that_is_none_is_a_bad_reply_in_its_place() -> None:
    said = '{"1": "Positive.", "2": "fine", "3": {"answer": "neutral"}}'
    assert read(said, spec(MOODS), 3) == ["positive", None, "neutral"]


def test_stop_ends_an_answer_and_not_the_reply() -> None:
    model = spec(stop=["\n", "END"])
    assert "stop" not in pack.parameters(model, 2)
    assert read('{"1": "a\\nb", "2": "cENDd"}', model, 2) == ["a", "c"]


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_limit_is_for_each_answer(limit: str) -> None:
    scaled = pack.parameters(spec(temperature=0, **{limit: 10}), 20)
    assert scaled["temperature"] == 0
    assert isinstance(scaled[limit], int)
    assert 20 * 10 < scaled[limit] < 20 * 20


@pytest.mark.parametrize(("prompt_tokens", "completion_tokens"), [(100, 7), (2, 0), (0, 1), (9, 9)])
def test_tokens_add_up_exactly(prompt_tokens: int, completion_tokens: int) -> None:
    said = Completion(
        '{"1": "x", "3": "y", "4": "z"}', "stop", Usage(prompt_tokens, completion_tokens)
    )
    answers = [one for one in pack.predictions(spec(), said, 4) if isinstance(one, Prediction)]
    assert len(answers) == 3
    assert sum(one.usage.prompt_tokens for one in answers) == prompt_tokens
    assert sum(one.usage.completion_tokens for one in answers) == completion_tokens


def test_tokens_of_a_pack_without_an_answer_are_told_by_its_errors() -> None:
    answers = pack.predictions(spec(), Completion("no", "stop", Usage(11, 3)), 4)
    errors = [one for one in answers if isinstance(one, BadReply)]
    assert len(errors) == 4
    assert sum((one.usage for one in errors), Usage()) == Usage(11, 3)


@pytest.mark.parametrize("labels", [(), MOODS])
def test_pack_is_one_call_with_a_key_for_each_task(labels: tuple[str, ...]) -> None:
    with Endpoint('{"1": "neutral", "2": "positive"}') as endpoint:
        answers = ask(endpoint, tasks(spec(labels), "a", "b"))
    (request,) = endpoint.requests
    schema = request.body["response_format"]["json_schema"]["schema"]
    assert [one.value for one in answers if isinstance(one, Prediction)] == ["neutral", "positive"]
    assert schema["required"] == list(schema["properties"]) == ["1", "2"]
    assert schema["properties"]["2"].get("enum", []) == list(labels)


def test_pack_for_an_endpoint_without_schemas_is_asked_in_words() -> None:
    with Endpoint('```\n{"1": "a", "2": "b"}\n```', takes_json_schema=False) as endpoint:
        answers = ask(endpoint, tasks(spec(), "x", "y"))
    assert [one.value for one in answers if isinstance(one, Prediction)] == ["a", "b"]
    assert ["response_format" in request.body for request in endpoint.requests] == [True, False]


def test_pack_that_is_cut_off_gives_what_came_whole() -> None:
    cut = Reply('{"1": "a", "2": "b', finish_reason="length")
    with Endpoint(cut) as endpoint:
        first, second = ask(endpoint, tasks(spec(), "x", "y"))
    assert isinstance(first, Prediction)
    assert (first.value, first.truncated) == ("a", False)
    assert isinstance(second, BadReply)
    assert endpoint.calls == 1


def test_pack_that_is_too_long_is_a_context_overflow() -> None:
    said = "!400 This model's maximum context length is 512 tokens"
    with Endpoint(said) as endpoint, pytest.raises(ContextOverflow):
        ask(endpoint, tasks(spec(), "x", "y"))
    assert endpoint.calls == 1
