"""The stars of a view's select list, written out: the columns of a view stay those that it had when
it was made, whatever its tables get since, as in MySQL.

Which columns a star means, others find out.
"""

from collections.abc import Sequence

from sqlglot import TokenType, exp

from proxy.sql.labels import item_spans, leading_select
from proxy.sql.tokens import tokenize

Meant = Sequence[tuple[str | None, str]]
"""What a star means: columns, each with the name of its table where it is known."""


def star_owners(query: exp.Query) -> list[list[str | None]]:
    """For each star of the leading SELECT, the tables whose columns it means, by their names in
    FROM; None is all of them, where a join makes one column of two, or a table has no name."""
    select = leading_select(query)
    if select is None:
        return []
    return [_owners(item, select) for item in select.expressions if _is_plain_star(item)]


def probe(query: exp.Query, owner: str | None) -> exp.Query:
    """`SELECT owner.*`, or `SELECT *`, over the FROM of the leading SELECT."""
    select = leading_select(query)
    assert select is not None
    star = exp.Star() if owner is None else exp.Column(this=exp.Star(), table=_named(owner))
    probing = exp.select(star, copy=False)
    for name in ("from_", "joins", "laterals"):
        probing.set(name, select.args.get(name))
    probing.set("with_", query.args.get("with_") or select.args.get("with_"))
    return probing.copy()


def with_columns(query: str, stars: Sequence[Meant]) -> str:
    """The text with its stars, in their order, as the columns that they mean."""
    tokens = tokenize(query)
    written, done = "", 0
    meant = iter(stars)
    for first, last in item_spans(tokens):
        if _is_star([token.token_type for token in tokens[first : last + 1]]):
            written += query[done : tokens[first].start] + ", ".join(map(_column, next(meant)))
            done = tokens[last].end + 1
    return written + query[done:]


def _is_plain_star(item: exp.Expr) -> bool:
    star = item.this if isinstance(item, exp.Column) else item
    return isinstance(star, exp.Star) and not any(star.args.values())


def _is_star(kinds: Sequence[TokenType]) -> bool:
    """Whether tokens are `*`, `table.*` or `database.table.*`."""
    qualified = kinds[-2:-1] == [TokenType.DOT] and len(kinds) in (3, 5)
    return kinds[-1] is TokenType.STAR and (len(kinds) == 1 or qualified)


def _owners(star: exp.Expr, select: exp.Select) -> list[str | None]:
    if isinstance(star, exp.Column):
        return [star.table]
    joins = select.args.get("joins") or []
    from_ = select.args.get("from_")
    items = [item.this for item in ([from_] if from_ else []) + joins]
    merges = any(join.args.get("using") or join.args.get("method") for join in joins)
    names = [item.alias_or_name for item in items]
    return [None] if merges or select.args.get("laterals") or not all(names) else [*names]


def _column(column: tuple[str | None, str]) -> str:
    return ".".join(_named(part).sql("mysql") for part in column if part is not None)


def _named(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)
