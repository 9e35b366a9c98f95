"""How often a tree reads the relations that it mentions."""

from sqlglot import exp


def is_read_once(tree: exp.Expr, name: str) -> bool:
    """Whether a relation that is mentioned once is sure to be read once at most: not in a WITH that
    several read, nor in a subquery of an expression."""
    mention = next(table for table in tree.find_all(exp.Table) if table.name == name)
    node: exp.Expr | None = mention
    while node is not None and node.parent is not None:
        above = node.parent
        if isinstance(node, exp.CTE) and _mentions(tree, node.alias) > 1:
            return False
        if isinstance(node, exp.Query) and not isinstance(above, _RELATIONS):
            return False
        node = above
    return True


_RELATIONS = (exp.CTE, exp.From, exp.Join, exp.SetOperation, exp.Subquery, exp.Insert, exp.Create)


def unused_left_out(tree: exp.Expr) -> exp.Expr:
    """The tree without what its WITHs define for nobody; it is changed in place."""
    for with_ in reversed(list(tree.find_all(exp.With))):
        if with_.recursive or with_.parent is None:
            continue
        around = with_.parent
        for cte in reversed(list(with_.expressions)):
            if not _mentions(around, cte.alias):
                cte.pop()
        if not with_.expressions:
            around.set("with_", None)
    return tree


def _mentions(tree: exp.Expr, name: str) -> int:
    return sum(
        not table.db and table.name.casefold() == name.casefold()
        for table in tree.find_all(exp.Table)
    )
