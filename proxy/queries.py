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
from dataclasses import dataclass

from sqlglot import exp

from catalog.errors import DropUnknown, FunctionUnknown, NotGrouped, TableUnknown
from catalog.records import ModelRecord
from catalog.suggest import did_you_mean
from proxy.errors import CODES, MissingInput, Unsupported
from proxy.execute.columns import mysql_type_name
from proxy.execute.completions import name_completions
from proxy.execute.describe import text_rows
from proxy.execute.executor import Executor
from proxy.execute.schema_columns import model_columns
from proxy.information_schema import near_table, snapshot
from proxy.money.account import ModelAccount, status_of
from proxy.plan.binder import Bound
from proxy.plan.nodes import Node, Passthrough, explain, predicts
from proxy.plan.planner import Planner
from proxy.result import Column, Done, Rows
from proxy.sql.statements import Explain, Modify, Name, PredictionOptions, Query
from proxy.state import State


async def answer_query(statement: Query, state: State) -> Rows:
    """The rows of a SELECT, a UNION, a WITH."""
    async with _bound(statement.tree, state, statement.options) as work:
        plan = await work.planner.query(work.query)
        await work.executor.foresee(plan)
        return await work.executor.rows(plan)


async def keep_rows(
    statement: Query, relation: str, columns: Sequence[str], state: State
) -> tuple[ModelRecord, ...]:
    """Run a query into a temporary table with these of its columns, on the session's cursor, for
    the caller to drop. The models that it asks. What DuckDB refuses costs no call."""
    async with _bound(statement.tree, state, statement.options) as work:
        plan = await work.planner.write(_temporary(relation, columns, work.query))
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


async def answer_modify(statement: Modify, state: State) -> Done:
    """Change rows, or make and drop tables and views."""
    if isinstance(statement.tree, exp.Insert | exp.Update | exp.Delete):
        await state.transactions.before_change()
    else:
        await state.transactions.before_definition()
    async with _bound(statement.tree, state, statement.options) as work:
        if statement.tree.args.get("kind") == "VIEW" and (
            work.bound.models or work.bound.snapshots
        ):
            raise Unsupported("A view over a model or information_schema is not supported yet")
        async with _numbered(work.bound, state):
            plan = await work.planner.write(work.bound.tree)
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
        plan = await work.planner.query(work.query)
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
    async with _bound(exp.select("*").from_(table), state, PredictionOptions()) as work:
        if work.bound.models:
            return model_columns(next(iter(work.bound.models.values())))
        fields = await work.executor.fields(work.query)
        await work.executor.close()
    return [(field.name, mysql_type_name(field.type)) for field in fields]


@dataclass(frozen=True, slots=True)
class _Work:
    """One bound statement with all that is needed to go on with it."""

    bound: Bound
    executor: Executor
    planner: Planner

    @property
    def query(self) -> exp.Query:
        assert isinstance(self.bound.tree, exp.Query)
        return self.bound.tree


@asynccontextmanager
async def _bound(
    tree: exp.Expr, state: State, options: PredictionOptions, *, describing: bool = False
) -> AsyncIterator[_Work]:
    """Bind a statement and make the relations that planning looks at. An error inside lets them
    go, and reads as the client knows its tables; what the planner warns of is kept at the end."""
    bound = state.binder().bind(tree, options.overrides)
    if not describing:
        await name_completions(bound, state.house.engines, state.house.store)
    if any(table.db for table in bound.tree.find_all(exp.Table)):
        state.transactions.require_sound()
    executor = state.executor(options, state.aside if describing else None)

    async def describe(query: exp.Query) -> tuple[str, ...]:
        return tuple(field.name for field in await executor.fields(query))

    planner = Planner(bound.models, describe)
    try:
        sight = state.sight()
        await executor.open([await snapshot(t, name, sight) for t, name in bound.snapshots.items()])
        yield _Work(bound, executor, planner)
    except BaseException as error:
        await executor.close(status_of(error))
        told = _in_clients_words(error, bound, planner, state)
        if told is error:
            raise
        raise told from error
    for text in planner.warnings:
        state.warnings.add("Warning", CODES[MissingInput].code, text)


def _in_clients_words(
    error: BaseException, bound: Bound, planner: Planner, state: State
) -> BaseException:
    """The error with the names that the client gave, where DuckDB has others or fewer."""
    if isinstance(error, TableUnknown):
        return _where_looked_for(error, bound, state)
    if isinstance(error, FunctionUnknown):
        name = str(error).split()[1]
        return FunctionUnknown(f"{error}{did_you_mean(name, state.binder().model_names)}")
    if isinstance(error, NotGrouped):
        text = str(error)
        for name, known in planner.names.items():
            text = text.replace(f"'{name}'", f"'{known}'")
        return NotGrouped(text)
    return error


def _where_looked_for(error: TableUnknown, bound: Bound, state: State) -> Exception:
    """DuckDB names a missing table alone; the client reads its database too, and what is near."""
    if isinstance(bound.tree, exp.Drop):
        return DropUnknown(f"Unknown table '{error.table}'")
    for table in bound.tree.find_all(exp.Table):
        if table.db and table.name.casefold() == (error.table or "").casefold():
            models = [m.name for m in state.house.store.models if m.project == table.db]
            hint = near_table(table.name) or did_you_mean(table.name, [*models, *error.near])
            return TableUnknown(f"Table '{table.db}.{table.name}' doesn't exist{hint}")
    return error
