import json

import pytest

from engines.chat import objects, prompt
from engines.chat.template import parse_template
from engines.errors import BadReply
from engines.task import ModelSpec, Target, Task

MOOD = Target("mood", ("positive", "neutral", "negative"))
TEXT = Target("answer")
SPEC = ModelSpec("m", parse_template("{{a}} and {{b}} and {{a}}"), (MOOD,))
TASK = Task(SPEC, ("x{{b}}", None))


def test_inputs_fill_the_template_and_are_not_read_again() -> None:
    assert prompt.messages(TASK) == [{"role": "user", "content": "x{{b}} and  and x{{b}}"}]


def test_schema_allows_one_of_the_labels() -> None:
    schema = objects.asked_format(SPEC)["json_schema"]
    assert json.loads(json.dumps(schema)) == {
        "name": "prediction",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"mood": {"type": "string", "enum": list(MOOD.labels)}},
            "required": ["mood"],
            "additionalProperties": False,
        },
    }


def test_prefill_opens_the_answer() -> None:
    assert prompt.prefill(Target('a"b', ("x",)))["content"] == '{"a\\"b": "'


def test_grammar_lists_the_labels_as_json_text() -> None:
    assert prompt.grammar(Target("t", ("a b", 'c"d', "e\\f", "é"))) == (
        r'root ::= ("a b" | "c\\\"d" | "e\\\\f" | "é") "\""'
    )


def test_instruction_is_added_once() -> None:
    instruction = prompt.instruction(SPEC)
    chat = prompt.instructed(prompt.messages(TASK), instruction)
    assert chat[0]["content"].startswith("Answer with exactly one of these labels: ")
    assert prompt.instructed(chat, instruction) == chat


def test_repair_tells_the_model_its_error() -> None:
    error = BadReply("the model answered 'meh'")
    chat = prompt.repaired(prompt.messages(TASK), "meh", error, prompt.instruction(SPEC))
    assert [message["role"] for message in chat] == ["user", "assistant", "user"]
    assert chat[1]["content"] == "meh"
    assert chat[2]["content"].startswith("That is not valid: the model answered 'meh'. Answer with")


@pytest.mark.parametrize(
    "reply",
    [
        "positive",
        " Positive.\n",
        '"positive"',
        "`POSITIVE`",
        "'positive'.",
        "“positive”",
        "positive!",
        '{"mood": "positive"}',
        '{"mood": "positive"',
        '{"mood": "positive',
        '{\n  "Mood": "Positive"\n}',
        '{"mood": "positive", "why": "love"}',
        '```json\n{"mood": "positive"}\n```',
        "```\npositive\n```",
    ],
)
def test_label_is_found_in_its_usual_dress(reply: str) -> None:
    assert prompt.parse_reply(MOOD, reply) == "positive"


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I think it is positive",
        "positive or negative",
        "positiv",
        '{"other": "positive"}',
        '{"mood": null}',
        '{"mood": ["positive"]}',
        "[]",
        "{",
    ],
)
def test_anything_else_is_a_bad_reply(reply: str) -> None:
    with pytest.raises(BadReply, match='expected one of "positive", "neutral", "negative"'):
        prompt.parse_reply(MOOD, reply)


def test_labels_of_numbers_are_matched_as_written() -> None:
    assert prompt.parse_reply(Target("stars", ("1", "2")), '{"stars": 2}') == "2"


def test_exact_label_wins_over_its_likes() -> None:
    assert prompt.parse_reply(Target("t", ("it", "IT")), '{"t": "IT"}') == "IT"


@pytest.mark.parametrize("label", ['say "hi"', "back\\slash"])
def test_label_is_unescaped_where_its_json_is_cut_off(label: str) -> None:
    text = json.dumps({"t": label})[:-2]
    assert prompt.parse_reply(Target("t", ("x", label)), text) == label


def test_label_comes_back_as_declared() -> None:
    assert prompt.parse_reply(Target("t", ("Very Good!", "bad")), "very good") == "Very Good!"


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("  Paris \n", "Paris"),
        ('"Paris"', "Paris"),
        ("```\nSELECT 1\n```", "SELECT 1"),
        ("```sql\nSELECT 1;\n```", "SELECT 1;"),
        ('"a" and "b"', '"a" and "b"'),
        ("Use ```x``` here", "Use ```x``` here"),
        ('{"answer": "Paris"}', '{"answer": "Paris"}'),
        ("it's", "it's"),
        ('"', '"'),
        ("", ""),
    ],
)
def test_free_text_loses_one_wrapping(reply: str, value: str) -> None:
    assert prompt.parse_reply(TEXT, reply) == value
