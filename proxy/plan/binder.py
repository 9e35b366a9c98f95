"""Names to things: tables and models to what the catalog holds, variables and session functions
to their values. No table outside of our databases reaches DuckDB, nor what functions.py refuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from catalog.errors import AlreadyExists, DatabaseProtected, DatabaseUnknown
from catalog.projects import DEFAULT_PROJECT, INFORMATION_SCHEMA, Projects
from catalog.records import ModelRecord
from catalog.store import Store
from proxy.errors import NoDatabase, NotReady, Unsupported
from proxy.plan.calls.call import is_call
from proxy.plan.calls.completion import asked_by, of_engine, of_model, unknown
from proxy.plan.calls.named import bind_call, check_counts
from proxy.plan.functions import refuse_reach
from proxy.plan.overrides import override
from proxy.plan.scope import Expr
from proxy.sql.statements import Override
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

    def bind(self, tree: Expr, overrides: Sequence[Override] = ()) -> Bound:
        """Resolve all names of `tree` in place; its models are as `overrides` want them.

        Raises NoDatabase, DatabaseUnknown, UnknownVariable, FunctionUnknown, Unsupported, and what
        bind_call and overrides.py raise. Missing tables are found by whoever reads them.
        """
        bound = Bound(tree)
        for node in list(tree.walk()):
            if isinstance(node, exp.Table):
                self._table(node, bound)
            elif not is_call(node) and not bind_call(node, self, bound.models):
                refuse_reach(node)
                replacement = self._session_value(node)
                if replacement is not None:
                    if node is bound.tree:
                        bound.tree = replacement
                    node.replace(replacement)
        override(bound.tree, bound.models, overrides, self._store)
        check_counts(bound.tree, bound.models)
        return bound

    def database(self, name: str | None) -> str:
        """The database that a name, or its lack, means. Raises NoDatabase, DatabaseUnknown."""
        if name is None and self._facts.database is None:
            raise NoDatabase("No database selected")
        return self._projects.resolve(name or self._facts.database or "")

    def model(self, parts: Sequence[str]) -> ModelRecord | None:
        """The version to be asked that `[database.]model[.version]` means, the active one where no
        version is named; None where there is no such model.

        A model's version comes before the table `2` of a database that is called like the model.
        Raises VersionUnknown, and NotReady for a version that is not complete.
        """
        found = self.version(parts)
        if found is not None and found.status != "complete":
            why = f": {found.error}" if found.error else ""
            raise NotReady(
                f"Version {found.version} of model '{found.full_name}' cannot be asked: "
                f"its status is '{found.status}'{why}"
            )
        return found

    def version(self, parts: Sequence[str]) -> ModelRecord | None:
        """As `model`, whatever the version's status."""
        *owner, last = parts
        model = self._active(owner) if owner and last.isdecimal() else None
        if model is not None:
            return self._store.version(model.project, model.name, int(last))
        return self._active(parts)

    def _active(self, parts: Sequence[str]) -> ModelRecord | None:
        if len(parts) > 2:
            return None
        try:
            database = self.database(parts[0] if len(parts) == 2 else None)
        except DatabaseUnknown:
            return None
        return self._store.find_model(database, parts[-1])

    def completion(self, arguments: list[Expr]) -> tuple[ModelRecord, Expr]:
        """The model that AI_COMPLETE with these arguments asks, and its prompt."""
        parts, prompt, model_name = asked_by(arguments)
        model = self.model(parts)
        if model is not None:
            engine = self._store.engine(model.engine)
            return of_model(model, engine, model_name), prompt
        if len(parts) > 1 or not self._store.has_engine(parts[0]):
            engines = [engine.name for engine in self._store.engines]
            raise unknown(".".join(parts), [*engines, *self.model_names])
        project = self._facts.database or DEFAULT_PROJECT
        return of_engine(self._store.engine(parts[0]), project, model_name), prompt

    @property
    def model_names(self) -> list[str]:
        """The names of the current database's models."""
        here = (self._facts.database or "").casefold()
        return [m.name for m in self._store.models if m.project.casefold() == here]

    def _table(self, table: exp.Table, bound: Bound) -> None:
        if not isinstance(table.this, exp.Identifier):
            called = table.this or table
            name = called.name if isinstance(called, exp.Anonymous) else called.key
            raise Unsupported(f"Table function {name} is not supported")
        if not table.db and _is_cte(table):
            return
        if not table.db and table.name.casefold() == "dual":
            _drop_dual(table)
            return
        model = self.model([part.name for part in table.parts])
        if model is not None:
            _refuse_as_target(table, model)
            _stand_for(table, model, bound)
            return
        if table.catalog:
            raise Unsupported(f"'{table.sql()}' has one name too many")
        database = self.database(table.db or None)
        if database == INFORMATION_SCHEMA:
            if _is_target(table):
                raise DatabaseProtected(f"Access denied to database '{INFORMATION_SCHEMA}'")
            self._snapshot(table, bound)
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

    def _name_by_table(self, column: exp.Column) -> None:
        """db.table.column: the table's alias says it all, which is a version's model."""
        named = [part.name for part in column.parts[:-1]]
        model = self.version(named) if named[-1].isdecimal() else None
        if model is not None:
            column.set("table", exp.to_identifier(model.name, quoted=True))
        column.set("db", None)
        column.set("catalog", None)

    def _session_value(self, node: Expr) -> Expr | None:
        if isinstance(node, exp.Column) and node.args.get("db"):
            self._name_by_table(node)
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


def _stand_for(table: exp.Table, model: ModelRecord, bound: Bound) -> None:
    """Let the table stand for a version, under its model's name or the client's alias."""
    key = f"{model.full_name}.{model.version}"
    bound.models[key] = model
    table.meta["model"] = key
    if table.parts[-1].name.casefold() != model.name.casefold():
        table.set("this", exp.to_identifier(model.name, quoted=True))
    table.set("db", None)
    table.set("catalog", None)
    _name_by_alias(table)


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
