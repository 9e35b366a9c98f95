"""A bound call of a model: a function in a tree, marked with the model and what is read of it.

It tells calls from other functions, and whose SELECT a call is part of.
"""

from collections.abc import Iterator

from sqlglot import exp

from proxy.errors import Unsupported
from proxy.plan.scope import Expr, aliases_around, aliases_of, columns_in

_MODEL, _TARGET = "call", "target"


def mark(node: exp.Anonymous, model: str, target: str, arguments: list[Expr]) -> None:
    """Make a function a call of `model`, the key of one of the statement's models."""
    node.meta[_MODEL], node.meta[_TARGET] = model, target
    node.set("expressions", arguments)


def recall(tree: Expr, own: str) -> None:
    """Let the calls in a tree be of models whose keys begin with `own`."""
    for call in tree.find_all(exp.Anonymous):
        if is_call(call):
            call.meta[_MODEL] = own + model_of(call)


def is_call(node: Expr) -> bool:
    """Whether it is a call of a model."""
    return isinstance(node, exp.Anonymous) and _MODEL in node.meta


def model_of(call: Expr) -> str:
    """The key of the model that is called."""
    return str(call.meta[_MODEL])


def target_of(call: Expr) -> str:
    """The column of the model's that the call stands for."""
    return str(call.meta[_TARGET])


def calls_in(tree: Expr) -> Iterator[Expr]:
    """The calls in a tree, those of subqueries too, but none that is inside another."""
    if is_call(tree):
        yield tree
        return
    for child in tree.iter_expressions():
        yield from calls_in(child)


def has_call(tree: Expr) -> bool:
    """Whether a call is in the tree."""
    return any(True for _ in calls_in(tree))


def refuse_calls(tree: Expr) -> None:
    """Raises Unsupported for a call that no SELECT makes."""
    for call in calls_in(tree):
        raise Unsupported(f"Model '{call.name}' cannot be called here: call it in a SELECT list")


def own_calls(part: Expr, around: frozenset[str]) -> list[Expr]:
    """The calls in a part of a SELECT that are its own to make: those outside of subqueries, and
    those inside that read nothing but `around`, aliases, in lower case, of this SELECT and of
    those around it."""
    return [call for call in calls_in(part) if _belongs_outside(call, part, around)]


def makes_calls(select: exp.Select) -> bool:
    """Whether a SELECT has calls of its own to make."""
    outer = aliases_around(select)
    return any(
        not _escapes(call, select, outer)
        for part in parts_of(select)
        for call in own_calls(part, aliases_of(select) | outer)
    )


def parts_of(select: exp.Select) -> list[Expr]:
    """The expressions of a SELECT: all but its WITH and the items of its FROM."""
    names = ("where", "group", "having", "qualify", "order")
    clauses = [select.args[name] for name in names if select.args.get(name) is not None]
    joins = [join.args["on"] for join in select.args.get("joins") or () if join.args.get("on")]
    return [*clauses, *joins, *select.expressions, *(select.args.get("windows") or ())]


def _belongs_outside(call: Expr, part: Expr, around: frozenset[str]) -> bool:
    node: Expr | None = call
    while node is not None and node is not part:
        node = node.parent
        if isinstance(node, exp.Values) or (
            isinstance(node, exp.Select) and not _escapes(call, node, around)
        ):
            return False
    return True


def _escapes(call: Expr, select: exp.Select, around: frozenset[str]) -> bool:
    """Whether a call in a subquery reads nothing but the queries around that."""
    if isinstance(select.parent, exp.CTE) or _is_derived(select):
        return False
    read = {column.table.casefold() for column in columns_in(call)}
    return bool(read) and "" not in read and not read & aliases_of(select) and read <= around


def _is_derived(select: exp.Select) -> bool:
    place = select.parent
    return isinstance(place, exp.Subquery) and isinstance(place.parent, exp.From | exp.Join)
