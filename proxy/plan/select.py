"""One SELECT over models, resolved and sorted into what is done below and above its models.

The rule: what does not touch a predicted column is done below, the rest above.
"""

from collections.abc import AsyncIterator

from sqlglot import exp

from proxy.errors import Unsupported
from proxy.plan.calls.call import has_call, makes_calls, refuse_calls
from proxy.plan.calls.layers import split_groups
from proxy.plan.calls.outer import select_of_calls
from proxy.plan.calls.sources import Calls
from proxy.plan.context import Context
from proxy.plan.inputs import Mapping, map_inputs
from proxy.plan.merging import merge_views
from proxy.plan.nodes import Node, Residual
from proxy.plan.ordering import push_order_and_limit
from proxy.plan.resolve import resolve
from proxy.plan.scope import (
    Expr,
    Source,
    aliases_around,
    aliases_in,
    join_by_names,
    reads_model,
    sources_of,
)
from proxy.plan.stages import Stages
from proxy.plan.wiring import late_sources, order_models, substitute


async def plan_select(
    select: exp.Select, name: str, below: tuple[Node, ...], context: Context
) -> Residual:
    """The plan of a SELECT whose FROM holds a model, or that calls one; `below` is planned already
    and made first.

    Raises the errors of resolving names and inputs (1052, 1054, 1364) and Unsupported.
    """
    await merge_views(select, context)
    sources = sources_of(select, context.models)
    for source in sources:
        if source.model is None:
            source.columns = await context.columns(source)
    join_by_names(sources)
    where = resolve(select, sources)
    groups = split_groups(select, context.name) if makes_calls(select) else None
    if groups is not None:
        return await _over_groups(select, groups, name, below, context)
    context.relations[name] = tuple(item.alias_or_name for item in select.expressions)
    below += tuple([node async for node in _before_joins(sources, context)])
    calls = Calls(context, sources, aliases_around(select))
    for conditions in (where, *(source.on for source in sources)):
        calls.take_conditions(conditions)
    clauses = above_clauses(select)
    calls.take(clauses)
    for part in (*where, *clauses, *(source.node for source in sources)):
        refuse_calls(part)
    joined = map_inputs(sources, where, open_inputs=context.open_inputs)
    _refuse_right_join(sources, calls.aliases)
    _warn_if_probed(joined, where, context)
    made = {mapping.alias: mapping.made for mapping in joined}
    plain = [p for s in sources for p in (made[s.alias] if s.model else [s])]
    mappings = calls.mappings(joined, plain, where)
    substitute(mappings, plain, where, clauses)
    return _split(select, name, below, context, plain, where, mappings)


async def _before_joins(sources: list[Source], context: Context) -> AsyncIterator[Residual]:
    """What has to be asked before outer joins; the sources read it then."""
    for source in sources:
        relation = context.name() if source.side and any(map(has_call, source.on)) else ""
        inner = select_of_calls(source, relation)
        if inner is not None:
            yield await plan_select(inner, relation, (), context)


async def _over_groups(
    select: exp.Select,
    groups: exp.Subquery,
    name: str,
    below: tuple[Node, ...],
    context: Context,
) -> Residual:
    """The plan of a SELECT over its own groups, in which a model may be asked, too."""
    inner = groups.this
    if reads_model(inner) or makes_calls(inner):
        made = context.name()
        below = (await plan_select(inner, made, below, context),)
        stand_in = exp.Table(this=exp.to_identifier(made, quoted=True))
        groups.set("this", exp.select("*").from_(stand_in))
    return await plan_select(select, name, below, context)


def _refuse_right_join(sources: list[Source], called: set[str]) -> None:
    """A RIGHT JOIN keeps its rows whatever was decided before it; what needs a prediction, or came
    with a model's ON, is decided behind it."""
    models = {s.alias for s in sources if s.model} | called
    for at, source in enumerate(sources):
        before = sources[:at] if source.side == "RIGHT" else []
        filters = [c for s in before if s.model and s.side != "LEFT" for c in s.on]
        joined = [c for s in before if s.model is None for c in s.on if aliases_in(c) & models]
        if filters or joined:
            raise Unsupported(
                f"RIGHT JOIN {source.alias} behind a condition on a prediction is not supported: "
                "write it as a LEFT JOIN"
            )


def _split(  # noqa: PLR0913, PLR0917 (the parts of one SELECT)
    select: exp.Select,
    name: str,
    below: tuple[Node, ...],
    context: Context,
    plain: list[Source],
    where: list[Expr],
    mappings: list[Mapping],
) -> Residual:
    clauses = above_clauses(select)
    models = order_models(mappings, [*clauses, *where, *(c for s in plain for c in s.on)])
    late = late_sources(plain, where, mappings, models)
    early = [s for s in plain if s not in late]
    reach = {s.alias for s in early} | {""}
    scanned = [c for c in where if aliases_in(c) <= reach]
    kept = [c for c in where if not aliases_in(c) <= reach]
    stages = Stages(context, early, late, models)
    scan = stages.scan_from(scanned)
    if not late:
        push_order_and_limit(select, scan, {m.alias for m in mappings}, kept)
    return stages.build(select, name, below, scan, kept, above_clauses(select))


def above_clauses(select: exp.Select) -> list[Expr]:
    """What is computed of the rows of FROM and WHERE."""
    names = ("group", "having", "order", "qualify")
    clauses = [select.args[n] for n in names if select.args.get(n) is not None]
    return [*select.expressions, *clauses, *(select.args.get("windows") or ())]


def _warn_if_probed(mappings: list[Mapping], where: list[Expr], context: Context) -> None:
    """A model that is asked for nothing answers no rows: tools look at a table's columns so."""
    for mapping in mappings:
        if mapping.inputs:
            continue
        given = " and ".join(f"{name} = '…'" for name in mapping.record.inputs)
        context.warnings.append(
            f"Model '{mapping.record.name}' answers for given inputs only: "
            f"add WHERE {given}, or join it to a table"
        )
        text = exp.cast(exp.null(), exp.DataType.Type.TEXT)
        mapping.inputs = {name: text.copy() for name in mapping.record.inputs}
        where.append(exp.false())
