"""HAVING where nothing is grouped: MySQL filters rows by it, as by WHERE, but reads labels."""

from sqlglot import exp


def having_as_where(select: exp.Select) -> None:
    """Make a HAVING without GROUP BY and aggregates part of WHERE, its labels written out."""
    having = select.args.get("having")
    if having is None or select.args.get("group") is not None:
        return
    if any(e.find(exp.AggFunc) for e in (having, *select.expressions)):
        return
    labels = {item.alias.casefold(): item for item in select.expressions if item.alias}
    for column in list(having.find_all(exp.Column)):
        item = labels.get(column.name.casefold())
        if item is not None and not column.table:
            column.replace(exp.Paren(this=item.unalias().copy()))
    select.set("having", None)
    select.where(having.this, copy=False)
