"""Names to things: tables and models to what the catalog holds, variables and session functions
to their values. No table outside of our databases reaches DuckDB, nor what functions.py refuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from catalog.errors import AlreadyExists, DatabaseProtected
from catalog.projects import INFORMATION_SCHEMA, Projects
from catalog.records import ModelRecord
from catalog.store import Store
from proxy.errors import NoDatabase, Unsupported
from proxy.plan.functions import refuse_reach
from proxy.plan.scope import Expr
from proxy.variables import Value, Variables

_SESSION_FUNCTIONS: dict[type[Expr], str] = {
    exp.CurrentSchema: "database",
    exp.CurrentUser: "current_user",
    exp.SessionUser: "user",
    exp.CurrentVersion: "version",
}
_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Alter)
_SYNONYMS = {"system_user": "user", "session_user": "user", "schema": "database"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a statement may ask of its session: `functions` maps DATABASE, USER and the like, in
    lower case, to their values."""

    database: str | None
    functions: Mapping[str, Value]
    variables: Variables


@dataclass(slots=True)
class Bound:
    """A tree whose tables name DuckDB schemas, or, by `meta["model"]`, a model in `models`, or one
    of `snapshots`: information_schema's tables by the relations that are to stand for them."""

    tree: Expr
    models: dict[str, ModelRecord] = field(default_factory=dict)
    snapshots: dict[str, str] = field(default_factory=dict)


class Binder:
    """Binds one statement for one session."""

    def __init__(self, store: Store, projects: Projects, facts: Facts) -> None:
        self._store = store
        self._projects = projects
        self._facts = facts

    def bind(self, tree: Expr) -> Bound:
        """Resolve all names of `tree` in place.

        Raises NoDatabase, DatabaseUnknown, UnknownVariable, FunctionUnknown, Unsupported. Missing
        tables are found by whoever reads them.
        """
        bound = Bound(tree)
        for node in list(tree.walk()):
            if isinstance(node, exp.Table):
                self._table(node, bound)
            else:
                refuse_reach(node)
                replacement = self._session_value(node)
                if replacement is not None:
                    if node is bound.tree:
                        bound.tree = replacement
                    node.replace(replacement)
        return bound

    def database(self, name: str | None) -> str:
        """The database that a name, or its lack, means. Raises NoDatabase, DatabaseUnknown."""
        if name is None and self._facts.database is None:
            raise NoDatabase("No database selected")
        return self._projects.resolve(name or self._facts.database or "")

    def _table(self, table: exp.Table, bound: Bound) -> None:
        if not isinstance(table.this, exp.Identifier):
            called = table.this or table
            name = called.name if isinstance(called, exp.Anonymous) else called.key
            raise Unsupported(f"Table function {name} is not supported")
        if table.catalog:
            raise Unsupported(f"'{table.sql()}' has one name too many")
        if not table.db and _is_cte(table):
            return
        if not table.db and table.name.casefold() == "dual":
            _drop_dual(table)
            return
        database = self.database(table.db or None)
        if database == INFORMATION_SCHEMA:
            if _is_target(table):
                raise DatabaseProtected(f"Access denied to database '{INFORMATION_SCHEMA}'")
            self._snapshot(table, bound)
            return
        model = self._store.find_model(database, table.name)
        if model is not None:
            _refuse_as_target(table, model)
            key = f"{model.project}.{model.name}"
            bound.models[key] = model
            table.meta["model"] = key
            _name_by_alias(table)
            return
        table.set("db", exp.to_identifier(database, quoted=True))
        table.this.set("quoted", True)

    def _snapshot(self, table: exp.Table, bound: Bound) -> None:
        """information_schema's tables stand as temporary relations."""
        name = table.name.upper()
        relation = bound.snapshots.setdefault(name, f"__mw_{name.lower()}")
        _name_by_alias(table)
        table.set("this", exp.to_identifier(relation, quoted=True))
        table.set("db", None)

    def _session_value(self, node: Expr) -> Expr | None:
        if isinstance(node, exp.Column) and node.args.get("db"):
            node.set("db", None)  # db.table.column: the table's alias says it all
            return None
        if isinstance(node, exp.SessionParameter):
            scope = str(node.args.get("kind") or "SESSION").upper()
            return exp.convert(self._facts.variables.get(node.name, scope))
        if isinstance(node, exp.Parameter):
            return exp.convert(self._facts.variables.user.get(node.name.lower()))
        name = _SESSION_FUNCTIONS.get(type(node))
        if name is None and isinstance(node, exp.Anonymous) and not node.expressions:
            name = _SYNONYMS.get(node.name.lower(), node.name.lower())
        if name is not None and name in self._facts.functions:
            return exp.convert(self._facts.functions[name])
        if isinstance(node, exp.Command):
            raise Unsupported(f"{node.name.upper()} is not supported")
        return None


def _name_by_alias(table: exp.Table) -> None:
    """Let the columns go on naming the table as the client does."""
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))


def _refuse_as_target(table: exp.Table, model: ModelRecord) -> None:
    """Nobody writes into a model, or makes a table in its place."""
    if not _is_target(table):
        return
    name = f"{model.project}.{model.name}"
    if table.find_ancestor(exp.Create):
        raise AlreadyExists(f"Model '{name}' already exists")
    raise Unsupported(f"'{name}' is a model: it can be selected from, and dropped with DROP MODEL")


def _is_target(table: exp.Table) -> bool:
    """Whether a statement changes this table, or makes or drops it."""
    parent = table.parent
    place: Expr = table
    if isinstance(parent, exp.Schema):
        place, parent = parent, parent.parent
    if isinstance(parent, exp.Drop | exp.TruncateTable):
        return True
    return isinstance(parent, _CHANGES) and parent.this is place


def _drop_dual(table: exp.Table) -> None:
    """SELECT … FROM dual reads no table."""
    if isinstance(table.parent, exp.From) and isinstance(table.parent.parent, exp.Select):
        table.parent.parent.set("from_", None)


def _is_cte(table: exp.Table) -> bool:
    """Whether a WITH in reach defines the name. The body of a CTE reaches those before it, and
    itself if it is recursive; the statement behind the WITH reaches all."""
    name = table.name.casefold()
    below: Expr = table
    node = table.parent
    while node is not None:
        if isinstance(node, exp.With):
            position = node.expressions.index(below)
            reach = node.expressions[: position + bool(node.recursive)]
        else:
            with_ = node.args.get("with_")
            reach = with_.expressions if with_ is not None and with_ is not below else []
        if any(cte.alias.casefold() == name for cte in reach):
            return True
        below, node = node, node.parent
    return False
