"""Data sets of these tests: good ones in each shape, and bad ones, each with its message."""

import json
from dataclasses import dataclass
from typing import Any

from engines.tuning.chat import Row

CHATS = 100


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and the rows of them."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def changed(self, row: int, **cells: str | None) -> "Table":
        """The table with other cells in a row, which is counted from 1."""
        rows = [list(each) for each in self.rows]
        for name, cell in cells.items():
            rows[row - 1][self.columns.index(name)] = cell
        return Table(self.columns, tuple(map(tuple, rows)))

    def without(self, row: int) -> "Table":
        return Table(self.columns, (*self.rows[: row - 1], *self.rows[row:]))


def messages(chats: int = CHATS) -> Table:
    """role + content with ids: three rows for each chat."""
    said = (("system", "You judge."), ("user", "Number {}?"), ("assistant", "It is {}."))
    return Table(
        ("chat_id", "message_id", "role", "content"),
        tuple(
            (str(chat), str(at), role, text.format(chat))
            for chat in range(chats)
            for at, (role, text) in enumerate(said)
        ),
    )


def plain_messages(chats: int = CHATS) -> Table:
    """role + content alone: a system message begins each chat."""
    return Table(("role", "content"), tuple(row[2:] for row in messages(chats).rows))


def chat_json(chats: int = CHATS) -> Table:
    return Table(("chat_json",), tuple((_json(chat),) for chat in range(chats)))


def questions(chats: int = CHATS) -> Table:
    rows = ((f"Who is {n}?", f"{n} is Ann.", "Ann") for n in range(chats))
    return Table(("question", "context", "answer"), tuple(rows))


def _json(chat: int) -> str:
    said = [
        {"role": "user", "content": f"Number {chat}?"},
        {"role": "assistant", "content": f"It is {chat}."},
    ]
    return json.dumps({"messages": said})


def said(*turns: tuple[str, Any]) -> str:
    return json.dumps({"messages": [{"role": r, "content": c} for r, c in turns]})


@dataclass(frozen=True, slots=True)
class Bad:
    """A data set that is refused, and all that the message says of it."""

    name: str
    table: Table
    told: str
    context_length: int | None = None


_CANNOT = "the data set cannot be learned from: "
BAD = (
    Bad("no rows", messages(0), "the data set has no rows"),
    Bad(
        "other columns",
        Table(("text", "label"), (("good", "1"),)),
        "the data set has the columns text, label: it needs role and content (with chat_id, "
        "message_id), or chat_json, or question and answer",
    ),
    Bad(
        "a column misspelled",
        Table(("role", "contents"), (("user", "Hi"),)),
        "the data set has a column role, and none that is named content: "
        "did you mean that by 'contents'?",
    ),
    Bad(
        "an unknown role",
        messages().changed(3, role="asistant"),
        f"{_CANNOT}row 3: unknown role 'asistant': did you mean 'assistant'?",
    ),
    Bad("no role", messages().changed(2, role=None), f"{_CANNOT}row 2: role is NULL"),
    Bad("no content", messages().changed(299, content=None), f"{_CANNOT}row 299: content is NULL"),
    Bad("empty content", messages().changed(6, content=" "), f"{_CANNOT}row 6: content is empty"),
    Bad(
        "the assistant first",
        messages().without(2).without(1),
        f"{_CANNOT}row 1: the chat starts with the assistant: the first to speak is the user",
    ),
    Bad(
        "the assistant after the system",
        messages().without(2),
        f"{_CANNOT}row 2: after the system message the user speaks first",
    ),
    Bad(
        "the user twice",
        messages().changed(3, role="user"),
        f"{_CANNOT}row 3: two user messages in a row: user and assistant take turns",
    ),
    Bad(
        "the user last",
        messages().without(3),
        f"{_CANNOT}row 2: the chat ends with a user message: the last one is the assistant's",
    ),
    Bad(
        "the system in the middle",
        messages().changed(2, role="system"),
        f"{_CANNOT}row 2: a system message stands at the start of a chat only",
    ),
    Bad("no chat_id", messages().changed(7, chat_id=None), f"{_CANNOT}row 7: chat_id is NULL"),
    Bad(
        "no message_id",
        messages().changed(7, message_id=None),
        f"{_CANNOT}row 7: message_id is NULL",
    ),
    Bad(
        "a message_id twice",
        messages().changed(6, message_id="1"),
        f"{_CANNOT}row 6: message_id 1 stands twice in chat 1",
    ),
    Bad("too few chats", messages(39), "the data set has 39 chats: it takes at least 40"),
    Bad(
        "one chat of all rows",
        Table(("role", "content"), (("user", "Hi"), ("assistant", "Hello")) * 50),
        "the data set has 1 chat: it takes at least 40 (without a column chat_id a chat ends "
        "where the next system message stands: add chat_id to tell chats apart)",
    ),
    Bad(
        "more tokens than the context",
        messages().changed(5, content="word " * 400),
        f"{_CANNOT}row 4: the chat has about 422 tokens, the context_length is 400",
        context_length=400,
    ),
    Bad("no JSON", chat_json().changed(4, chat_json="{"), f"{_CANNOT}row 4: chat_json is not JSON"),
    Bad(
        "JSON of something else",
        chat_json().changed(4, chat_json='{"prompt": "Hi"}'),
        f'{_CANNOT}row 4: chat_json is no object with an array "messages"',
    ),
    Bad(
        "JSON without content",
        chat_json().changed(4, chat_json='{"messages": [{"role": "user"}]}'),
        f"{_CANNOT}row 4: message 1: it has no content",
    ),
    Bad(
        "JSON with parts that are no chat's",
        chat_json().changed(4, chat_json='{"messages": [], "tools": []}'),
        f'{_CANNOT}row 4: chat_json has "tools" beside "messages"',
    ),
    Bad(
        "JSON with content that is no text",
        chat_json().changed(4, chat_json=said(("user", ["Hi"]))),
        f"{_CANNOT}row 4: message 1: content is not a text",
    ),
    Bad(
        "JSON that ends with the user",
        chat_json().changed(4, chat_json=said(("user", "Hi"))),
        f"{_CANNOT}row 4: message 1: the chat ends with a user message: "
        "the last one is the assistant's",
    ),
    Bad(
        "no answer",
        questions().changed(9, answer=None),
        f"{_CANNOT}row 9: answer is empty or NULL",
    ),
    Bad(
        "more bad rows than are told",
        Table(("question", "answer"), (("Who?", None),) * 100),
        _CANNOT
        + "; ".join(f"row {n}: answer is empty or NULL" for n in range(1, 6))
        + "; and 95 more",
    ),
)
