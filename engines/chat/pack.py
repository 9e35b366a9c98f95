"""Many tasks of one model in one request: a chat of numbered items, a JSON object of answers.

Pure, like prompt.py. The fixed text comes before the items, so that an endpoint's prefix cache
serves it; the inputs are JSON, so that one item's text is not taken for another's.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from engines.chat import prompt
from engines.chat.template import Template
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
    return [{"role": "user", "content": f"{_fixed(spec)}\n\nItems:\n{_items(tasks)}"}]


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
    """Return the `response_format` of `count` keyed answers, see prompt.response_format."""
    answer: dict[str, Value] = {"type": "string"}
    if spec.target.labels:
        answer["enum"] = list(spec.target.labels)
    keys = [str(number) for number in range(1, count + 1)]
    schema: dict[str, Value] = {
        "type": "object",
        "properties": dict.fromkeys(keys, answer),
        "required": list(keys),
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "predictions", "strict": True, "schema": schema},
    }


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
    for place, usage in zip(places, _shares(completion.usage, len(places)), strict=True):
        answers[place] = _priced(answers[place], usage, completion)
    return list(answers)


def _fixed(spec: ModelSpec) -> str:
    labels = ""
    if spec.target.labels:
        listed = ", ".join(json.dumps(label, ensure_ascii=False) for label in spec.target.labels)
        labels = f" Each answer is exactly one of these labels: {listed}."
    return (
        "Do the task below for each of the numbered items, each on its own: they have nothing to "
        "do with each other. Where the task has a name in double braces, put the item's text of "
        "that name.\n\n"
        f"Task:\n{_shown(spec.template)}\n\n"
        "Reply with one JSON object: a key for each item's number, and as its value, in quotes, "
        'the answer for that item: {"1": "…", "2": "…"}.'
        f"{labels} Write the object alone: no explanation."
    )


def _shown(template: Template) -> str:
    parts = [template.literals[0]]
    for slot, literal in zip(template.slots, template.literals[1:], strict=True):
        parts += ["{{", slot, "}}", literal]
    return "".join(parts)


def _items(tasks: Sequence[Task]) -> str:
    names = tasks[0].spec.template.placeholders
    items = {
        str(number): dict(zip(names, (text or "" for text in task.inputs), strict=True))
        for number, task in enumerate(tasks, 1)
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
        return Prediction(prompt.parse_reply(spec.target, _stopped(spec, text)))
    except BadReply as error:
        return error


def _stopped(spec: ModelSpec, text: str) -> str:
    stop = dict(spec.parameters).get("stop")
    for end in [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []:
        text = text.partition(str(end))[0] if end else text
    return text


def _shares(usage: Usage, count: int) -> list[Usage]:
    """Split `usage` into `count` shares of whole tokens that differ by one at most."""

    def share(tokens: int, place: int) -> int:
        return tokens // count + (place < tokens % count)

    return [
        Usage(share(usage.prompt_tokens, place), share(usage.completion_tokens, place))
        for place in range(count)
    ]
