"""`/*+ USING(max_tokens = 200) */`: a statement's options where a tool allows no USING of its own.

Other hints ask for nothing that there is, and are left out.
"""

from collections.abc import Iterator, Sequence

from sqlglot import Token, TokenType

from proxy.sql.tokens import Cursor, comments, tokenize

_OPENING, _CLOSING = "/*+", "*/"


def without_hints(tokens: Sequence[Token]) -> list[Token]:
    """The tokens that say something."""
    return [token for token in tokens if token.token_type is not TokenType.HINT]


def hinted(sql: str) -> Iterator[Cursor]:
    """A cursor over each list of options that the text's hints give, wherever they stand.

    Raises SyntaxFault for a list that does not end."""
    if _OPENING not in sql:
        return
    for comment in comments(sql):
        if comment.startswith(_OPENING) and "USING" in comment.upper():
            text = comment.removeprefix(_OPENING).removesuffix(_CLOSING)
            yield from _lists(text)


def _lists(text: str) -> Iterator[Cursor]:
    cursor = Cursor(text, tokenize(text))
    while not cursor.done:
        if cursor.words(2) == ("USING", "("):
            cursor.token()
            yield Cursor(text, cursor.enclosed())
        else:
            cursor.token()
