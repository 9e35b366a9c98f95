"""`SELECT … FROM source (native query)`, `EXECUTE source (native statement)`: where the text of
another server's SQL stands in a statement.

It is cut out before anybody reads the statement: it has quotes, comments and operators of its own.
Whether the source is there, and what it takes, is not known here.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import Token, exp

from proxy.errors import SyntaxFault

_VERBS = "SELECT|WITH|VALUES|TABLE|SHOW|DESCRIBE|DESC|EXPLAIN|CALL|INSERT|UPDATE|DELETE"
# Whether a text is worth a closer look at all.
_HINT = re.compile(rf"\([\s(]*(?:/\*|--|\#|(?:{_VERBS})\b)|\bEXECUTE\s", re.IGNORECASE)
_QUERY = re.compile(
    rf"(?:[\s(]|/\*(?:[^*]|\*(?!/))*+\*/|--[^\n]*+\n|\#[^\n]*+\n)*+(?:{_VERBS})\b", re.IGNORECASE
)
_OPENING = re.compile(r"\s*+\(")

_MYSQL_STRINGS = r"""'(?:[^'\\]|\\.|'')*+'|"(?:[^"\\]|\\.|"")*+"|`(?:[^`]|``)*+`"""
_MYSQL_COMMENTS = r"--(?=\s|\Z)[^\n]*+|\#[^\n]*+|/\*.*?\*/"
# Text that is ours: what it is made of, as far as it matters where a table is named.
_OURS = re.compile(
    rf"(?P<comment>{_MYSQL_COMMENTS})|(?P<name>`(?:[^`]|``)*+`|[\w$@]+)"
    rf"|(?P<string>{_MYSQL_STRINGS})|(?P<sign>[^\s'\"`])|(?P<unclosed>['\"`])",
    re.DOTALL,
)
# A source's text: its parentheses, what may hold one without meaning it, and what tells for sure
# in whose SQL it is written.
_MYSQL = re.compile(
    rf"(?P<sure>`(?:[^`]|``)*+`|\#(?![->\#=])[^\n]*+)|(?:{_MYSQL_STRINGS}|{_MYSQL_COMMENTS})"
    r"|(?P<sign>[()])|(?P<unclosed>['\"`]|/\*)",
    re.DOTALL,
)
_POSTGRES = re.compile(
    r"""(?P<sure>(?<![\w$])(?:[eE]'(?:[^'\\]|\\.|'')*+'|\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$))"""
    r"""|(?:'(?:[^']|'')*+'|"(?:[^"]|"")*+"|--[^\n]*+)"""
    r"""|(?P<sign>[()])|(?P<comment>/\*)|(?P<unclosed>['"]|(?<![\w$])\$(?:[^\W\d]\w*)?\$)""",
    re.DOTALL,
)
# What may stand behind a table.
_BEHIND = re.compile(r"\s*(?:\Z|[),;]|/\*|--|\#|`|\w)")
_COMMENT_ENDS = re.compile(r"/\*|\*/")

_READS = frozenset({"SELECT", "UPDATE", "DELETE"})
_LEARNS = frozenset({"CREATE", "RETRAIN", "FINETUNE"})
"""First words of statements that have rows of their own: CREATE MODEL m FROM source (…)."""
_LEAVES_TABLES = frozenset(
    {"SELECT", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "WINDOW", "SET", "VALUES"}
    | {"UNION", "INTERSECT", "EXCEPT"}
)
_JOINS = frozenset({"JOIN", "STRAIGHT_JOIN"})
_NO_TABLE_BEHIND = frozenset({"DISTINCT", "DELETE"})
"""IS DISTINCT FROM compares; nobody deletes from a query."""
_MOST_GUESSES = 5
"""Texts with two readings in one statement: each doubles the work."""
_CLIENTS = (
    ": a command line client sends all up to the first semicolon, unless DELIMITER says another "
    "word"
)
_NO_NAMES = frozenset({"LATERAL", "TABLE", "VALUES", "SELECT", "UNNEST", "ONLY"})


@dataclass(frozen=True, slots=True)
class Native:
    """`name (text)` in a statement: where the name begins, its parenthesis opens and all ends."""

    start: int
    opening: int
    end: int
    text: str


def natives(sql: str) -> list[Native]:
    """All native texts of a client's text, in their order. Raises SyntaxFault for one that does
    not end, or may end at two places."""
    return list(_Scan(sql, [_Level()]).natives()) if _HINT.search(sql) else []


def without(sql: str, found: Sequence[Native]) -> str:
    """The text with blanks for its native texts and their parentheses, all else at its place."""
    parts, at = [], 0
    for native in found:
        parts += [sql[at : native.opening], " " * (native.end - native.opening)]
        at = native.end
    return "".join([*parts, sql[at:]])


def widened(tokens: Sequence[Token], found: Sequence[Native]) -> list[Token]:
    """The tokens; those of names in front of native texts reach to the ends of these."""
    ends = {native.start: native.end - 1 for native in found}
    return [
        Token(t.token_type, t.text, t.line, t.col, t.start, ends.get(t.start, t.end))
        for t in tokens
    ]


def native_of(token: Token, sql: str) -> str | None:
    """The native text that belongs to a token of a text, a source's name, or None."""
    return next((native.text for native in natives(sql) if native.start == token.start), None)


def mark_natives(tree: exp.Expr, sql: str) -> None:
    """Give each table of a tree that is a native query its text, as `meta["native"]`; `sql` is the
    text that the tree was read from."""
    texts = {native.start: native.text for native in natives(sql)}
    for table in tree.find_all(exp.Table) if texts else ():
        start = table.this.meta.get("start") if isinstance(table.this, exp.Identifier) else None
        if start in texts:
            table.meta["native"] = texts[start]


