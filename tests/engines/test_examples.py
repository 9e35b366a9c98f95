import pytest

from engines.chat import pack, prompt
from engines.chat.tokens import TokenGauge
from engines.errors import OptionError
from engines.identity import added
from engines.model import compile_model
from engines.registry import find_handler
from engines.task import ModelSpec, Target, Task, Value
from engines.types import parse_type
from tests.engines.support import with_engine
from tests.support.endpoint import Endpoint

MOOD = "enum('good','bad')"
ROWS = (("a", "good"), ("b", "good"), ("c", "bad"), ("d", "Good."), ("e", "bad"))


def spec(
    rows: tuple[tuple[str | None, ...], ...] = ROWS,
    kinds: tuple[tuple[str, str], ...] = (("mood", MOOD),),
    handler: str = "openai",
    **options: Value,
) -> ModelSpec:
    targets = [Target(name, type=parse_type(kind)) for name, kind in kinds]
    given: dict[str, Value] = {"prompt_template": "Say: {{text}}", **options}
    if handler == "openai":
        given["model_name"] = "m"
    return compile_model("m", targets, given, find_handler(handler), rows)


def shown(model: ModelSpec) -> str:
    return "".join(example.inputs[0] for example in model.examples)


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ({}, "acbed"),
        ({"example_order": "balanced", "example_count": 3}, "acb"),
        ({"example_order": "given"}, "abcde"),
        ({"example_order": "Given", "example_count": 2}, "ab"),
        ({"example_order": "reversed", "example_count": 3}, "cba"),
        ({"example_count": 0}, ""),
    ],
)
def test_examples_are_chosen_and_ordered(options: dict[str, Value], order: str) -> None:
    assert shown(spec(**options)) == order  # type: ignore[arg-type]


def test_random_order_is_the_same_each_time_and_not_the_given_one() -> None:
    rows = tuple((str(number), "good") for number in range(10))
    first = shown(spec(rows, example_order="random"))
    assert first == shown(spec(rows[::-1], example_order="random"))
    assert sorted(first) == sorted("0123456789") != list(first)


def test_text_is_shown_in_the_order_given_and_twenty_at_most() -> None:
    rows = tuple((chr(97 + number), "x") for number in range(24))
    assert shown(spec(rows, (("t", "text"),))) == "abcdefghijklmnopqrst"
    assert len(spec(rows, (("t", "text"),), example_count=24).examples) == 24


@pytest.mark.parametrize(
    ("kinds", "row", "text"),
    [
        ((("mood", MOOD),), ("x", "fine"), "has 'fine' for 'mood', expected one of \"good\", \"b"),
        ((("mood", MOOD),), ("x", None), "has no answer: 'mood' is NULL"),
        ((("mood", MOOD),), (None, "good"), "has no input: text is NULL"),
        ((("mood", MOOD),), ("x",), "has 1 values, expected text, mood"),
        ((("n", "tinyint"),), ("x", "300"), "has '300' for 'n', expected a whole number from"),
        ((("n", "tinyint"), ("t", "text")), ("x", "3", None), "has no answer: 't' is NULL"),
        ((("j", "json"),), ("x", "{a"), "has '{a' for 'j', expected a JSON value"),
    ],
)
def test_example_that_is_none_is_named(
    kinds: tuple[tuple[str, str], ...], row: tuple[str | None, ...], text: str
) -> None:
    good = {"enum": "good", "tinyint": "3", "json": "[1]", "text": "t"}
    first = ("x", *(good[parse_type(kind).name] for _, kind in kinds))
    with pytest.raises(OptionError) as caught:
        spec((first, row), kinds)
    assert str(caught.value).startswith("example 2 of model m ")
    assert text in str(caught.value)


def test_unknown_order_has_a_near_name() -> None:
    with pytest.raises(OptionError, match="is not 'balance': did you mean 'balanced'"):
        spec(example_order="balance")


