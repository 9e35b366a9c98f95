"""Names to things: tables and models to what the catalog holds, variables and session functions
to their values. No table outside of our databases reaches DuckDB, nor a table function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from catalog.errors import AlreadyExists, DatabaseMisnamed, DatabaseProtected, DatabaseUnknown
from catalog.projects import DEFAULT_PROJECT, INFORMATION_SCHEMA, Projects, is_path
from catalog.records import ModelRecord
from catalog.store import Store
from catalog.views import ViewRecord
from proxy.errors import (
    ERRORS,
    NoDatabase,
    NotReady,
    Unsupported,
    ViewInvalid,
    ViewRecursion,
)
from proxy.plan.calls.call import is_call
from proxy.plan.calls.completion import asked_by, of_engine, of_model, unknown
from proxy.plan.calls.named import bind_call, check_counts
from proxy.plan.functions import refuse_table_function
from proxy.plan.overrides import override
from proxy.plan.remote.local import is_local, name_local
from proxy.plan.remote.tables import NOTHING, Reach, RemoteTable, SourceName, source_name
from proxy.plan.scope import Expr
from proxy.plan.views import (
    altered,
    drops_if_there,
    invalid,
    refuse_place,
    renamed,
    stand_in,
)
from proxy.sql.parser import parse
from proxy.sql.statements import Override
from proxy.sql.view_parser import read_query
from proxy.variables import Value, Variables

_SESSION_FUNCTIONS: dict[type[Expr], str] = {
    exp.CurrentSchema: "database",
    exp.CurrentUser: "current_user",
    exp.SessionUser: "user",
    exp.CurrentVersion: "version",
}
_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Alter)
_STATEMENTS = (
    *(*_CHANGES, exp.Merge, exp.Drop, exp.TruncateTable, exp.Copy, exp.Command, exp.Describe),
    *(exp.Summarize, exp.Show, exp.Pragma, exp.Set, exp.Use, exp.Attach, exp.Detach, exp.Install),
)
_TOLD = (ViewInvalid, ViewRecursion, NotReady)
"""What is wrong below a view, and says itself where."""
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
    of `snapshots`: information_schema's tables by the relations that are to stand for them. `views`
    are those that were put in, inner ones first."""

    tree: Expr
    models: dict[str, ModelRecord] = field(default_factory=dict)
    snapshots: dict[str, str] = field(default_factory=dict)
    remotes: dict[str, RemoteTable] = field(default_factory=dict)
    """Tables of data sources, by the relations that are to stand for them."""
    views: list[ViewRecord] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    """SELECTs of DuckDB's, by the temporary views that are to be made of them."""


