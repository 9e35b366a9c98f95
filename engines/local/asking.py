"""How the embedded model is asked: requests to llama.cpp's server, made of tasks.

Pure. A small model does not obey a plain instruction, so a label's answer is begun for it, and
examples of one are listed: told as turns of the chat they draw all it says to a single label (20 of
30 sentences right; listed, 28, which is the best of several forms on these same sentences).
"""

from collections.abc import Sequence
from dataclasses import replace

from engines.chat import objects, pack, prompt
from engines.repair import Mistake
from engines.task import ModelSpec, Target, Task

MODEL_NAME = "Qwen/Qwen2.5-Coder-0.5B-Instruct"
_MAX_TOKENS = 512
_PER_PACKED = 8
"""Tokens for what stands around a label in a pack: key, colon, quotes, comma."""


def body(task: Task, mistake: Mistake | None) -> dict[str, object]:
    """Return the request for one task; after a reply that was a mistake, for another."""
    spec, chat = task.spec, _chat(task)
    if mistake is not None:
        said, error = mistake.completion.text, mistake.error
        chat = prompt.repaired(chat, said, error, prompt.instruction(spec))
    asked: dict[str, object] = {"temperature": 0.0, "max_tokens": _MAX_TOKENS}
    asked |= dict(spec.parameters)
    if spec.is_labelled:
        chat = [*chat, prompt.prefill(spec.target)]
        asked |= _constraint(spec.target)
        asked.pop("max_completion_tokens", None)
    if spec.is_object:
        asked["response_format"] = objects.asked_format(spec, lengths=True)
    return {"model": MODEL_NAME, "messages": chat, **asked}


def pack_body(tasks: Sequence[Task]) -> dict[str, object]:
    """Return the request for tasks of one spec."""
    spec, count = tasks[0].spec, len(tasks)
    asked: dict[str, object] = {"temperature": 0.0, "max_tokens": count * _MAX_TOKENS}
    asked |= pack.parameters(spec, count)
    if spec.is_labelled:
        asked["max_tokens"] = count * (_room(spec.target) + _PER_PACKED)
        asked.pop("max_completion_tokens", None)
    asked["response_format"] = pack.response_format(spec, count)
    return {"model": MODEL_NAME, "messages": pack.messages(tasks), **asked}


def _chat(task: Task) -> list[prompt.Message]:
    spec = task.spec
    if spec.is_labelled:
        return _label_chat(task)
    chat = prompt.messages(task)
    return [_system(""), *chat] if spec.is_object and spec.system is None else chat


def _label_chat(task: Task) -> list[prompt.Message]:
    spec = task.spec
    told = filter(None, (prompt.system(task), _listed(spec)))
    rest = prompt.messages(replace(task, spec=replace(spec, examples=())))
    return [_system("\n\n".join(told)), *rest[spec.system is not None :]]


def _system(text: str) -> prompt.Message:
    """The system message, there even where it is empty: without one the chat template makes an
    assistant of the model, 27 of 30 labels right instead of 28."""
    return {"role": "system", "content": text}


def _listed(spec: ModelSpec) -> str:
    """The examples of a label."""
    if not spec.examples:
        return ""
    lines = (f"{one.values[0]}: {', '.join(filter(None, one.inputs))}" for one in spec.examples)
    return "\n".join(["For example:", *lines])


def _constraint(target: Target) -> dict[str, object]:
    """Return the grammar, and room for the longest label: no max_tokens cuts one off."""
    constraint = {"grammar": prompt.grammar(target), "max_tokens": _room(target)}
    if any('"' in label for label in target.labels):
        return constraint
    # The closing quote ends a label: waiting for the end-of-text token after it costs 15 % more.
    return {**constraint, "stop": ['"']}


def _room(target: Target) -> int:
    return max(len(label.encode()) for label in target.labels) + 2
