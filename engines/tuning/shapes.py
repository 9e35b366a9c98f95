"""Rows as chats, by their columns: role + content, chat_json, or question + answer.

The columns are those of MindsDB's Anyscale handler. Whether a chat keeps the rules is rules.py's.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from engines.errors import DatasetRejected
from engines.tuning.chat import Chat, Fault, Reading, Row, Turn
from engines.tuning.chat_json import read_chat_json

INSTRUCTION = "You are a helpful assistant."
"""What a system message says before the context, where no column `instruction` does."""

_NEEDED = "role and content (with chat_id, message_id), or chat_json, or question and answer"
_NO_CHAT_ID = (
    " (without a column chat_id a chat ends where the next system message stands: "
    "add chat_id to tell chats apart)"
)
_PAIRS = (("role", "content"), ("question", "answer"))
_Read = Callable[[Sequence[str], Sequence[Row]], Reading]


def read_chats(columns: Sequence[str], rows: Sequence[Row]) -> Reading:
    """Return what the rows are as chats. Names of columns have no case, other columns are left
    alone. Raises DatasetRejected where they have none of the shapes."""
    names = [column.lower() for column in columns]
    for needed, read in _SHAPES:
        if needed <= set(names):
            return read(names, rows)
    raise DatasetRejected(_missing(names))


def _messages(names: Sequence[str], rows: Sequence[Row]) -> Reading:
    """A row is a message. Chats are told apart by chat_id, in the order in which they first come;
    in a chat message_id is the order, or else that of the rows."""
    turns = [
        Turn(role, content, number)
        for number, (role, content) in enumerate(_picked(names, rows, "role", "content"), 1)
    ]
    ids = list(_picked(names, rows, "chat_id", "message_id"))
    if faults := _id_faults(names, ids):
        return Reading((), tuple(faults))
    if "message_id" in names:
        turns.sort(key=lambda turn: _order(ids[turn.row - 1][1]))
    if "chat_id" not in names:
        return Reading(tuple(_cut_at_system(turns)), hint=_NO_CHAT_ID)
    chats: dict[str | None, list[Turn]] = {chat_id: [] for chat_id, _ in ids}
    for turn in turns:
        chats[ids[turn.row - 1][0]].append(turn)
    return Reading(tuple(Chat(tuple(t), min(turn.row for turn in t)) for t in chats.values()))


def _id_faults(names: Sequence[str], ids: Sequence[tuple[str | None, ...]]) -> list[Fault]:
    faults: list[Fault] = []
    seen: set[tuple[str | None, ...]] = set()
    for number, (chat_id, message_id) in enumerate(ids, 1):
        if "chat_id" in names and chat_id is None:
            faults.append(Fault(number, "chat_id is NULL"))
        elif "message_id" in names and message_id is None:
            faults.append(Fault(number, "message_id is NULL"))
        elif "message_id" in names and (chat_id, message_id) in seen:
            where = f" in chat {chat_id}" if "chat_id" in names else ""
            faults.append(Fault(number, f"message_id {message_id} stands twice{where}"))
        seen.add((chat_id, message_id))
    return faults


def _cut_at_system(turns: Sequence[Turn]) -> Iterator[Chat]:
    begun: list[Turn] = []
    for turn in turns:
        if begun and _is_system(turn):
            yield Chat(tuple(begun), begun[0].row)
            begun = []
        begun.append(turn)
    if begun:
        yield Chat(tuple(begun), begun[0].row)


def _is_system(turn: Turn) -> bool:
    return turn.role is not None and turn.role.strip().lower() == "system"


def _json(names: Sequence[str], rows: Sequence[Row]) -> Reading:
    """A row is a chat."""
    chats, faults = [], []
    for number, (text,) in enumerate(_picked(names, rows, "chat_json"), 1):
        read = read_chat_json(text, number)
        if isinstance(read, Fault):
            faults.append(read)
        else:
            chats.append(read)
    return Reading(tuple(chats), tuple(faults))


def _questions(names: Sequence[str], rows: Sequence[Row]) -> Reading:
    """A row is a chat of three messages: the instruction with the context, question, answer."""
    chats, faults = [], []
    cells = _picked(names, rows, "instruction", "context", "question", "answer")
    for number, (instruction, context, question, answer) in enumerate(cells, 1):
        missing = [name for name, cell in (("question", question), ("answer", answer)) if not cell]
        if missing:
            faults.append(Fault(number, f"{missing[0]} is empty or NULL"))
            continue
        system = "\n".join(filter(None, (instruction or INSTRUCTION, context)))
        said = (("system", system), ("user", question), ("assistant", answer))
        chats.append(Chat(tuple(Turn(role, text, number) for role, text in said), number))
    return Reading(tuple(chats), tuple(faults))


_SHAPES: tuple[tuple[set[str], _Read], ...] = (
    ({"chat_json"}, _json),
    ({"role", "content"}, _messages),
    ({"question", "answer"}, _questions),
)


def _picked(
    names: Sequence[str], rows: Sequence[Row], *columns: str
) -> Iterator[tuple[str | None, ...]]:
    places = [names.index(column) if column in names else None for column in columns]
    for row in rows:
        yield tuple(None if place is None else row[place] for place in places)


def _order(text: str | None) -> tuple[int, Decimal, str]:
    """Numbers by their size, before all other texts."""
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return 1, Decimal(0), text or ""
    return (0, number, "") if number.is_finite() else (1, Decimal(0), text or "")


def _missing(names: Sequence[str]) -> str:
    for pair in _PAIRS:
        for has, lacks in (pair, pair[::-1]):
            if has in names:
                near = get_close_matches(lacks, [name for name in names if name != has], n=1)
                hint = f": did you mean that by '{near[0]}'?" if near else ""
                return f"the data set has a column {has}, and none that is named {lacks}{hint}"
    return f"the data set has the columns {', '.join(names)}: it needs {_NEEDED}"
