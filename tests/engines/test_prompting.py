"""What CREATE MODEL says of the prompt, and the messages that come of it."""

import pytest

from engines.chat import prompt
from engines.dispatch.prefix import own
from engines.errors import OptionError
from engines.identity import added
from engines.model import compile_model
from engines.registry import find_handler
from engines.task import ModelSpec, Target, Task, Value
from engines.types import parse_type
from tests.engines.support import with_engine
from tests.support.endpoint import Endpoint


def compiled(handler: str = "openai", kind: str = "text", **options: Value) -> ModelSpec:
    given: dict[str, Value] = {"model_name": "m", **options}
    if handler == "local":
        del given["model_name"]
    targets = [Target("answer", type=parse_type(kind))]
    return compile_model("shop", targets, given, find_handler(handler))


def refusal(**options: Value) -> str:
    with pytest.raises(OptionError) as caught:
        compiled(**options)  # type: ignore[arg-type]
    return str(caught.value)


def told(spec: ModelSpec, *inputs: str | None) -> list[tuple[str, str]]:
    filled = spec.filled(inputs)
    assert filled is not None
    return [(m["role"], m["content"]) for m in prompt.messages(Task(spec, filled))]


# Templates, defaults and what is asked at all


def test_inputs_are_those_of_template_then_system() -> None:
    spec = compiled(prompt_template="{{b}} {{a}} {{b}}", system="{{c}} {{a}}")
    assert (spec.inputs, spec.optional) == (("b", "a", "c"), ())
    assert told(spec, "1", "2", "3") == [("system", "3 2"), ("user", "1 2 1")]


def test_input_is_optional_where_all_its_mentions_have_a_default() -> None:
    spec = compiled(
        prompt_template="{{a}} {{b | default('x')}} {{c | default('y')}} {{c}}",
        system="{{b | default('x')}}",
    )
    assert (spec.inputs, spec.optional) == (("a", "b", "c"), ("b",))


@pytest.mark.parametrize(
    ("template", "given", "filled"),
    [
        ("{{a}} {{b}}", ("1", "2"), ("1", "2")),
        ("{{a}} {{b}}", ("1", None), ("1", "")),
        ("{{a}} {{b}}", (None, None), None),
        ("{{a}} {{b | default('x')}}", ("1", None), ("1", "x")),
        ("{{a}} {{b | default('x')}}", ("1", ""), ("1", "")),
        ("{{a}} {{b | default('x')}}", (None, "2"), None),
        ("{{a}} {{b | default('x')}}", (None, None), None),
        ("{{a | default('y')}} {{b | default('')}}", (None, None), ("y", "")),
        ("{{a}} {{a | default('y')}} {{b}}", (None, "2"), ("y", "2")),
        ("{{a}} {{a | default('y')}}", (None,), None),
    ],
)
def test_null_is_a_default_or_empty_beside_given_values(
    template: str, given: tuple[str | None, ...], filled: tuple[str, ...] | None
) -> None:
    assert compiled(prompt_template=template).filled(given) == filled


def test_prompt_is_another_name_of_system() -> None:
    spec = compiled(prompt_template="{{a}}", prompt="Be kind.")
    assert told(spec, "x") == [("system", "Be kind."), ("user", "x")]


def test_model_without_new_options_is_asked_as_it_was() -> None:
    spec = compiled(prompt_template="Say {{a}} {x} {{b c}}")
    assert told(spec, "1") == [("user", "Say 1 {x} {{b c}}")]
    assert added(spec) == {}


@pytest.mark.parametrize(
    "options",
    [
        {"prompt_template": "{{a | default('x')}} {{b}}"},
        {"prompt_template": "{{a}} {{b}}", "system": "x"},
        {"json_struct": {"k": "v"}, "prompt_template": "{{a}} {{b}}"},
        {"mode": "conversational", "user_column": "a", "assistant_column": "b"},
    ],
)
def test_all_that_decides_an_answer_tells_models_apart(options: dict[str, Value]) -> None:
    assert added(compiled(**options)) not in ({}, added(compiled(prompt_template="{{a}} {{b}}")))  # type: ignore[arg-type]


def test_question_comes_after_its_context() -> None:
    spec = compiled(question_column="my q", context_column="doc")
    assert spec.inputs == ("doc", "my q")
    assert told(spec, "D", "Q") == [
        ("user", "Answer the question by the context.\n\nContext:\nD\n\nQuestion: Q")
    ]


def test_question_alone_is_the_prompt() -> None:
    assert told(compiled(question_column="q"), "Why?") == [("user", "Why?")]


