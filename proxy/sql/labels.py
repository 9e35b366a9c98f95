"""Column names as MySQL gives them: an expression without an alias is named by its own text."""

from collections.abc import Sequence

from sqlglot import Token, TokenType, exp

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
_ENDS = frozenset(
    {
        TokenType.FROM,
        TokenType.WHERE,
        TokenType.GROUP_BY,
        TokenType.HAVING,
        TokenType.ORDER_BY,
        TokenType.LIMIT,
        TokenType.UNION,
        TokenType.INTERSECT,
        TokenType.EXCEPT,
        TokenType.WINDOW,
        TokenType.INTO,
    }
)
_LEADS = frozenset({TokenType.DISTINCT, TokenType.ALL, TokenType.STRAIGHT_JOIN, TokenType.HINT})


def label_columns(query: exp.Query, sql: str, tokens: Sequence[Token]) -> exp.Query:
    """Give every unnamed expression of the leading SELECT's list an alias: its text in `sql`."""
    select = leading_select(query)
    if select is None:
        return query
    spans = item_spans(tokens)
    texts = [sql[tokens[first].start : tokens[last].end + 1] for first, last in spans]
    if len(texts) != len(select.expressions):
        return query  # a list that we cannot split: sqlglot's names serve
    items = zip(select.expressions, texts, strict=True)
    select.set("expressions", [_labelled(item, text) for item, text in items])
    return query


def _labelled(item: exp.Expr, text: str) -> exp.Expr:
    """MySQL names a string literal by its value, all else by its text, a parameter too."""
    if item.is_star or isinstance(item, exp.Alias | exp.Column | exp.Aliases):
        return item
    is_string = isinstance(item, exp.Literal) and item.is_string and text != "?"
    return exp.alias_(item, item.name if is_string else text, quoted=True, copy=False)


def leading_select(query: exp.Expr) -> exp.Select | None:
    """The SELECT that names the columns: of a UNION the first."""
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    return query if isinstance(query, exp.Select) else None


def item_spans(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """The first and the last token of each item of the first select list outside of WITH's
    bodies."""
    start = _list_start(tokens)
    spans: list[tuple[int, int]] = []
    depth, first = 0, start
    for at in range(start, len(tokens) + 1):
        kind = tokens[at].token_type if at < len(tokens) else TokenType.FROM
        closes = depth == 0 and (kind in _ENDS or kind in _CLOSING)
        if closes or (depth == 0 and kind is TokenType.COMMA):
            if at > first:
                spans.append((first, at - 1))
            first = at + 1
        if closes:
            break
        depth += (kind in _OPENING) - (kind in _CLOSING)
    return spans


def _list_start(tokens: Sequence[Token]) -> int:
    """Where the list begins; a WITH's parenthesised bodies are stepped over."""
    depth, in_with = 0, bool(tokens) and tokens[0].token_type is TokenType.WITH
    for at, token in enumerate(tokens):
        if token.token_type is TokenType.SELECT and not (in_with and depth):
            behind = enumerate(tokens[at + 1 :], start=at + 1)
            return next((n for n, t in behind if t.token_type not in _LEADS), len(tokens))
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
    return len(tokens)
