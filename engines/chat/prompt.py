"""What is said to a model and what its reply means: Task to messages and schema, text to value.

Pure: it sends nothing, and keeps to the chat format that all endpoints share.
"""

import json
import re
from typing import TypedDict

from engines.chat.template import render
from engines.errors import BadReply
from engines.task import Target, Task, Value


class Message(TypedDict):
    """One message of a chat, as the chat completions API spells it."""

    role: str
    content: str


FORMAT = 1
"""The number of the way in which prompts are made of tasks and answers of replies: answers that are
kept were made in one such way. To be counted up with every change that may change an answer."""

_FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»"}
_PUNCTUATION = " \t\r\n.,;:!…"
_SHOWN = 80


def messages(task: Task) -> list[Message]:
    """Return the chat that asks `task`: its template with the inputs filled in."""
    spec = task.spec
    inputs = dict(zip(spec.template.placeholders, task.inputs, strict=True))
    return [{"role": "user", "content": render(spec.template, inputs)}]


def instructed(chat: list[Message], target: Target) -> list[Message]:
    """Return `chat` with the labels spelled out at its start, for endpoints that take no schema.

    Before the inputs, so that a prefix cache serves it. A chat that says so already stays as it is.
    """
    first, *after = chat
    instruction = _instruction(target)
    if any(instruction in message["content"] for message in chat):
        return chat
    return [{"role": first["role"], "content": f"{instruction}\n\n{first['content']}"}, *after]


def repaired(chat: list[Message], reply: str, error: BadReply, target: Target) -> list[Message]:
    """Return `chat` carried on: the reply that was no answer, and what was wrong with it."""
    return [
        *chat,
        {"role": "assistant", "content": reply},
        {"role": "user", "content": f"That is not valid: {error}. {_instruction(target)}"},
    ]


def response_format(target: Target) -> dict[str, Value]:
    """Return the `response_format` that has the endpoint answer one of the labels as JSON.

    https://platform.openai.com/docs/guides/structured-outputs
    """
    labels: list[Value] = list(target.labels)
    schema: dict[str, Value] = {
        "type": "object",
        "properties": {target.name: {"type": "string", "enum": labels}},
        "required": [target.name],
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "prediction", "strict": True, "schema": schema},
    }


def prefill(target: Target) -> Message:
    """Return the start of the assistant's answer, up to where the label goes."""
    return {"role": "assistant", "content": _prefill(target)}


def grammar(target: Target) -> str:
    """Return the GBNF grammar of what may follow the prefill: a label and its closing quote.

    https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
    """
    inside = (json.dumps(label, ensure_ascii=False)[1:-1] for label in target.labels)
    return f"root ::= ({' | '.join(map(_gbnf, inside))}) {_gbnf(chr(34))}"


def parse_reply(target: Target, text: str) -> str:
    """Return the value that `text` gives for `target`.

    Free text loses outer whitespace and one pair of fences or quotes around it all. With labels
    the answer is the label itself, whether it came bare, quoted, fenced or as JSON, in any case
    and with closing punctuation. Raises BadReply where no label is given.
    """
    bare = _unfenced(text.strip())
    if not target.labels:
        return _unquoted(bare)
    said = _member(target, bare)
    if said in target.labels:
        return said
    spelled = _spelled(said)
    for label in target.labels:
        if _spelled(label) == spelled:
            return label
    shown = text.strip()[:_SHOWN]
    expected = ", ".join(json.dumps(label, ensure_ascii=False) for label in target.labels)
    raise BadReply(f"the model answered {shown!r} for '{target.name}', expected one of {expected}")


def _instruction(target: Target) -> str:
    labels = ", ".join(json.dumps(label, ensure_ascii=False) for label in target.labels)
    return (
        f"Answer with exactly one of these labels: {labels}. "
        "Write the label alone: no explanation, no other word."
    )


def _prefill(target: Target) -> str:
    return "{" + json.dumps(target.name, ensure_ascii=False) + ': "'


def _gbnf(text: str) -> str:
    return f'"{text.translate(_GBNF_ESCAPES)}"'


_GBNF_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def _unfenced(text: str) -> str:
    fenced = _FENCE.fullmatch(text)
    return fenced[1].strip() if fenced else text


def _unquoted(text: str) -> str:
    """Drop the quotes around `text`, if they are a pair and stand nowhere inside."""
    inner = text[1:-1]
    closing = _QUOTES.get(text[:1])
    if len(text) < 2 or text[-1] != closing or text[0] in inner or closing in inner:
        return text
    return inner.strip()


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


def _spelled(text: str) -> str:
    """Reduce a label to what tells it from the others."""
    return _unquoted(text.strip(_PUNCTUATION)).strip(_PUNCTUATION).casefold()