def test_labels_may_stand_in_the_system_message() -> None:
    spec = compiled(question_column="q", system='Answer "yes" or "no".')
    assert spec.target.labels == ("yes", "no")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "model shop needs the option 'prompt_template'"),
        (
            {"prompt_template": "{{a}}", "question_column": "q"},
            "model shop takes one of prompt_template and question_column, not both",
        ),
        ({"context_column": "c", "prompt_template": "{{a}}"}, "needs the option 'question_column'"),
        ({"question_column": " "}, "option 'question_column' of model shop takes the name of a"),
        (
            {"prompt_template": "{{a}}", "system": "x", "prompt": "y"},
            "takes one of system and prompt, which are the same, not both",
        ),
        (
            {"prompt_template": "{{a | upper}}"},
            "option 'prompt_template' of model shop: '{{a | upper}}' has no filter that is known",
        ),
        ({"prompt_template": "{{a}}", "system": "{{b | x}}"}, "option 'system' of model shop: "),
        ({"prompt_template": "{{a}}", "system": "{{Answer}}"}, "cannot have it as an input"),
        (
            {"prompt_template": "{{a}}", "mode": "conversation"},
            "option 'mode' of model shop is not 'conversation': did you mean 'conversational'?",
        ),
        ({"prompt_template": "{{a}}", "user_column": "u"}, "is for mode = 'conversational'"),
        ({"mode": "conversational"}, "needs the option 'user_column': it is a conversation"),
        (
            {"mode": "conversational-full", "prompt_template": "{{a}}", "user_column": "u"},
            "takes one of user_column and prompt_template, not both",
        ),
        (
            {"mode": "conversational", "user_column": "u", "context_column": "c"},
            "needs the option 'question_column' beside 'context_column'",
        ),
        (
            {"mode": "conversational", "input_text": "u"},
            "a conversation has no 'input_text': model shop takes 'user_column'",
        ),
        (
            {"mode": "conversational", "user_column": "u", "assistant_column": "U"},
            "'assistant_column' of model shop has answers: the user needs another one",
        ),
        (
            {
                "mode": "conversational",
                "user_column": "u",
                "assistant_column": "a",
                "rows_per_prompt": 5,
            },
            "rows of a conversation do not share a call",
        ),
    ],
)
def test_prompt_that_is_none_is_refused(options: dict[str, Value], text: str) -> None:
    assert text in refusal(**options)


# Conversations


def conversation(**options: Value) -> ModelSpec:
    given: dict[str, Value] = {
        "mode": "conversational",
        "user_column": "question",
        "assistant_column": "answer",
        **options,
    }
    return compiled(**given)  # type: ignore[arg-type]


def test_answers_given_are_an_input_that_nobody_has_to_give() -> None:
    spec = conversation(assistant_column="reply")
    assert (spec.inputs, spec.given_answer) == (("question", "reply"), "reply")
    assert spec.optional == ("reply",)


def test_answers_given_in_the_targets_own_column_have_another_name() -> None:
    assert conversation().given_answer == "given_answer"
    assert conversation(assistant_column="ANSWER").given_answer == "given_ANSWER"


def test_nothing_is_asked_where_the_user_says_nothing() -> None:
    spec = conversation()
    assert spec.filled((None, "x")) is None
    assert spec.filled(("hi", None)) == ("hi", "")


def test_history_stands_between_system_and_question() -> None:
    spec = conversation(system="Be brief.", mode="Conversational-Full")
    task = Task(spec, ("and you?", ""), (("hi", "hello"), ("how?", "fine")))
    with Endpoint("well") as endpoint:
        with_engine(endpoint, lambda engine: engine.predict(task))
    assert [(m["role"], m["content"]) for m in endpoint.requests[0].messages] == [
        ("system", "Be brief."),
        ("user", "hi"),
        ("assistant", "hello"),
        ("user", "how?"),
        ("assistant", "fine"),
        ("user", "and you?"),
    ]


@pytest.mark.parametrize(
    ("said", "inputs", "asked"),
    [
        ({"user_column": "u"}, ("u",), "Anna"),
        ({"question_column": "q"}, ("q",), "Anna"),
        ({"prompt_template": "Say to {{who}}: hi"}, ("who",), "Say to Anna: hi"),
    ],
)
def test_conversation_needs_no_answers_given(
    said: dict[str, Value], inputs: tuple[str, ...], asked: str
) -> None:
    spec = compiled(mode="conversational", **said)  # type: ignore[arg-type]
    assert (spec.inputs, spec.given_answer) == (inputs, None)
    assert prompt.messages(Task(spec, ("Anna",)))[-1]["content"] == asked


def test_labels_are_not_read_out_of_a_conversation() -> None:
    assert conversation(system='Say "yes" or "no".').target.labels == ()


def test_conversation_may_have_typed_answers() -> None:
    spec = conversation(kind="tinyint")
    chat = prompt.messages(Task(spec, ("c", ""), (("a", "1"),)))
    assert chat[0]["content"].startswith("Answer with one JSON object: ")
    assert chat[0]["content"].endswith("\n\na")


# What rows are ordered by


def test_rows_are_ordered_by_what_is_their_own() -> None:
    spec = compiled(prompt_template="T {{a}}", system="S", kind="int")
    assert own(Task(spec, ("x",))) == "T x"
    spec = compiled(prompt_template="T {{a}}", system="S {{b}}")
    assert own(Task(spec, ("x", "y"))) == "S y\nT x"
    assert own(Task(conversation(), ("c", ""), (("a", "b"),))) == "a\nb\nc"
