"""Many tasks of one model in one request: a chat of numbered items, a JSON object of answers.

Pure, like prompt.py. The fixed text comes before the items, so that an endpoint's prefix cache
serves it; the inputs are JSON, so that one item's text is not taken for another's.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from engines.chat import objects, prompt
from engines.chat.canonical import listed
from engines.chat.schema import Schema, closed, in_words, is_strict, object_schema
from engines.chat.schema import response_format as format_of
from engines.chat.template import shown
from engines.errors import BadReply, EngineError
from engines.http.reply import Completion
from engines.task import ModelSpec, Prediction, Task, Usage, Value

_PER_ANSWER = 8
"""Tokens at most for an answer's key, quotes and comma."""
_AROUND = 16
_LIMITS = ("max_tokens", "max_completion_tokens")
_START = re.compile(r'\{\s*"\d+"\s*:')
_KEY = re.compile(r'\s*[{,]\s*"(\d+)"\s*:\s*')
_DECODER = json.JSONDecoder()


def messages(tasks: Sequence[Task]) -> list[prompt.Message]:
    """Return the chat that asks all of `tasks`, which are of one spec, numbered from 1."""
    spec = tasks[0].spec
    if any(task.spec != spec for task in tasks):
        raise ValueError("the tasks of a pack are of one model")
    items = f"{_fixed(spec)}\n\nItems:\n{_items(spec, [task.inputs for task in tasks])}"
    chat: list[prompt.Message] = [{"role": "user", "content": items}]
    if spec.system is not None:
        chat.insert(0, {"role": "system", "content": shown(spec.system)})
    return chat


def parameters(spec: ModelSpec, count: int) -> dict[str, Value]:
    """Return the spec's parameters for `count` answers: room for all of them; a `stop`, which
    would end the whole reply, is for `predictions` to apply."""
    given = dict(spec.parameters)
    given.pop("stop", None)
    for limit in _LIMITS:
        if isinstance(each := given.get(limit), int):
            given[limit] = count * (each + _PER_ANSWER) + _AROUND
    return given


def response_format(spec: ModelSpec, count: int) -> dict[str, Value]:
    """Return the `response_format` of `count` keyed answers, see objects.asked_format."""
    keys = [str(number) for number in range(1, count + 1)]
    schema = closed(dict.fromkeys(keys, _answer_schema(spec)))
    return format_of("predictions", schema, strict=not spec.is_object or is_strict(spec.targets))


def predictions(
    spec: ModelSpec, completion: Completion, count: int
) -> list[Prediction | EngineError]:
    """Return the answer of each item, BadReply in the place of one that is missing or wrong.

    A reply that was cut off gives the answers that came whole. The tokens of the request are
    spread evenly over the predictions (over the errors, where there is none), so that their sums
    are the request's.
    """
    said = _said(completion.text)
    answers = [_read(spec, said.get(str(number)), number) for number in range(1, count + 1)]
    good = [place for place, one in enumerate(answers) if isinstance(one, Prediction)]
    places = good or range(count)
    for place, usage in zip(places, shares(completion.usage, len(places)), strict=True):
        answers[place] = _priced(answers[place], usage, completion)
    return list(answers)


def _answer_schema(spec: ModelSpec) -> Schema:
    if spec.is_object:
        return object_schema(spec.targets)
    answer: Schema = {"type": "string"}
    return {**answer, "enum": list(spec.target.labels)} if spec.target.labels else answer


def _fixed(spec: ModelSpec) -> str:
    return (
        "Do the task below for each of the numbered items, each on its own: they have nothing to "
        "do with each other. Where the task has a name in double braces, put the item's text of "
        "that name.\n\n"
        f"Task:\n{shown(spec.template)}\n\n"
        f"{_answers(spec)} Write the object alone: no explanation.{_examples(spec)}"
    )


def _answers(spec: ModelSpec) -> str:
    """How the answers are to be written."""
    if spec.is_object:
        return (
            "Reply with one JSON object: a key for each item's number, and as its value the answer "
            f"for that item, an object like {in_words(spec.targets)}."
        )
    labels = ""
    if spec.target.labels:
        labels = f" Each answer is exactly one of these labels: {listed(spec.target.labels)}."
    return (
        "Reply with one JSON object: a key for each item's number, and as its value, in quotes, "
        f'the answer for that item: {{"1": "…", "2": "…"}}.{labels}'
    )


def _examples(spec: ModelSpec) -> str:
    """A pack whose answers are known."""
    if not spec.examples:
        return ""
    asked = _items(spec, [example.inputs for example in spec.examples])
    answers = (
        objects.answer(spec, example.values)
        if spec.is_object
        else json.dumps(example.values[0], ensure_ascii=False)
        for example in spec.examples
    )
    told = ", ".join(f'"{number}": {answer}' for number, answer in enumerate(answers, 1))
    return f"\n\nFor example, items:\n{asked}\nThe reply:\n{{{told}}}"


def _items(spec: ModelSpec, rows: Sequence[Sequence[str | None]]) -> str:
    items = {
        str(number): dict(zip(spec.inputs, (text or "" for text in row), strict=True))
        for number, row in enumerate(rows, 1)
    }
    lines = (f'"{key}": {json.dumps(item, ensure_ascii=False)}' for key, item in items.items())
    return "{" + ",\n".join(lines) + "}"


def _said(text: str) -> dict[str, Value]:
    """Return the members of the object in `text` that are whole, whatever follows them; a key
    that has two values has none."""
    said: dict[str, Value] = {}
    start = _START.search(text)
    position = start.start() if start else len(text)
    while (key := _KEY.match(text, position)) is not None:
        try:
            value, position = _DECODER.raw_decode(text, key.end())
        except ValueError:
            break
        said[key[1]] = value if said.get(key[1], value) == value else None
    return said


def _priced(
    answer: Prediction | BadReply, usage: Usage, completion: Completion
) -> Prediction | BadReply:
    if isinstance(answer, Prediction):
        return replace(answer, usage=usage, quota=completion.quota)
    answer.usage = usage
    return answer


def _read(spec: ModelSpec, value: Value, number: int) -> Prediction | BadReply:
    if value is None:
        return BadReply(f"the model gave no answer for item {number} of a pack")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    try:
        return Prediction(prompt.read(spec, _stopped(spec, text)))
    except BadReply as error:
        return error


def _stopped(spec: ModelSpec, text: str) -> str:
    stop = dict(spec.parameters).get("stop")
    for end in [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []:
        text = text.partition(str(end))[0] if end else text
    return text


def shares(usage: Usage, count: int) -> list[Usage]:
    """Split `usage` into `count` shares of whole tokens that differ by one at most."""

    def share(tokens: int, place: int) -> int:
        return tokens // count + (place < tokens % count)

    return [
        Usage(share(usage.prompt_tokens, place), share(usage.completion_tokens, place))
        for place in range(count)
    ]
