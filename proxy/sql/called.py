"""Names before a parenthesis that sqlglot takes for functions of other databases.

Whether they name a model is for the binder to say.
"""

from collections.abc import Sequence
from itertools import zip_longest

from sqlglot import Token, TokenType

PREFIX = "__called_"
"""What such a name begins with in a tree, so that it is any function's."""

_NOT_MYSQLS = frozenset({"PREDICT", "TRANSLATE", "NORMALIZE"})


def named_calls(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with PREFIX before such names, whatever their arguments are."""
    behind = [token.token_type for token in tokens[1:]]
    return [
        _prefixed(token) if following is TokenType.L_PAREN else token
        for token, following in zip_longest(tokens, behind)
    ]


def _prefixed(token: Token) -> Token:
    if token.token_type is TokenType.STRING or token.text.upper() not in _NOT_MYSQLS:
        return token
    text = PREFIX + token.text
    return Token(TokenType.VAR, text, token.line, token.col, token.start, token.end)
