"""What is said to a model and what its reply means: Task to messages and schema, text to value.

Pure: it sends nothing, and keeps to the chat format that all endpoints share.
"""

import json
import re
from typing import TypedDict

from engines.chat import objects
from engines.chat.canonical import Unfit, label_of, listed, unquoted
from engines.chat.template import render
from engines.errors import BadReply
from engines.task import Example, ModelSpec, Target, Task


class Message(TypedDict):
    """One message of a chat, as the chat completions API spells it."""

    role: str
    content: str


FORMAT = 1
"""The number of the way in which prompts are made of tasks and answers of replies: answers that are
kept were made in one such way. To be counted up with every change that may change an answer."""

_SHOWN = 80


def messages(task: Task, *, bare: bool = False) -> list[Message]:
    """Return the chat that asks `task`: system, examples, what was said before, and the template
    with the inputs filled in.

    Where an object is asked for, its first message says so. Examples of a label are such objects,
    too, with `bare` the label alone.
    """
    spec = task.spec
    chat = _head(task, bare=bare)
    for asked, answer in task.history:
        chat += [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    chat.append({"role": "user", "content": question(task)})
    return instructed(chat, objects.instruction(spec)) if spec.is_object else chat


def question(task: Task) -> str:
    """Return what is asked of `task` itself: the template with its inputs filled in."""
    return render(task.spec.template, _inputs(task))


def system(task: Task) -> str:
    """Return what the model is told before all else, empty where it is told nothing."""
    return "" if task.spec.system is None else render(task.spec.system, _inputs(task))


def instruction(spec: ModelSpec) -> str:
    """Return what tells the model how to answer, where not any text will do."""
    return objects.instruction(spec) if spec.is_object else _instruction(spec.target)


def instructed(chat: list[Message], instruction: str) -> list[Message]:
    """Return `chat` with the instruction at its start, for endpoints that take no schema.

    Before the inputs, so that a prefix cache serves it. A chat that says so already stays as it is.
    """
    first, *after = chat
    if any(instruction in message["content"] for message in chat):
        return chat
    return [{"role": first["role"], "content": f"{instruction}\n\n{first['content']}"}, *after]


def repaired(chat: list[Message], reply: str, error: BadReply, instruction: str) -> list[Message]:
    """Return `chat` carried on: the reply that was no answer, and what was wrong with it."""
    return [
        *chat,
        {"role": "assistant", "content": reply},
        {"role": "user", "content": f"That is not valid: {error}. {instruction}"},
    ]


def prefill(target: Target) -> Message:
    """Return the start of the assistant's answer, up to where the label goes."""
    return {"role": "assistant", "content": _prefill(target)}


def grammar(target: Target) -> str:
    """Return the GBNF grammar of what may follow the prefill: a label and its closing quote.

    https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
    """
    inside = (json.dumps(label, ensure_ascii=False)[1:-1] for label in target.labels)
    return f"root ::= ({' | '.join(map(_gbnf, inside))}) {_gbnf(chr(34))}"


def read(spec: ModelSpec, text: str) -> str:
    """Return the text of a model's answer, see chat/values.py, that `text` gives. Raises
    BadReply."""
    return objects.read(spec, text) if spec.is_object else parse_reply(spec.target, text)


def parse_reply(target: Target, text: str) -> str:
    """Return the value that `text` gives for the one target, a text or a label.

    Free text loses outer whitespace and one pair of fences or quotes around it all. With labels
    the answer is the label itself, whether it came bare, quoted, fenced or as JSON, in any case
    and with closing punctuation. Raises BadReply where no label is given.
    """
    bare = objects.unfenced(text.strip())
    if not target.labels:
        return unquoted(bare)
    try:
        return label_of(target, _member(target, bare))
    except Unfit as error:
        shown = text.strip()[:_SHOWN]
        message = f"the model answered {shown!r} for '{target.name}', expected {error}"
        raise BadReply(message) from error


def _inputs(task: Task) -> dict[str, str | None]:
    return dict(zip(task.spec.inputs, task.inputs, strict=True))


def _head(task: Task, *, bare: bool) -> list[Message]:
    """What comes before the question, and is mostly the same for all rows."""
    spec = task.spec
    chat: list[Message] = []
    if spec.system is not None:
        chat.append({"role": "system", "content": system(task)})
    for example in spec.examples:
        told = dict(zip(spec.inputs, example.inputs, strict=True))
        asked = render(spec.template, told)
        chat.append({"role": "user", "content": asked})
        chat.append({"role": "assistant", "content": answer_of(spec, example, bare=bare)})
    return chat


def answer_of(spec: ModelSpec, example: Example, *, bare: bool = False) -> str:
    """Return an example's answer in the form that is asked for."""
    if spec.is_object or (spec.is_labelled and not bare):
        return objects.answer(spec, example.values)
    return example.values[0] or ""


def _instruction(target: Target) -> str:
    return (
        f"Answer with exactly one of these labels: {listed(target.labels)}. "
        "Write the label alone: no explanation, no other word."
    )


def _prefill(target: Target) -> str:
    return "{" + json.dumps(target.name, ensure_ascii=False) + ': "'


def _gbnf(text: str) -> str:
    return f'"{text.translate(_GBNF_ESCAPES)}"'


_GBNF_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def _member(target: Target, text: str) -> str:
    """Return the target's member where `text` is a JSON object, whole or cut off after it."""
    try:
        reply = json.loads(text)
    except ValueError:
        return _cut_off_member(target, text)
    if isinstance(reply, dict):
        members = {str(name).casefold(): value for name, value in reply.items()}
        return str(members.get(target.name.casefold(), text))
    return str(reply)


def _cut_off_member(target: Target, text: str) -> str:
    """Return the text after an echo of the prefill, whether its closing quote has come or not."""
    echo = re.match(r'\{\s*"' + re.escape(target.name) + r'"\s*:\s*(?=")', text, re.IGNORECASE)
    if echo is None:
        return text
    for closing in ("", '"'):
        try:
            return str(json.JSONDecoder().raw_decode(text[echo.end() :] + closing)[0])
        except ValueError:
            continue
    return text
