"""How the columns of models hang together: inputs become what feeds them, models get an order."""

from collections.abc import Callable, Iterable

from sqlglot import exp

from proxy.errors import Unsupported
from proxy.plan.inputs import Mapping
from proxy.plan.scope import Expr, Source, aliases_in, columns_in, conjunction

_IN_GUARD = "in_guard"
"""Marks columns of a guard that was put before an input: they are read as they are."""


def substitute(
    mappings: list[Mapping], plain: list[Source], where: list[Expr], clauses: list[Expr]
) -> None:
    """Put what feeds an input in the place of every mention of it, in all expressions given.

    Afterwards the only columns of models are their targets. A model's ON conditions beyond its
    mapping join `where`; under LEFT JOIN they guard the target instead (NULL where they fail).
    """
    guards: dict[str, list[Expr]] = {}
    for mapping in mappings:
        if mapping.model.side == "LEFT":
            guards[mapping.alias] = mapping.model.on
        else:
            where += mapping.model.on
    guarded = [m for m in mappings if guards.get(m.alias)]
    for mapping in guarded:
        others = [guard for alias, guard in guards.items() if alias != mapping.alias]
        _guard_inputs(mapping, [where, *(s.on for s in plain), *others], mappings, clauses)
    _chain(mappings)
    for conditions in (where, *(s.on for s in plain), *guards.values()):
        conditions[:] = [_replaced(c, mappings) for c in conditions]
    for clause in clauses:
        _replace_in(clause, mappings)
    for mapping in guarded:
        lists = [where, *(s.on for s in plain)]
        _guard(mapping, guards[mapping.alias], mappings, lists, clauses)


def _chain(mappings: list[Mapping]) -> None:
    """Put what feeds an input in its place where it feeds another model."""
    for _ in mappings:  # a chain of n models needs n rounds at most
        for mapping in mappings:
            mapping.inputs = {n: _replaced(e, mappings) for n, e in mapping.inputs.items()}
    if any(_mentions_input(e, mappings) for m in mappings for e in m.inputs.values()):
        raise Unsupported("Models that feed each other in a circle are not supported")


def order_models(mappings: list[Mapping], used: Iterable[Expr]) -> list[Mapping]:
    """The models whose predictions are used, each after those that feed it. A model that nothing
    reads is never asked."""
    by_alias = {m.alias: m for m in mappings}
    order: list[Mapping] = []

    def visit(mapping: Mapping, path: tuple[Mapping, ...]) -> None:
        if mapping in path:
            raise Unsupported("Models that feed each other in a circle are not supported")
        for alias in _aliases(mapping.inputs.values()):
            if alias in by_alias:
                visit(by_alias[alias], (*path, mapping))
        if mapping not in order:
            order.append(mapping)

    wanted = _aliases(used)
    for mapping in mappings:
        if mapping.alias in wanted:
            visit(mapping, ())
    return order


def late_sources(
    plain: list[Source], where: list[Expr], mappings: list[Mapping], models: list[Mapping]
) -> list[Source]:
    """The tables that are joined on a prediction, and those joined on them: joined above.

    The others are joined below; what they are joined on that is known above only becomes part of
    `where`. Raises Unsupported where that would change an outer join.
    """
    predicted = {m.alias for m in mappings}
    fed_by = _aliases(e for m in models for e in m.inputs.values())
    late: list[Source] = []
    for source in plain:
        behind = predicted | {s.alias for s in late}
        if source is plain[0] or (source.alias in fed_by and not source.side):
            above = [c for c in source.on if aliases_in(c) & behind]
            if above and source.side:
                raise Unsupported(f"'{source.alias}' is joined on a prediction: name it last")
            where += above
            source.on = [c for c in source.on if not aliases_in(c) & behind]
            continue
        conditions = source.on if source.side else [*source.on, *where]
        own = [c for c in conditions if c in source.on or source.alias in aliases_in(c)]
        linked = bool(_aliases(own) & behind)
        if linked and source.alias in fed_by and source.side:
            raise Unsupported(
                f"'{source.alias}' is joined on a prediction and feeds one: "
                "put the first prediction into a subquery"
            )
        if linked and source.alias not in fed_by:
            late.append(source)
    return late


