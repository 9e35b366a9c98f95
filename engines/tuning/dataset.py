"""Rows made a data set: two JSONL files, to train on and to validate with, or the first bad rows.

It decides what is good enough to be sent; it sends nothing.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engines.errors import DatasetRejected
from engines.task import sound
from engines.tuning.chat import Chat, Fault, Row
from engines.tuning.rules import fault_of, role_of, tokens_of
from engines.tuning.shapes import read_chats

LEAST_CHATS = 40
LEAST_VALIDATION = 20
VALIDATION_SHARE = 0.2
MOST_BYTES = 64 * 1024 * 1024
"""Of all cells together: they are held in memory, some times over while they are sent."""

_SHOWN_FAULTS = 5


@dataclass(frozen=True, slots=True)
class Dataset:
    """Two files of JSON lines, a chat on each: `training` and, behind it, `validation`. `tokens`
    are those of all chats, estimated."""

    training: bytes
    validation: bytes
    training_chats: int
    validation_chats: int
    tokens: int


def make_dataset(
    columns: Sequence[str], rows: Sequence[Row], context_length: int | None = None
) -> Dataset:
    """Return the data set that rows are, see shapes.py for their columns.

    The last fifth of the chats, and never less than 20, is for validation. No chat may have more
    tokens than `context_length`, where it is given. Takes a second for 10 MB. Raises
    DatasetRejected: no shape, the first bad rows, or fewer than 40 chats.
    """
    if not rows:
        raise DatasetRejected("the data set has no rows")
    reading = read_chats(columns, rows)
    found = (fault_of(chat, context_length) for chat in reading.chats)
    faults = [*reading.faults, *(fault for fault in found if fault is not None)]
    if faults:
        raise DatasetRejected(_told(faults))
    chats = reading.chats
    if len(chats) < LEAST_CHATS:
        some = f"{len(chats)} chat{'' if len(chats) == 1 else 's'}"
        raise DatasetRejected(
            f"the data set has {some}: it takes at least {LEAST_CHATS}{reading.hint}"
        )
    held_back = max(LEAST_VALIDATION, int(len(chats) * VALIDATION_SHARE))
    return Dataset(
        _lines(chats[:-held_back]),
        _lines(chats[-held_back:]),
        len(chats) - held_back,
        held_back,
        sum(map(tokens_of, chats)),
    )


def _told(faults: Sequence[Fault]) -> str:
    first = sorted(faults, key=lambda fault: fault.row)[:_SHOWN_FAULTS]
    more = len(faults) - len(first)
    behind = f"; and {more} more" if more else ""
    return f"the data set cannot be learned from: {'; '.join(map(str, first))}{behind}"


def _lines(chats: Iterable[Chat]) -> bytes:
    return b"".join(map(_line, chats))


def _line(chat: Chat) -> bytes:
    """In ASCII: a reader that takes U+2028 for the end of a line would find half a chat there."""
    said = [{"role": role_of(t), "content": sound(t.content or "")} for t in chat.turns]
    return json.dumps({"messages": said}, separators=(",", ":")).encode() + b"\n"
