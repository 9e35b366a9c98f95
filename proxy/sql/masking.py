"""A statement as anybody may see it, in the process list or a log: without the values of options
that define an engine or a source.

It makes text to be shown; nothing that it makes is run.
"""

from collections.abc import Iterator, Sequence

from sqlglot import Token, TokenType

from proxy.errors import SyntaxFault
from proxy.sql.tokens import tokenize

MASK = "'******'"
_VERBS = frozenset({"CREATE", "ALTER"})
_DEFINED = frozenset({"DATABASE", "SCHEMA", "PROJECT", "ML_ENGINE"})
_FAR = 4  # CREATE OR REPLACE DATABASE
_SHOWN = frozenset(
    {
        *("engine", "type", "host", "port", "database", "dbname", "schema", "user", "username"),
        *("region", "bucket", "endpoint", "path", "sslmode", "read_only", "skip_validation"),
        *("charset", "collate"),
    }
)
"""The options whose values are no secret; there may be a password in any other."""
_REFERRING = frozenset({"env", "file"})
_ASSIGNING = frozenset({TokenType.EQ, TokenType.COLON})
_TEXTS = frozenset({TokenType.STRING, TokenType.NUMBER})
_SIGNS = frozenset(
    {
        *(TokenType.COMMA, TokenType.L_PAREN, TokenType.R_PAREN, TokenType.L_BRACE),
        *(TokenType.R_BRACE, TokenType.L_BRACKET, TokenType.R_BRACKET, *_ASSIGNING),
    }
)


def masked(sql: str) -> str:
    """The text with MASK for each value in the options of CREATE and ALTER of a database, an engine
    and the like, wherever in it they stand, but for hosts, users and the like. A text that cannot
    be read is shown as `…`."""
    try:
        tokens = tokenize(sql)
    except SyntaxFault:
        return "…"
    shown, end = "", 0
    for token in _secrets(tokens):
        shown += sql[end : token.start] + MASK
        end = token.end + 1
    return shown + sql[end:]


def _secrets(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens to be masked."""
    defining = False
    for at, token in enumerate(tokens):
        if token.token_type is TokenType.SEMICOLON:
            defining = False
        elif token.text.upper() in _DEFINED:
            before = tokens[max(at - _FAR, 0) : at]
            defining = defining or any(word.text.upper() in _VERBS for word in before)
        if defining and _is_value(tokens, at) and not _is_shown(tokens, at):
            yield token


def _is_value(tokens: Sequence[Token], at: int) -> bool:
    """Whether a token is no name: a text or a number, unless it is given a value, or a word that is
    given to a name, `a = b`, or `a b` behind a comma."""
    behind = tokens[at + 1].token_type if at + 1 < len(tokens) else None
    if tokens[at].token_type in _TEXTS:
        return behind not in _ASSIGNING
    if tokens[at].token_type in _SIGNS or behind is TokenType.L_PAREN or at < 2:
        return False
    is_listed = tokens[at - 2].token_type is TokenType.COMMA
    return tokens[at - 1].token_type in _ASSIGNING or (
        is_listed and tokens[at - 1].token_type not in _SIGNS and behind not in _ASSIGNING
    )


def _is_shown(tokens: Sequence[Token], at: int) -> bool:
    """Whether the word that a value is given to says that it is no secret, or the value is a mere
    reference to one. A URL may hold a password."""
    before = tokens[at - 1]
    if before.token_type is TokenType.L_PAREN:
        return tokens[at - 2].text.lower() in _REFERRING
    name = tokens[at - 2] if before.token_type in _ASSIGNING else before
    return name.text.lower() in _SHOWN and "@" not in tokens[at].text