def native_table(source: str, text: str) -> exp.Table:
    """The rows of a query in a source's own words, as a table."""
    table = exp.Table(this=exp.to_identifier(source, quoted=True))
    table.meta["native"] = text
    return table


@dataclass(slots=True)
class _Level:
    """What is known between two parentheses: whether rows are read there, and whether a comma
    stands between tables."""

    reads: bool = False
    lists_tables: bool = False


class _Scan:
    """One pass over a client's text, by the words that tell where a table is named."""

    def __init__(self, sql: str, levels: list[_Level], at: int = 0, guesses: int = 0) -> None:
        self._sql = sql
        self._levels = levels
        self._at = at
        self._guesses = guesses
        self._before = "" if at else ";"
        self._paired = True

    @property
    def complete(self) -> bool:
        """Whether all quotes and parentheses were in pairs; known when all is read."""
        return self._paired and len(self._levels) == 1

    def natives(self) -> Iterator[Native]:
        """The native texts, in their order."""
        at = self._at
        while (lexeme := _OURS.search(self._sql, at)) is not None:
            at = lexeme.end()
            match lexeme.lastgroup:
                case "unclosed":
                    self._paired = False
                    return
                case "name":
                    native = self._native(lexeme)
                    if native is not None:
                        yield native
                        at = native.end
                    self._step(lexeme[0] if native is None else "")
                case "sign":
                    self._step(lexeme[0])
                case "string":
                    self._step("")

    def _native(self, lexeme: re.Match[str]) -> Native | None:
        opening = _OPENING.match(self._sql, lexeme.end())
        if opening is None or lexeme[0].upper() in _NO_NAMES or not self._is_named(opening.end()):
            return None
        end = self._end(lexeme[0], opening.end())
        text = self._sql[opening.end() : end - 1]
        return Native(lexeme.start(), opening.end() - 1, end, text)

    def _is_named(self, inside: int) -> bool:
        """Whether a name at this place is a source's, given what its parenthesis begins with."""
        if self._before == "EXECUTE":
            return True
        return self._before == "table" and _QUERY.match(self._sql, inside) is not None

    def _step(self, lexeme: str) -> None:
        """Remember what stands before the next lexeme: "table" where that is a table."""
        word, level = lexeme.upper(), self._levels[-1]
        if word == "(":
            joined = self._before == "table"
            self._levels.append(_Level(joined, joined))
        elif word == ")":
            self._paired &= len(self._levels) > 1
            self._levels = self._levels[:-1] or [_Level()]
        elif word == ";":
            self._levels[-1] = _Level()
        elif word == "EXECUTE" and self._before not in (";", "("):
            word = ""
        elif word in _LEARNS and self._before in (";", "("):
            level.reads = True
        elif word in _LEAVES_TABLES or word in _READS:
            level.reads |= word in _READS
            level.lists_tables = word == "UPDATE"
        elif word == "FROM" and level.reads and self._before not in _NO_TABLE_BEHIND:
            level.lists_tables = True
        self._before = "table" if self._leads_to_table(word) else word

    def _leads_to_table(self, word: str) -> bool:
        level = self._levels[-1]
        if not level.lists_tables:
            return False
        was_there = word == "(" and self._before == "table"
        return was_there or word in _JOINS or word in (",", "FROM")

    def _end(self, name: str, inside: int) -> int:
        """Where the text that begins there has ended, behind its parenthesis. PostgreSQL and MySQL
        do not have the same strings and comments: which of them it is written for is seen by the
        statement around it."""
        readings = [_closed(self._sql, inside, read) for read in (_MYSQL, _POSTGRES)]
        closed = [reading for reading in readings if reading is not None]
        if not closed:
            hint = _CLIENTS if self._before == "EXECUTE" else ""
            raise SyntaxFault(f"The parenthesis behind '{name.strip('`')}' is not closed{hint}")
        ends = {end for end, sure in closed if sure} or {end for end, _ in closed}
        if len(ends) > 1:
            ends = {end for end in ends if self._goes_on(end)}
        if len(ends) != 1:
            raise SyntaxFault(
                f"The query behind '{name.strip('`')}' may end at different places: PostgreSQL and "
                "MySQL read the quotes, backslashes or comments in it differently"
            )
        return ends.pop()

    def _goes_on(self, end: int) -> bool:
        """Whether a table may end there, and all quotes and parentheses behind it are in pairs."""
        if _BEHIND.match(self._sql, end) is None or self._guesses == _MOST_GUESSES:
            return False
        levels = [replace(level) for level in self._levels]
        behind = _Scan(self._sql, levels, end, self._guesses + 1)
        try:
            deque(behind.natives(), maxlen=0)
        except SyntaxFault:
            return False
        return behind.complete


def _closed(sql: str, inside: int, read: re.Pattern[str]) -> tuple[int, bool] | None:
    """The place behind the parenthesis that ends what begins there, and whether the text is surely
    of that reading; None if no parenthesis does."""
    at, depth, sure = inside, 1, False
    while depth:
        lexeme = read.search(sql, at)
        if lexeme is None or lexeme.lastgroup == "unclosed":
            return None
        at, sure = lexeme.end(), sure or lexeme.lastgroup == "sure"
        if lexeme.lastgroup == "comment":
            commented = _behind_comment(sql, at)
            if commented is None:
                return None
            at = commented
        depth += {"(": 1, ")": -1}.get(lexeme[0], 0)
    return at, sure


def _behind_comment(sql: str, inside: int) -> int | None:
    """The place behind a comment, in which others may stand."""
    depth = 1
    for found in _COMMENT_ENDS.finditer(sql, inside):
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return found.end()
    return None