class Binder:
    """Binds one statement for one session. `within` are the views, as 'project.name', whose SELECT
    it is part of."""

    def __init__(
        self,
        store: Store,
        projects: Projects,
        facts: Facts,
        reach: Reach = NOTHING,
        within: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._projects = projects
        self._facts = facts
        self._reach = reach
        self._within = within

    def bind(self, tree: Expr, overrides: Sequence[Override] = ()) -> Bound:
        """Resolve all names of `tree` in place; its models are as `overrides` want them.

        Raises NoDatabase, DatabaseUnknown, UnknownVariable, FunctionUnknown, Unsupported,
        ViewInvalid, ViewRecursion, and what bind_call, overrides.py and views.py
        raise. Missing tables are found by whoever reads them.
        """
        bound = Bound(tree)
        for node in list(tree.walk()):
            if isinstance(node, _STATEMENTS) and not _may_stand(node, tree):
                raise Unsupported(f"{node.key.upper()} inside a statement is not supported")
            if isinstance(node, exp.Table):
                self._table(node, bound)
            elif not is_call(node) and not bind_call(node, self, bound.models):
                refuse_table_function(node)
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
        if not _names_a_table(table):
            return
        if isinstance(table.parent, exp.AlterRename) and not table.db:
            table.set("db", altered(table).args.get("db"))
        model = self.model([part.name for part in table.parts])
        if model is not None:
            _refuse_as_target(table, model)
            _stand_for(table, model, bound)
            return
        name = source_name(table, self._reach.is_source, self._facts.database)
        if name is not None:
            self._of_source(table, name, bound)
            return
        if table.catalog:
            raise Unsupported(f"'{table.sql()}' has one name too many")
        self._ours(table, bound)

    def _ours(self, table: exp.Table, bound: Bound) -> None:
        """A table, or a view, of a database of ours."""
        database = self.database(table.db or None)
        view = self._store.views.find(database, table.name)
        if view is not None and not drops_if_there(table):
            refuse_place(table, view, is_target=_is_target(table))
            stand_in(table, view, self._query_of(view, bound))
            return
        if database == INFORMATION_SCHEMA:
            if _is_target(table):
                raise DatabaseProtected(f"Access denied to database '{INFORMATION_SCHEMA}'")
            self._snapshot(table, bound)
            return
        if is_path(database):
            raise DatabaseMisnamed(f"Incorrect database name '{database}'")
        table.set("db", exp.to_identifier(database, quoted=True))
        table.this.set("quoted", True)

    def _of_source(self, table: exp.Table, name: SourceName, bound: Bound) -> None:
        """A table of a file goes by DuckDB's name for it; another has a stand-in."""
        remote, target = self._reach.table(name), _is_target(table)
        if not is_local(remote.table.source):
            return _stand_for_remote(table, remote, bound)
        if not target or isinstance(table.parent, exp.Update | exp.Delete):
            _name_by_alias(table)
        return name_local(table, remote, bound.files, target=target)

    def _query_of(self, view: ViewRecord, bound: Bound) -> exp.Query:
        """The SELECT of a view, its names resolved where it was made."""
        if view.full_name.casefold() in self._within:
            raise ViewRecursion(f"`{view.project}`.`{view.name}` contains view recursion")
        facts = replace(self._facts, database=view.database)
        within = (*self._within, view.full_name.casefold())
        try:
            query = read_query(view.query, parse)
            inner = Binder(self._store, self._projects, facts, self._reach, within).bind(
                query.tree, query.options.overrides
            )
        except ERRORS as error:
            if isinstance(error, _TOLD):
                raise
            raise invalid(view, error) from error
        assert isinstance(inner.tree, exp.Query)
        own = f"{view.full_name} {len(bound.views)} " if query.options.overrides else ""
        bound.models |= renamed(inner.tree, inner.models, own)
        bound.snapshots |= inner.snapshots
        bound.remotes |= inner.remotes
        bound.files |= inner.files
        bound.views += [*inner.views, view]
        return inner.tree

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


def _stand_for_remote(table: exp.Table, remote: RemoteTable, bound: Bound) -> None:
    """Let a temporary table stand for a source's, under its name or the client's alias."""
    if _is_target(table):
        raise Unsupported(f"This cannot be done with a table of '{remote.table.source.name}'")
    bound.remotes[remote.relation] = remote
    _name_by_alias(table)
    table.set("this", exp.to_identifier(remote.relation, quoted=True))
    table.set("db", None)
    table.set("catalog", None)


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


def _may_stand(statement: Expr, tree: Expr) -> bool:
    """Whether a statement is `tree` itself, or the DROP COLUMN of its ALTER TABLE."""
    is_action = isinstance(statement, exp.Drop) and isinstance(statement.parent, exp.Alter)
    return statement is tree or is_action


def _names_a_table(table: exp.Table) -> bool:
    """Whether it is more than the name of a CTE, or dual. Raises Unsupported for a function."""
    if not isinstance(table.this, exp.Identifier):
        called = table.this or table
        name = called.name if isinstance(called, exp.Anonymous) else called.key
        raise Unsupported(f"Table function {name} is not supported")
    if not table.db and table.name.casefold() == "dual" and not _is_cte(table):
        _drop_dual(table)
        return False
    if table.db or not _is_cte(table):
        return True
    if is_path(table.name) or "." in table.name:  # DuckDB may look further than _is_cte
        raise Unsupported(f"A WITH that defines '{table.name}' is not supported")
    return False


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
