"""Statements over tables and models: bound, planned, executed.

What a statement is, the parser has said; what it may name, the binder says.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import dataclass, replace

from sqlglot import exp

from catalog.database import Field
from catalog.errors import (
    AlreadyExists,
    BranchesDiffer,
    ColumnAmbiguous,
    ColumnUnknown,
    DropUnknown,
    FunctionUnknown,
    NotGrouped,
    StatementRejected,
    TableUnknown,
)
from catalog.records import ModelRecord
from catalog.suggest import did_you_mean
from proxy.errors import (
    CODES,
    ERRORS,
    AmbiguousColumn,
    MissingInput,
    UnknownColumn,
    ViewInvalid,
)
from proxy.execute.columns import mysql_type_name
from proxy.execute.completions import name_completions
from proxy.execute.describe import text_rows
from proxy.execute.executor import Executor
from proxy.execute.schema_columns import model_columns
from proxy.information_schema import near_table, snapshot
from proxy.money.account import ModelAccount, status_of
from proxy.plan.binder import Bound
from proxy.plan.nodes import Node, Passthrough, Snapshot, Write, explain, predicts
from proxy.plan.planner import Planner
from proxy.plan.views import invalid
from proxy.result import Column, Done, Rows
from proxy.sql.allowed import FUNCTIONS
from proxy.sql.parser import parse
from proxy.sql.statements import Explain, Modify, Name, PredictionOptions, Query
from proxy.sql.view_parser import read_query
from proxy.state import State

_MISSING = (
    *(TableUnknown, ColumnUnknown, UnknownColumn, ColumnAmbiguous, AmbiguousColumn),
    *(FunctionUnknown, BranchesDiffer, StatementRejected),
)
"""What a view is checked for where a statement that reads it fails: something may have gone."""


async def answer_query(statement: Query, state: State) -> Rows:
    """The rows of a SELECT, a UNION, a WITH."""
    async with _bound(statement.tree, state, statement.options) as work:
        plan = await work.read()
        await work.executor.foresee(plan)
        return await work.executor.rows(plan)


async def keep_rows(
    statement: Query, relation: str, columns: Sequence[str], state: State
) -> tuple[ModelRecord, ...]:
    """Run a query into a temporary table with these of its columns, on the session's cursor, for
    the caller to drop. The models that it asks. What DuckDB refuses costs no call."""
    async with _bound(statement.tree, state, statement.options) as work:
        plan = await work.write(_temporary(relation, columns, work.query))
        await work.executor.foresee(plan)
        await work.executor.write(plan)
    asked = [node.model for node in predicts(plan)]
    return tuple({(m.project, m.name, m.version): m for m in asked}.values())


def _temporary(relation: str, columns: Sequence[str], query: exp.Query) -> exp.Create:
    return exp.Create(
        this=exp.table_(relation, quoted=True),
        kind="TABLE",
        replace=True,
        expression=exp.select(*columns).from_(query.subquery("__rows")),
        properties=exp.Properties(expressions=[exp.TemporaryProperty()]),
    )


async def describe_query(statement: Query, state: State) -> tuple[Column, ...]:
    """The columns that a query's rows would have, seen from outside of the session's transaction:
    what goes wrong is no harm to it. No model is asked, no table read."""
    async with _bound(statement.tree, state, statement.options, describing=True) as work:
        return await work.executor.columns(await work.planner.query(work.query))


async def describe_fields(statement: Query, state: State) -> list[Field]:
    """As `describe_query`, in DuckDB's types."""
    async with _bound(statement.tree, state, statement.options, describing=True) as work:
        return await work.executor.described(await work.planner.query(work.query))


async def rows_of(relation: str, state: State) -> Rows:
    """The rows of a temporary table of the session's."""
    table = exp.Table(this=exp.to_identifier(relation, quoted=True))
    executor = state.executor(PredictionOptions())
    return await executor.rows(Passthrough(exp.select("*").from_(table)))


async def shape_of(statement: Query, state: State) -> list[tuple[str, str]]:
    """Names and MySQL types of the columns of a query that is, or may become, a view's: seen as by
    describe_query, with no need to say what feeds the models."""
    options = statement.options
    async with _bound(statement.tree, state, options, describing=True, open_inputs=True) as work:
        return _typed(await work.executor.described(await work.planner.query(work.query)))


