"""A view in the place of its table: a derived table, whose SELECT is bound already.

What a view means is for binder.py, and how it is planned for merging.py; here is where one may
stand.
"""

from sqlglot import exp

from catalog.errors import AlreadyExists, DropUnknown, WrongKind
from catalog.records import ModelRecord
from catalog.views import ViewRecord
from proxy.errors import NotUpdatable, ViewColumns, ViewInvalid
from proxy.plan.calls.call import has_call, recall
from proxy.plan.scope import Expr

_VIEW = "view"
_CHANGES = (exp.Insert, exp.Update, exp.Delete)


def stand_in(table: exp.Table, view: ViewRecord, query: exp.Query) -> None:
    """Put the view's SELECT where its table is read, under the table's alias and with the view's
    names of its columns. Raises ViewColumns for an alias with more or fewer."""
    alias = table.args.get("alias") or exp.TableAlias(this=_identifier(table.name))
    given = alias.args.get("columns")
    if given and len(given) != len(view.columns):
        raise ViewColumns(column_counts(len(view.columns), len(given)))
    names = tuple(item.alias_or_name for item in query.selects)
    if names != view.columns and not given and "*" not in names:
        alias.set("columns", [_identifier(name) for name in view.columns])
    derived = exp.Subquery(this=query, alias=alias, joins=table.args.get("joins"))
    derived.meta[_VIEW] = view.full_name
    table.replace(derived)


def column_counts(selected: int, named: int) -> str:
    """MySQL's words for a list of names that does not fit, and the two numbers."""
    return (
        "In definition of view, derived table or common table expression, SELECT list and column "
        f"names list have different column counts: {selected} and {named}"
    )


def renamed(query: exp.Query, models: dict[str, ModelRecord], own: str) -> dict[str, ModelRecord]:
    """The models of a view's SELECT under keys that begin with `own`, in the tree too: it has them
    with options of its own."""
    if own:
        for table in query.find_all(exp.Table):
            if table.meta.get("model"):
                table.meta["model"] = own + table.meta["model"]
        recall(query, own)
    return {own + key: model for key, model in models.items()}


def invalid(view: ViewRecord, cause: Exception) -> ViewInvalid:
    """MySQL's error for a view that reads what is not there any more, and what that is."""
    return ViewInvalid(
        f"View '{view.full_name}' references invalid table(s) or column(s) or function(s): {cause}"
    )


def view_of(node: Expr) -> str | None:
    """The 'project.name' of the view that a derived table stands for, or None."""
    name = node.meta.get(_VIEW) if isinstance(node, exp.Subquery) else None
    return None if name is None else str(name)


def asks(derived: Expr) -> bool:
    """Whether a model is read, or called, anywhere in a view."""
    reads = any(table.meta.get("model") for table in derived.find_all(exp.Table))
    return reads or has_call(derived)


def shown(derived: Expr) -> tuple[str, ...]:
    """The names of the columns of a view that stands as a derived table, without a star in it."""
    given = derived.args["alias"].args.get("columns")
    return tuple(c.name if given else c.alias_or_name for c in given or derived.this.selects)


def refuse_place(table: exp.Table, view: ViewRecord, *, is_target: bool) -> None:
    """Raises what is wrong with a view where only a table may stand: AlreadyExists, DropUnknown,
    NotUpdatable, WrongKind."""
    statement = table.find_ancestor(*_CHANGES, exp.Create, exp.Drop)
    if table.arg_key == "tables" and isinstance(table.parent, exp.Delete):
        is_target = True
    if not is_target:
        if isinstance(table.parent, exp.AlterRename):
            raise AlreadyExists(f"Table '{view.full_name}' already exists")
        if not isinstance(table.parent, exp.From | exp.Join | exp.Subquery | exp.Delete):
            raise _no_table(view)
    elif isinstance(statement, exp.Create):
        raise AlreadyExists(f"Table '{view.full_name}' already exists")
    elif isinstance(statement, exp.Drop):
        raise DropUnknown(f"Unknown table '{view.full_name}': it is a view, DROP VIEW drops it")
    elif isinstance(statement, _CHANGES):
        name = table.alias_or_name
        raise NotUpdatable(
            f"The target table {name} of the {statement.key.upper()} is not updatable"
        )
    else:
        raise _no_table(view)


def drops_if_there(table: exp.Table) -> bool:
    """Whether it is of a DROP TABLE IF EXISTS, which passes by a view: there is no such table."""
    return isinstance(table.parent, exp.Drop) and bool(table.parent.args.get("exists"))


def altered(new: exp.Table) -> exp.Table:
    """The table, copied, that is about to get a new name: it stays in its database."""
    alter = new.find_ancestor(exp.Alter)
    assert alter is not None
    assert isinstance(alter.this, exp.Table)
    return alter.this.copy()


def _no_table(view: ViewRecord) -> WrongKind:
    return WrongKind(f"'{view.full_name}' is not BASE TABLE")


def _identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)
