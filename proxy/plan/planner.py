"""From a bound tree to a plan: every SELECT over a model becomes Scan → Predict → Residual.

Bottom-up: a SELECT with a model that stands inside another statement is planned first, and its
result stands in as a relation. Nothing is executed; column names are asked for by `describe`.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from sqlglot import exp

from catalog.records import ModelRecord
from proxy.errors import ProxyError, Unsupported
from proxy.plan.calls.call import makes_calls, refuse_calls
from proxy.plan.calls.changes import ask_for_change, ask_values
from proxy.plan.context import Context, Describe
from proxy.plan.merging import is_merged, keep_apart, mark_merged
from proxy.plan.nodes import Node, Passthrough, Residual, Write
from proxy.plan.pushing import push_conditions
from proxy.plan.scope import Expr, reads_model
from proxy.plan.select import plan_select
from proxy.plan.unread import leave_out_unread

T = TypeVar("T", bound=Expr)
N = TypeVar("N", bound=Node)


class Planner:
    """Plans one statement. `models` maps the keys in the bound tables' meta to records;
    afterwards `warnings` holds what the client should know. With `open_inputs` an input that
    nothing feeds is NULL."""

    def __init__(
        self, models: dict[str, ModelRecord], describe: Describe, *, open_inputs: bool = False
    ) -> None:
        self._context = Context(models, describe, open_inputs)

    @property
    def warnings(self) -> list[str]:
        """Texts for SHOW WARNINGS."""
        return self._context.warnings

    @property
    def names(self) -> dict[str, str]:
        """What the client calls the columns below models, for errors."""
        return self._context.names

    async def query(self, tree: exp.Query) -> Node:
        """The plan of a SELECT, a UNION, a WITH."""
        if not self._context.models:
            return Passthrough(tree)
        _refuse_misplaced(tree)
        return await self._settled(tree, self._query)

    async def write(self, tree: Expr) -> Write:
        """The plan of a statement that changes tables."""
        _refuse_misplaced(tree)
        return await self._settled(tree, self._write)

    async def _settled(self, tree: T, plan: Callable[[T], Awaitable[N]]) -> N:
        """The plan with views over models merged; where this asks for what is not offered, with
        these views as derived tables."""
        if not self._context.models:
            return await plan(tree)
        push_conditions(tree)
        mark_merged(tree)
        apart = tree.copy() if any(map(is_merged, tree.find_all(exp.Subquery))) else None
        leave_out_unread(tree)
        try:
            return await plan(tree)
        except Unsupported as error:
            if apart is None:
                raise
            keep_apart(apart)
            leave_out_unread(apart)
            with suppress(ProxyError):
                return await plan(apart)
            raise error from None

    async def _query(self, tree: exp.Query) -> Node:
        ask_values(tree)
        below = await self._lower_children(tree, ())
        if isinstance(tree, exp.Select) and _has_model(tree):
            return await self._select(tree, "", below, ())
        refuse_calls(tree)
        return Passthrough(tree, tuple(below))

    async def _write(self, tree: Expr) -> Write:
        await ask_for_change(tree, self._context.describe)
        below = await self._lower_children(tree, ()) if self._context.models else []
        refuse_calls(tree)
        return Write(tree, tuple(below))

    async def _lower(self, node: Expr, ctes: Sequence[exp.CTE]) -> list[Node]:
        """Replace every SELECT over a model in `node`, itself included; the plans that stand in."""
        below = await self._lower_children(node, ctes)
        if not (isinstance(node, exp.Select) and _has_model(node)) or is_merged(node.parent):
            return below
        name = self._context.name()
        plan = await self._select(node, name, below, ctes)
        stand_in = exp.Table(this=exp.to_identifier(name, quoted=True))
        node.replace(exp.select("*").from_(stand_in))
        return [plan]

    async def _lower_children(self, node: Expr, ctes: Sequence[exp.CTE]) -> list[Node]:
        below: list[Node] = []
        visible = list(ctes)
        with_ = node.args.get("with_")
        if with_ is not None:
            if with_.recursive and any(_has_model(s) for s in with_.find_all(exp.Select)):
                raise Unsupported("A model in a recursive WITH is not supported")
            for cte in with_.expressions:
                below += await self._lower(cte.this, visible)
                visible.append(cte)
        for child in list(node.iter_expressions()):
            if child is not with_:
                below += await self._lower(child, visible)
        return below

    async def _select(
        self, select: exp.Select, name: str, below: list[Node], ctes: Sequence[exp.CTE]
    ) -> Residual:
        own = select.args.get("with_")
        visible = [*ctes, *(own.expressions if own else ())]
        return await plan_select(select, name, tuple(below), self._context.within(visible))


def _refuse_misplaced(tree: Expr) -> None:
    """A model that no SELECT has as an item of its FROM would never be planned."""
    for table in tree.find_all(exp.Table):
        place = table.parent
        select = place.parent if isinstance(place, exp.From | exp.Join) else None
        planned = isinstance(select, exp.Select) and select.args.get("from_")
        if table.meta.get("model") and not planned:
            raise Unsupported(
                f"Model '{table.name}' cannot be read here: "
                "select from it, and leave out parentheses around its join"
            )


def _has_model(select: Expr) -> bool:
    return reads_model(select) or (isinstance(select, exp.Select) and makes_calls(select))
