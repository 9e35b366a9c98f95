"""A whole chat in one cell: {"messages": [{"role": "user", "content": "…"}, …]}.

The format of OpenAI's training files, https://platform.openai.com/docs/guides/fine-tuning; a bare
array of messages is taken as well. Nothing in it is guessed or dropped.
"""

import json

from engines.tuning.chat import Chat, Fault, Turn

_KEYS = {"role", "content"}


def read_chat_json(text: str | None, row: int) -> Chat | Fault:
    """Return the chat, or what is wrong with the first part that is none."""
    if text is None:
        return Fault(row, "chat_json is NULL")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Fault(row, "chat_json is not JSON")
    messages = value.get("messages") if isinstance(value, dict) else value
    if not isinstance(messages, list):
        return Fault(row, 'chat_json is no object with an array "messages"')
    if isinstance(value, dict) and (others := value.keys() - {"messages"}):
        return Fault(row, f'chat_json has "{min(others)}" beside "messages"')
    if not messages:
        return Fault(row, "the chat has no messages")
    turns = [_turn(message, row, at) for at, message in enumerate(messages, 1)]
    wrong = next((turn for turn in turns if isinstance(turn, Fault)), None)
    return wrong or Chat(tuple(turn for turn in turns if isinstance(turn, Turn)), row)


def _turn(message: object, row: int, at: int) -> Turn | Fault:
    if not isinstance(message, dict):
        return Fault(row, f"message {at}: it is no object with role and content")
    if missing := _KEYS - message.keys():
        return Fault(row, f"message {at}: it has no {max(missing)}")
    if others := message.keys() - _KEYS:
        return Fault(row, f'message {at}: it has "{min(others)}" beside role and content')
    for name in ("role", "content"):
        if not isinstance(message[name], str | None):
            return Fault(row, f"message {at}: {name} is not a text")
    return Turn(message["role"], message["content"], row, at)