def _aliases(expressions: Iterable[Expr]) -> set[str]:
    return {alias for expression in expressions for alias in aliases_in(expression)}


def _find(column: exp.Column, mappings: list[Mapping]) -> Expr | None:
    for mapping in mappings:
        if column.table == mapping.alias:
            return mapping.inputs.get(column.name)
    return None


def _mentions_input(expression: Expr, mappings: list[Mapping]) -> bool:
    return any(_find(c, mappings) is not None for c in columns_in(expression))


def _changed(expression: Expr, change: Callable[[Expr], None]) -> Expr:
    """A copy of the expression after `change`, which may replace all of it."""
    holder = exp.Paren(this=expression.copy())
    change(holder)
    inner: Expr = holder.this
    return inner


def _replaced(expression: Expr, mappings: list[Mapping]) -> Expr:
    return _changed(expression, lambda holder: _replace_in(holder, mappings))


def _replace_in(expression: Expr, mappings: list[Mapping]) -> None:
    for column in list(columns_in(expression)):
        feed = _find(column, mappings)
        if feed is not None:
            column.replace(wrapped(feed))


def wrapped(expression: Expr) -> Expr:
    """The expression as an operand of anything."""
    simple = isinstance(expression, exp.Column | exp.Literal | exp.Func | exp.Null)
    return expression.copy() if simple else exp.Paren(this=expression.copy())


def _guard_inputs(
    mapping: Mapping, lists: list[list[Expr]], mappings: list[Mapping], clauses: list[Expr]
) -> None:
    """LEFT JOIN m ON … AND guard: whoever reads an input of m finds NULL where the guard fails."""
    guard = conjunction([g.copy() for g in mapping.model.on])
    assert guard is not None
    for column in columns_in(guard):
        column.meta[_IN_GUARD] = True
    holders = [exp.Tuple(expressions=conditions) for conditions in lists]
    for expression in (*holders, *clauses):
        _guard_in(expression, mapping, guard)
    for conditions, holder in zip(lists, holders, strict=True):
        conditions[:] = holder.expressions
    for other in mappings:
        if other is not mapping:
            other.inputs = {n: _guarded(e, mapping, guard) for n, e in other.inputs.items()}


def _guarded(expression: Expr, mapping: Mapping, guard: Expr) -> Expr:
    return _changed(expression, lambda holder: _guard_in(holder, mapping, guard))


def _guard_in(expression: Expr, mapping: Mapping, guard: Expr) -> None:
    for column in list(columns_in(expression)):
        if column.table == mapping.alias and column.name in mapping.inputs:
            column.replace(_if(guard, column))


def _guard(
    mapping: Mapping,
    guard: list[Expr],
    mappings: list[Mapping],
    lists: list[list[Expr]],
    clauses: list[Expr],
) -> None:
    """LEFT JOIN m ON … AND guard: the target is NULL where the guard fails; where the guard needs
    no prediction, the inputs are NULL too, so that no call is made."""
    condition = conjunction([g.copy() for g in guard])
    assert condition is not None
    if not aliases_in(condition) & {m.alias for m in mappings}:
        mapping.inputs = {n: _if(condition, e) for n, e in mapping.inputs.items()}
    for conditions in lists:
        conditions[:] = [_with_answers(c, mapping, condition) for c in conditions]
    for clause in clauses:
        _guard_answers(clause, mapping, condition)
    for other in mappings:
        if other is not mapping:
            other.inputs = {
                n: _with_answers(e, mapping, condition) for n, e in other.inputs.items()
            }


def _if(condition: Expr, value: Expr) -> Expr:
    return exp.case().when(condition.copy(), value.copy())


def _with_answers(expression: Expr, mapping: Mapping, condition: Expr) -> Expr:
    return _changed(expression, lambda holder: _guard_answers(holder, mapping, condition))


def _guard_answers(expression: Expr, mapping: Mapping, condition: Expr) -> None:
    for column in list(columns_in(expression)):
        if column.table == mapping.alias and _IN_GUARD not in column.meta:
            column.replace(_if(condition, column))
