"""The order in which prompts share their beginnings with their neighbours.

Endpoints keep what they have read of a prompt: the next one that begins alike costs them less.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from engines.chat import prompt
from engines.task import Task

T = TypeVar("T")
_BLOCK = 1024
_GAIN = 64
"""Characters more that neighbours have to share on average: below that rows come in order."""


def rendered(task: Task) -> str:
    """Return the text of a task's chat, or what is to be embedded."""
    if task.spec.mode == "embedding":
        return prompt.question(task)
    return "\n".join(message["content"] for message in prompt.messages(task))


def own(task: Task) -> str:
    """Return the part of that text which may differ from task to task, from its beginning on."""
    system = task.spec.system
    told = [prompt.system(task)] if system is not None and system.slots else []
    before = [text for turn in task.history for text in turn]
    return "\n".join([*told, *before, prompt.question(task)])


def by_prefix(items: Sequence[T], texts: Sequence[str]) -> list[T]:
    """Return `items` in the order to ask them: block by block sorted by their text, where that is
    worth it."""
    ordered: list[T] = []
    for start in range(0, len(items), _BLOCK):
        block = range(start, min(start + _BLOCK, len(items)))
        alike = sorted(block, key=texts.__getitem__)
        gain = _shared(texts, alike) - _shared(texts, block)
        order = alike if gain >= _GAIN * (len(block) - 1) > 0 else block
        ordered += [items[n] for n in order]
    return ordered


def _shared(texts: Sequence[str], order: Sequence[int]) -> int:
    """Return how many characters neighbours have in common at their beginnings, in all."""
    return sum(_common(texts[one], texts[other]) for one, other in pairwise(order))


def _common(one: str, other: str) -> int:
    least, most = 0, min(len(one), len(other))
    if one[:most] == other[:most]:
        return most
    while most - least > 1:
        middle = (least + most) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle
    return least