def _typed(fields: Sequence[Field]) -> list[tuple[str, str]]:
    return [(field.name, mysql_type_name(field.type)) for field in fields]


async def answer_modify(statement: Modify, state: State) -> Done:
    """Change rows, or make and drop tables."""
    if isinstance(statement.tree, exp.Insert | exp.Update | exp.Delete):
        await state.transactions.before_change()
    else:
        await state.transactions.before_definition()
    try:
        return await _modify(statement, state)
    except AlreadyExists as error:  # in DuckDB's eyes there is no view, and no model
        if not statement.tree.args.get("exists"):
            raise
        state.warnings.add("Note", CODES[AlreadyExists].code, str(error))
        return Done()


async def _modify(statement: Modify, state: State) -> Done:
    async with (
        _bound(statement.tree, state, statement.options) as work,
        _numbered(work.bound, state),
    ):
        plan = await work.write(work.bound.tree)
        await work.executor.foresee(plan)
        return await work.executor.write(plan)


def _numbered(bound: Bound, state: State) -> AbstractAsyncContextManager[None]:
    """Rows that a model is asked about are changed by their numbers, which no other session may
    change meanwhile."""
    changes = isinstance(bound.tree, exp.Update | exp.Delete) and bound.models
    return state.transactions.around() if changes else nullcontext()


async def answer_explain(statement: Explain, state: State) -> Rows:
    """The plan of a query, one line per node, and what its predictions would take; with ANALYZE
    what they took. Without it no model is asked."""
    async with _bound(statement.statement.tree, state, statement.options) as work:
        plan = await work.read()
        if statement.analyze:
            lines = await _analyzed(plan, work.executor)
        else:
            if isinstance(plan, Passthrough) and not plan.inputs:
                await work.executor.fields(plan.sql)  # what cannot run has no plan
            lines = explain(plan, await work.executor.estimates(plan))
            await work.executor.close()
    return text_rows(("EXPLAIN",), [(line,) for line in lines])


async def _analyzed(plan: Node, executor: Executor) -> list[str]:
    rows = await executor.rows(plan)
    async with aclosing(rows.batches):
        count = sum([len(batch) async for batch in rows.batches])
    account = executor.account
    notes = {node.name: _actual(node.model, account.models) for node in predicts(plan)}
    return [*explain(plan, notes), f"{count} rows in {account.seconds:.3f} s"]


def _actual(record: ModelRecord, accounts: Sequence[ModelAccount]) -> str:
    took = next((str(known) for known in accounts if known.record == record), "not asked")
    return f"actual: {took}"


async def columns_of(name: Name, state: State) -> list[tuple[str, str]]:
    """Names and MySQL types of the columns of a table, view or model. Raises TableUnknown."""
    table = exp.Table(
        this=exp.to_identifier(name.name, quoted=True),
        db=exp.to_identifier(name.database, quoted=True),
    )
    query, options = exp.select("*").from_(table), PredictionOptions()
    async with _bound(query, state, options, open_inputs=True) as work:
        if work.bound.models and not work.bound.views:
            return model_columns(next(iter(work.bound.models.values())))
        typed = _typed(await work.executor.described(await work.planner.query(work.query)))
        if work.bound.views:
            types = tuple(type_ for _, type_ in typed)
            await state.house.store.views.retype(work.bound.views[-1], types)
        return typed


@dataclass(frozen=True, slots=True)
class _Work:
    """One bound statement with all that is needed to go on with it."""

    bound: Bound
    executor: Executor
    planner: Planner
    pushes: bool

    async def read(self) -> Node:
        """The plan of the query that it is."""
        return await self._lowered(await self.planner.query(self.query))

    async def write(self, tree: exp.Expr) -> Write:
        """The plan of a statement that changes tables."""
        plan = await self._lowered(await self.planner.write(tree))
        assert isinstance(plan, Write)
        return plan

    async def _lowered(self, plan: Node) -> Node:
        if not self.bound.remotes:
            return plan
        # Two megabytes, with the dialects of sources, that a server without sources does not need.
        from proxy.plan.remote.lower import Lowering  # noqa: PLC0415

        return await Lowering(self.bound.remotes, self.executor, pushes=self.pushes).lower(plan)

    @property
    def query(self) -> exp.Query:
        assert isinstance(self.bound.tree, exp.Query)
        return self.bound.tree


