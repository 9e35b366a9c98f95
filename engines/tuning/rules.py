"""What a chat has to be, so that a model can learn from it: checked before anything is sent.

A system message or none, then user and assistant in turn, the assistant last.
"""

from engines.chat.tokens import count_tokens
from engines.options import did_you_mean
from engines.tuning.chat import Chat, Fault, Turn

ROLES = ("system", "user", "assistant")

_AROUND_MESSAGE, _AROUND_CHAT = 4, 3
"""Tokens that a chat template puts around a message, and around all of them."""


def role_of(turn: Turn) -> str:
    """The role of a message, as endpoints spell it."""
    return (turn.role or "").strip().lower()


def fault_of(chat: Chat, context_length: int | None) -> Fault | None:
    """Return the first thing that is wrong with the chat, None where it may be learned from."""
    before = ""
    for turn in chat.turns:
        if fault := _fault(turn) or _out_of_turn(before, turn):
            return fault
        before = role_of(turn)
    if before != "assistant":
        return chat.turns[-1].fault(
            f"the chat ends with a {before} message: the last one is the assistant's"
        )
    if context_length is not None and (tokens := tokens_of(chat)) > context_length:
        return Fault(
            chat.row,
            f"the chat has about {tokens:,} tokens, the context_length is {context_length:,}",
        )
    return None


def tokens_of(chat: Chat) -> int:
    """Estimate the tokens of a chat, see chat/tokens.py."""
    said = sum(count_tokens(turn.content or "") + _AROUND_MESSAGE for turn in chat.turns)
    return said + _AROUND_CHAT


def _fault(turn: Turn) -> Fault | None:
    if turn.role is None:
        return turn.fault("role is NULL")
    role = role_of(turn)
    if role not in ROLES:
        near = did_you_mean(role, ROLES)
        return turn.fault(f"unknown role '{turn.role}'{near}")
    if turn.content is None:
        return turn.fault("content is NULL")
    return None if turn.content.strip() else turn.fault("content is empty")


def _out_of_turn(before: str, turn: Turn) -> Fault | None:
    role = role_of(turn)
    if role in _NEXT[before]:
        return None
    if role == "system":
        return turn.fault("a system message stands at the start of a chat only")
    if not before:
        return turn.fault(f"the chat starts with the {role}: the first to speak is the user")
    if role == before:
        return turn.fault(f"two {role} messages in a row: user and assistant take turns")
    return turn.fault("after the system message the user speaks first")


_NEXT = {
    "": ("system", "user"),
    "system": ("user",),
    "user": ("assistant",),
    "assistant": ("user",),
}
