"""Statements over tables and models: bound, planned, executed.

What a statement is, the parser has said; what it may name, the binder says.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from sqlglot import exp

from catalog.errors import DropUnknown, NotGrouped, TableUnknown
from catalog.suggest import did_you_mean
from proxy.errors import CODES, MissingInput, Unsupported
from proxy.execute.columns import mysql_type_name
from proxy.execute.describe import text_rows
from proxy.execute.executor import Executor
from proxy.information_schema import snapshot
from proxy.money.account import status_of
from proxy.plan.binder import Bound
from proxy.plan.nodes import Node, explain, predicts
from proxy.plan.planner import Planner
from proxy.result import Done, Rows
from proxy.sql.statements import Explain, Modify, Name, PredictionOptions, Query
from proxy.state import State


async def answer_query(statement: Query, state: State) -> Rows:
    """The rows of a SELECT, a UNION, a WITH."""
    async with _bound(statement.tree, state, statement.options) as work:
        plan = await work.planner.query(work.query)
        await work.executor.foresee(plan)
        return await work.executor.rows(plan)


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
        plan = await work.planner.write(work.bound.tree)
        await work.executor.foresee(plan)
        return await work.executor.write(plan)


async def answer_explain(statement: Explain, state: State) -> Rows:
    """The plan of a query, one line per node, and what its predictions would take; with ANALYZE
    what they took. Without it no model is asked."""
    async with _bound(statement.statement.tree, state, statement.options) as work:
        plan = await work.planner.query(work.query)
        if statement.analyze:
            lines = await _analyzed(plan, work.executor)
        else:
            lines = explain(plan, await work.executor.estimates(plan))
            await work.executor.close()
    return text_rows(("EXPLAIN",), [(line,) for line in lines])


async def _analyzed(plan: Node, executor: Executor) -> list[str]:
    rows = await executor.rows(plan)
    async with aclosing(rows.batches):
        count = sum([len(batch) async for batch in rows.batches])
    account = executor.account
    took = {
        f"{model.record.project}.{model.record.name}": f"actual: {model}"
        for model in account.models
    }
    notes = {
        node.name: took.get(f"{node.model.project}.{node.model.name}", "actual: not asked")
        for node in predicts(plan)
    }
    return [*explain(plan, notes), f"{count} rows in {account.seconds:.3f} s"]


async def columns_of(name: Name, state: State) -> list[tuple[str, str]]:
    """Names and MySQL types of the columns of a table, view or model. Raises TableUnknown."""
    table = exp.Table(
        this=exp.to_identifier(name.name, quoted=True),
        db=exp.to_identifier(name.database, quoted=True),
    )
    async with _bound(exp.select("*").from_(table), state, PredictionOptions()) as work:
        if work.bound.models:
            model = next(iter(work.bound.models.values()))
            return [(column, "text") for column in (*model.inputs, model.target)]
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
async def _bound(tree: exp.Expr, state: State, options: PredictionOptions) -> AsyncIterator[_Work]:
    """Bind a statement and make the relations that planning looks at. An error inside lets them
    go, and reads as the client knows its tables; what the planner warns of is kept at the end."""
    bound = state.binder().bind(tree)
    if any(table.db for table in bound.tree.find_all(exp.Table)):
        state.transactions.require_sound()
    executor = state.executor(options)

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
            hint = did_you_mean(table.name, [*models, *error.near])
            return TableUnknown(f"Table '{table.db}.{table.name}' doesn't exist{hint}")
    return error
