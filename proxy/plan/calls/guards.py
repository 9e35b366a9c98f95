"""When the value of an expression is needed at all: the CASE, IF, COALESCE, AND and OR around it.

It looks outwards from a place in a tree; it changes none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from proxy.plan.row_local import is_repeatable
from proxy.plan.scope import Expr, aliases_in


@dataclass(frozen=True, slots=True)
class Step:
    """A condition that decides whether what stands inside is needed: where it holds, or, with
    `unless`, where it does not, and NULL does not hold."""

    condition: Expr
    unless: bool = False

    @property
    def reads(self) -> set[str]:
        """The aliases of the sources that the condition is made of."""
        return aliases_in(self.condition)

    def around(self, value: Expr) -> Expr:
        """The value where it is needed, NULL elsewhere."""
        condition = self.condition.copy()
        if self.unless:
            return exp.case().when(condition, exp.null()).else_(value)
        return exp.case().when(condition, value)


def guarded(value: Expr, steps: list[Step]) -> Expr:
    """The value where all steps, the innermost first, let it be needed; NULL elsewhere."""
    for step in steps:
        value = step.around(value)
    return value


def either(ways: list[list[Step]]) -> list[Step]:
    """Steps for what is needed in several places; none where one of them always needs it."""
    if not all(ways):
        return []
    if len(ways) == 1:
        return ways[0]
    return [Step(exp.or_(*(guarded(exp.Literal.number(1), steps) for steps in ways)))]


def steps_to(place: Expr, root: Expr) -> list[Step]:
    """The steps around a place in the tree `root`, the innermost first: those that can be decided
    for a row by itself, so none beyond a subquery or an aggregate function."""
    steps: list[Step] = []
    child = place
    while child is not root and (parent := child.parent) is not None:
        if isinstance(parent, exp.Query):
            return []
        if isinstance(parent, exp.AggFunc | exp.Window):
            break
        found = _AROUND.get(type(parent))
        steps += reversed(list(found(parent, child))) if found else []
        child = parent
    return [step for step in steps if is_repeatable(step.condition)]


def _if(node: exp.If, child: Expr) -> Iterator[Step]:
    """A branch of CASE, too: it is reached where none before it is."""
    case = node.parent
    condition = node.this
    if isinstance(case, exp.Case) and node.arg_key == "ifs":
        at = next(n for n, branch in enumerate(case.args["ifs"]) if branch is node)
        yield from _none_of(case, case.args["ifs"][:at])
        condition = _condition(case, node)
    if child.arg_key == "true":
        yield Step(condition)
    if child.arg_key == "false":
        yield Step(condition, unless=True)


def _case(node: exp.Case, child: Expr) -> Iterator[Step]:
    if child.arg_key == "default":
        yield from _none_of(node, node.args["ifs"])


def _none_of(case: exp.Case, branches: list[exp.If]) -> Iterator[Step]:
    return (Step(_condition(case, branch), unless=True) for branch in branches)


def _condition(case: exp.Case, branch: exp.If) -> Expr:
    if case.this is None:
        condition: Expr = branch.this
        return condition
    return exp.EQ(this=_operand(case.this), expression=_operand(branch.this))


def _coalesce(node: exp.Coalesce, child: Expr) -> Iterator[Step]:
    values = [node.this, *node.expressions]
    at = next(n for n, value in enumerate(values) if value is child)
    return (Step(exp.Is(this=_operand(value), expression=exp.null())) for value in values[:at])


def _and(node: exp.And, child: Expr) -> Iterator[Step]:
    """Whatever AND has on its other side: where that is false, so is the whole."""
    yield Step(exp.Not(this=_operand(_other(node, child))), unless=True)


def _or(node: exp.Or, child: Expr) -> Iterator[Step]:
    yield Step(_other(node, child), unless=True)


def _other(node: exp.Connector, child: Expr) -> Expr:
    other: Expr = node.expression if child is node.this else node.this
    return other


def _operand(value: Expr) -> Expr:
    return exp.Paren(this=value.copy()) if isinstance(value, exp.Binary) else value.copy()


_AROUND: dict[type[Expr], Callable[[Any, Expr], Iterator[Step]]] = {
    exp.If: _if,
    exp.Case: _case,
    exp.Coalesce: _coalesce,
    exp.And: _and,
    exp.Or: _or,
}
