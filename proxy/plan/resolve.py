"""The names of one SELECT, made plain: columns with their sources, stars written out, every item
named.

It changes names alone; what is computed of them stays.
"""

from sqlglot import exp

from proxy.plan.scope import Expr, Scope, Source, aliases_around, where_of

_CLAUSES = {"group": "group statement", "having": "having clause", "order": "order clause"}


def resolve(select: exp.Select, sources: list[Source]) -> list[Expr]:
    """Qualify every column of the SELECT and expand its stars, in place; copies of the conjuncts of
    WHERE. Raises UnknownColumn, AmbiguousColumn, Unsupported."""
    scope = Scope(sources, aliases_around(select))
    select.set("expressions", _expanded(select, scope))
    labels = frozenset(item.alias.casefold() for item in select.expressions if item.alias)
    for item in select.expressions:
        scope.resolve(item, "field list")
    conditions = where_of(select)
    for condition in conditions:
        scope.resolve(condition, "where clause")
    # as in MySQL, GROUP BY looks for a column first, HAVING and ORDER BY for a label
    grouping = frozenset(label for label in labels if not scope.is_column(label))
    for clause, title in _CLAUSES.items():
        if select.args.get(clause) is not None:
            known = grouping if clause == "group" else labels
            scope.resolve(select.args[clause], title, known)
    _number_labels(select)
    for source in sources:
        for condition in source.on:
            scope.resolve(condition, "on clause")
    return [condition.copy() for condition in conditions]


def _number_labels(select: exp.Select) -> None:
    """Labels in GROUP BY as positions: a label may be a name that a column has below."""
    labels = [item.alias.casefold() for item in select.expressions]
    group = select.args.get("group")
    for key in list(group.expressions) if group is not None else []:
        if isinstance(key, exp.Column) and not key.table:
            key.replace(exp.Literal.number(labels.index(key.name.casefold()) + 1))


def _expanded(select: exp.Select, scope: Scope) -> list[Expr]:
    """The select list with its stars written out and a name for every item."""
    items: list[Expr] = []
    for item in select.expressions:
        if isinstance(item, exp.Star):
            items += _columns_of(scope.sources)
        elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            named = scope.named(item.table)
            items += [
                exp.alias_(named.reference(c), c, quoted=True, copy=False) for c in named.columns
            ]
        elif isinstance(item, exp.Column):
            items.append(exp.alias_(item, item.name, quoted=True))
        elif item.alias:
            items.append(item)
        else:
            items.append(exp.alias_(item, item.sql("mysql"), quoted=True))
    return items


def _columns_of(sources: list[Source]) -> list[Expr]:
    return [
        exp.alias_(source.reference(column), column, quoted=True, copy=False)
        for source in sources
        for column in source.columns
        if source.shows(column)
    ]