def turns(model: ModelSpec, *, bare: bool = False) -> list[tuple[str, str]]:
    return [(m["role"], m["content"]) for m in prompt.messages(Task(model, ("x",)), bare=bare)]


def test_examples_are_turns_before_the_question_behind_the_system() -> None:
    assert turns(spec(ROWS[:1], system="S")) == [
        ("system", "S"),
        ("user", "Say: a"),
        ("assistant", '{"mood": "good"}'),
        ("user", "Say: x"),
    ]


def test_examples_of_text_are_text() -> None:
    assert turns(spec((("a", "b c"),), (("t", "text"),)))[1] == ("assistant", "b c")


def test_examples_of_objects_are_objects_with_json_values() -> None:
    kinds = (("mood", MOOD), ("n", "tinyint"), ("p", "decimal(6,2)"), ("ok", "boolean"))
    kinds += (("j", "json"), ("d", "date"))
    row = ("a", "good", "5", None, "1", '{"k": [1]}', "2024-01-02")
    assert turns(spec((row,), kinds))[1][1] == (
        '{"mood": "good", "n": 5, "p": null, "ok": true, "j": {"k": [1]}, "d": "2024-01-02"}'
    )


def test_example_without_an_input_shows_its_default() -> None:
    model = spec((("a", None, "good"),), prompt_template="{{text}} by {{who | default('me')}}")
    assert model.examples[0].inputs == ("a", "me")


def test_label_for_an_endpoint_without_schema_is_shown_bare() -> None:
    with Endpoint("good", takes_json_schema=False) as endpoint:
        with_engine(endpoint, lambda engine: engine.predict(Task(spec(), ("x",))))
    said = [
        [m["content"] for m in request.messages if m["role"] == "assistant"][:2]
        for request in endpoint.requests
    ]
    assert said == [['{"mood": "good"}', '{"mood": "bad"}'], ["good", "bad"]]
    assert endpoint.requests[1].messages[0]["content"].startswith("Answer with exactly one of")


@pytest.mark.parametrize(
    ("kinds", "row", "told"),
    [
        ((("mood", MOOD),), ("a", "good"), '{"1": "good"}'),
        ((("mood", MOOD), ("n", "int")), ("a", "good", "5"), '{"1": {"mood": "good", "n": 5}}'),
    ],
)
def test_examples_stand_in_the_fixed_text_of_a_pack(
    kinds: tuple[tuple[str, str], ...], row: tuple[str, ...], told: str
) -> None:
    model = spec((row,), kinds, rows_per_prompt=5, system="S")
    system, user = pack.messages([Task(model, ("x",)), Task(model, ("y",))])
    assert system == {"role": "system", "content": "S"}
    head, _, items = user["content"].rpartition("\n\nItems:\n")
    assert head.endswith(f'For example, items:\n{{"1": {{"text": "a"}}}}\nThe reply:\n{told}')
    assert items == '{"1": {"text": "x"},\n"2": {"text": "y"}}'


def test_examples_are_counted_in_the_estimate() -> None:
    rows = tuple((f"some words of a review, number {n}", "good") for n in range(10))
    plain, shown = spec(()), spec(rows)
    task = Task(plain, ("x",))
    more = TokenGauge(shown).prompt(Task(shown, ("x",))) - TokenGauge(plain).prompt(task)
    assert 10 * 20 < more < 10 * 40


def test_history_is_counted_in_the_estimate() -> None:
    model = spec((), (("t", "text"),))
    gauge = TokenGauge(model)
    with_history = Task(model, ("x",), (("some words here", "ten words more than that were said"),))
    assert 15 < gauge.prompt(with_history) - gauge.prompt(Task(model, ("x",))) < 30


def test_models_with_other_examples_are_other_models() -> None:
    assert added(spec()) != added(spec(ROWS[:2])) != added(spec(()))
    assert added(spec(())) == {}


def test_embedding_has_no_examples() -> None:
    with pytest.raises(OptionError, match="an embedding has no examples"):
        spec((("a", "[1]"),), (("v", "vector"),), mode="embedding")
