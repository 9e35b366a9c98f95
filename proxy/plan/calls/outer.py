"""Calls in the ON of an outer join that read the joined table alone: they are made before the join.

Whether a row of that table fits is then known below, where outer joins are done.
"""

from sqlglot import exp

from proxy.plan.calls.call import own_calls
from proxy.plan.scope import Expr, Source, columns_in

_ASKED = "__asked"


def select_of_calls(source: Source, relation: str) -> exp.Select | None:
    """The SELECT of a source's columns and of such calls' answers, which is to be `relation`: this
    is what the source reads afterwards. None, and no change, where there is no such call."""
    if not source.side or source.model is not None:
        return None
    calls = [call for part in source.on for call in own_calls(part, frozenset())]
    calls = [call for call in calls if {c.table for c in columns_in(call)} == {source.alias}]
    if not calls:
        return None
    items = [exp.alias_(source.reference(c), c, quoted=True) for c in source.columns]
    for n, call in enumerate(calls):
        items.append(exp.alias_(call.copy(), f"{_ASKED}{n}", quoted=True))
        _replace(call, source.reference(f"{_ASKED}{n}"), source)
    select = exp.select(*items).from_(source.node.copy())
    stand_in = exp.Table(this=exp.to_identifier(relation, quoted=True))
    alias = exp.TableAlias(this=exp.to_identifier(source.alias, quoted=True))
    source.node = exp.Subquery(this=exp.select("*").from_(stand_in), alias=alias)
    return select


def _replace(call: Expr, column: exp.Column, source: Source) -> None:
    """Put the column in the call's place, which may be a whole condition."""
    for at, condition in enumerate(source.on):
        if condition is call:
            source.on[at] = column
    call.replace(column)