@asynccontextmanager
async def _bound(
    tree: exp.Expr,
    state: State,
    options: PredictionOptions,
    *,
    describing: bool = False,
    open_inputs: bool = False,
) -> AsyncIterator[_Work]:
    """Bind a statement and make the relations that planning looks at. An error inside lets them
    go, and reads as the client knows its tables; what the planner warns of is kept at the end,
    unless inputs are open."""
    bound = state.binder(await state.reach(tree)).bind(tree, options.overrides)
    if not describing:
        await name_completions(bound, state.house.engines, state.house.store)
    if any(table.db for table in bound.tree.find_all(exp.Table)):
        state.transactions.require_sound()
    executor = state.executor(options, state.aside if describing else None)

    async def describe(query: exp.Query) -> tuple[str, ...]:
        return tuple(field.name for field in await executor.fields(query))

    planner = Planner(bound.models, describe, open_inputs=open_inputs)
    try:
        sight = state.sight()
        await executor.view(bound.files)
        await executor.open(
            [
                *[
                    await snapshot(t, name, sight.about(bound.tree, name, describing=describing))
                    for t, name in bound.snapshots.items()
                ],
                *(Snapshot(r.relation, r.fields, ()) for r in bound.remotes.values()),
            ]
        )
        yield _Work(bound, executor, planner, state.pushes)
    except BaseException as error:
        await executor.close(status_of(error))
        told = await _broken(error, bound, state) or _in_clients_words(error, bound, planner, state)
        if told is error:
            raise
        raise told from error
    for text in [] if open_inputs else planner.warnings:
        state.warnings.add("Warning", CODES[MissingInput].code, text)


async def _broken(error: BaseException, bound: Bound, state: State) -> ViewInvalid | None:
    """The error of the view that does not work by itself any more, if it is for that."""
    for view in bound.views if isinstance(error, _MISSING) else ():
        try:
            query = read_query(view.query, parse)
            await shape_of(query, replace(state, database=view.database))
        except ViewInvalid as cause:
            return cause
        except ERRORS as cause:
            if isinstance(cause, _MISSING):
                return invalid(view, cause)
    return None


def _in_clients_words(
    error: BaseException, bound: Bound, planner: Planner, state: State
) -> BaseException:
    """The error with the names that the client gave, where DuckDB has others or fewer."""
    if isinstance(error, TableUnknown):
        return _where_looked_for(error, bound, state)
    if isinstance(error, FunctionUnknown):
        return FunctionUnknown(f"{error}{_near_function(str(error), state)}")
    if isinstance(error, ColumnUnknown):
        return _near_column(error, bound)
    if isinstance(error, NotGrouped):
        text = str(error)
        for name, known in planner.names.items():
            text = text.replace(f"'{name}'", f"'{known}'")
        return NotGrouped(text)
    return error


def _near_function(text: str, state: State) -> str:
    """A model of that name, or else a function."""
    name = text.removeprefix("FUNCTION ").split()[0]
    if not text.startswith("FUNCTION ") or name in FUNCTIONS:
        return ""
    return did_you_mean(name, state.binder().model_names) or did_you_mean(name, FUNCTIONS)


def _near_column(error: ColumnUnknown, bound: Bound) -> ColumnUnknown:
    """DuckDB knows of a source's table what the statement reads alone."""
    name = str(error).split("'")[1] if "'" in str(error) else ""
    columns = [column.name for r in bound.remotes.values() for column in r.table.columns]
    hint = did_you_mean(name.split(".")[-1], columns) if str(error).endswith("list'") else ""
    return ColumnUnknown(f"{error}{hint}") if hint else error


def _where_looked_for(error: TableUnknown, bound: Bound, state: State) -> Exception:
    """DuckDB names a missing table alone; the client reads its database too, and what is near."""
    if isinstance(bound.tree, exp.Drop):
        return DropUnknown(f"Unknown table '{error.table}'")
    for table in bound.tree.find_all(exp.Table):
        if table.db and table.name.casefold() == (error.table or "").casefold():
            models = [m.name for m in state.house.store.models if m.project == table.db]
            ours = [*models, *state.house.store.views.names(table.db)]
            hint = near_table(table.name) or did_you_mean(table.name, [*ours, *error.near])
            return TableUnknown(f"Table '{table.db}.{table.name}' doesn't exist{hint}")
    return error
