"""A cursor over sqlglot's MySQL tokens: what the parsers of our own statements read from.

It builds nothing; a wrong token is a SyntaxFault in MySQL's words.
"""

import re
from collections.abc import Sequence

from sqlglot import Dialect, Parser, Token, TokenType, exp
from sqlglot.dialects.mysql import MySQL
from sqlglot.errors import ParseError, TokenError

from proxy.errors import SyntaxFault
from proxy.sql.called import named_calls
from proxy.sql.native_query import mark_natives, natives, widened, without
from proxy.variables import VERSION_ID

DIALECT = Dialect.get_or_raise("mysql")
_QUOTE = re.compile("['\"]")
_UNSHOWN = re.compile("[={]")
# What may hold a comment's opening without being one, and comments themselves.
_LEXEMES = re.compile(
    r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|--[ \t][^\n]*|\#[^\n]*"""
    r"""|(?P<opening>/\*!(?P<version>\d{0,6})).*?(?P<closing>\*/)|/\*.*?\*/""",
    re.DOTALL,
)
_NAME_TYPES_REFUSED = frozenset({TokenType.STRING, TokenType.NUMBER})
_NAMES = frozenset({TokenType.IDENTIFIER, *Parser.ID_VAR_TOKENS})
_NUMBERS = frozenset({TokenType.NUMBER, TokenType.VAR})


class _Tokenizer(MySQL.Tokenizer):
    # sqlglot 30.30 makes one string of all behind RENAME (tests/sql/test_version_names.py)
    COMMANDS = MySQL.Tokenizer.COMMANDS - {TokenType.RENAME, TokenType.EXECUTE}


class _Tokens(MySQL):
    Tokenizer = _Tokenizer


_TOKENS = _Tokens()


def tokenize(sql: str) -> list[Token]:
    """The tokens of a text; a number behind `name.` is a name, and a source's name has its native
    text in it. Raises SyntaxFault for an unclosed string or comment."""
    own = natives(sql)
    try:
        tokens = _TOKENS.tokenize(_with_versioned_comments(without(sql, own)))
        return named_calls(_with_versions(widened(tokens, own) if own else tokens))
    except TokenError as error:
        raise syntax_fault(sql, sql.count("\n") + 1) from error


def _with_versions(tokens: Sequence[Token]) -> list[Token]:
    """`m.2.args` as names: sqlglot reads a number, or one word `2.args`, behind the first point."""
    read: list[Token] = []
    for token in tokens:
        is_number = token.token_type in _NUMBERS and token.text[:1].isdecimal()
        read += _split(token) if is_number and _behind_name(read, token) else [token]
    return read


def _behind_name(read: Sequence[Token], token: Token) -> bool:
    """Whether a name and a point stand right before a token: `a .5` is something else."""
    if len(read) < 2 or read[-1].token_type is not TokenType.DOT:
        return False
    name, point = read[-2:]
    close = name.end + 1 == point.start and point.end + 1 == token.start
    return close and name.token_type in _NAMES


def _split(token: Token) -> list[Token]:
    """The names of a token and the points between them, each where it stands."""
    parts: list[Token] = []
    at = token.start
    for text in re.split(r"(\.)", token.text):
        kind = TokenType.DOT if text == "." else TokenType.VAR
        end = at + len(text) - 1
        if text:
            parts.append(Token(kind, text, token.line, token.col, at, end))
        at = end + 1
    return parts


def _with_versioned_comments(sql: str) -> str:
    """The text with `/*!40101 … */` opened, as MySQL reads it; every other place stays where it is.

    https://dev.mysql.com/doc/refman/8.0/en/comments.html
    """
    if "/*!" not in sql:
        return sql
    text = list(sql)
    for found in _LEXEMES.finditer(sql):
        if found["version"] is not None and int(found["version"] or 0) <= VERSION_ID:
            for start, end in (found.span("opening"), found.span("closing")):
                text[start:end] = " " * (end - start)
    return "".join(text)


def comments(sql: str) -> list[str]:
    """The comments of a text between slash and asterisk, with these, in their order."""
    found = _LEXEMES.finditer(without(sql, natives(sql)))
    return [lexeme[0] for lexeme in found if lexeme[0].startswith("/*")]


def syntax_fault(near: str, line: int) -> SyntaxFault:
    """MySQL's own words for a text that it cannot read.

    `near` starts outside of any string literal and is shown up to the first one: that may be
    somebody's key.
    """
    shown = _QUOTE.split(near[:80], maxsplit=1)[0]
    return SyntaxFault(
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL "
        f"server version for the right syntax to use near '{shown}' at line {line}"
    )


class Cursor:
    """A position in a statement's tokens."""

    def __init__(self, sql: str, tokens: Sequence[Token]) -> None:
        self.sql = sql
        self._tokens = tokens
        self._at = 0

    @property
    def done(self) -> bool:
        """Whether every token is read."""
        return self._at >= len(self._tokens)

    @property
    def line(self) -> int:
        """The line of the token that was read last."""
        return self._tokens[max(self._at - 1, 0)].line

    @property
    def rest(self) -> Sequence[Token]:
        """The tokens not read yet."""
        return self._tokens[self._at :]

    def words(self, count: int) -> tuple[str, ...]:
        """The next tokens' texts in upper case; strings and quoted names never look like words."""
        return tuple(self._word(token) for token in self._tokens[self._at : self._at + count])

    def take(self, *words: str) -> bool:
        """Step over the words if they come next."""
        if self.words(len(words)) != words:
            return False
        self._at += len(words)
        return True

    def take_any(self, *words: str) -> str | None:
        """Step over the one of the words that comes next."""
        return next((word for word in words if self.take(word)), None)

    def expect(self, *words: str) -> None:
        """Step over the words. Raises SyntaxFault if something else comes."""
        if not self.take(*words):
            raise self.fault()

    def name(self) -> str:
        """An identifier, quoted or not; an empty one names nothing."""
        token = self.token()
        quoted = token.token_type is TokenType.IDENTIFIER and token.text
        plain = token.text.replace("_", "").replace("$", "").isalnum()
        if token.token_type in _NAME_TYPES_REFUSED or not (quoted or plain):
            self._at -= 1
            raise self.fault()
        return token.text

    def string(self) -> str:
        """A string literal."""
        token = self.token()
        if token.token_type is not TokenType.STRING:
            self._at -= 1
            raise self.fault()
        return token.text

    def token(self) -> Token:
        """The next token, whatever it is. Raises SyntaxFault at the end."""
        if self.done:
            raise self.fault()
        self._at += 1
        return self._tokens[self._at - 1]

    def parenthesised(self) -> str:
        """The text between this parenthesis and the one that closes it."""
        inside = self.enclosed()
        return self.sql[inside[0].start : inside[-1].end + 1]

    def enclosed(self) -> Sequence[Token]:
        """The tokens between this parenthesis and the one that closes it, at least one."""
        self.expect("(")
        start, depth = self._at, 1
        while depth:
            token = self.token()
            depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if self._at - 1 == start:
            self._at = start
            raise self.fault()
        return self._tokens[start : self._at - 1]

    def expression(self, *, to_comma: bool = False) -> exp.Expr:
        """All that is left as one expression, or all up to a comma outside of parentheses."""
        tokens, depth = [], 0
        while not self.done and not (to_comma and depth == 0 and self.words(1) == (",",)):
            tokens.append(self.token())
            depth += {"(": 1, ")": -1}.get(tokens[-1].text, 0)
        if not tokens:
            raise self.fault()
        try:
            found = next(iter(DIALECT.parser().parse(tokens, self.sql)), None)
        except ParseError as error:
            raise self.fault_at(tokens[0]) from error
        if not isinstance(found, exp.Expr) or isinstance(found, exp.Alias):
            raise self.fault_at(tokens[0])
        mark_natives(found, self.sql)
        return found

    def skip(self) -> None:
        """Step over all that is left."""
        self._at = len(self._tokens)

    def end(self) -> None:
        """Raises SyntaxFault if anything is left."""
        if not self.done:
            raise self.fault()

    def fault(self) -> SyntaxFault:
        """The error that points at the next token."""
        if self.done:
            return syntax_fault("", self._tokens[-1].line if self._tokens else 1)
        return self.fault_at(self._tokens[self._at])

    def fault_at(self, token: Token) -> SyntaxFault:
        """The error that points at a token. What stands behind an equals sign or in braces is not
        shown: a key may have been written without quotes."""
        return syntax_fault(_UNSHOWN.split(self.sql[token.start :], 1)[0], token.line)

    @staticmethod
    def _word(token: Token) -> str:
        if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER):
            return ""
        return str(token.text).upper()
