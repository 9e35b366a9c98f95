"""How each kind of statement is answered: bind, plan, execute, one function per kind.

The switch over kinds stands here and nowhere else above the parser.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlglot import exp

from catalog.errors import DropUnknown, TableUnknown
from catalog.suggest import did_you_mean
from proxy.errors import MissingInput, Unsupported, code_of
from proxy.execute.columns import mysql_type_name
from proxy.execute.describe import (
    describe_model,
    show_create_model,
    show_create_table,
    text_rows,
)
from proxy.execute.executor import Executor
from proxy.execute.show import select_of
from proxy.information_schema import snapshot
from proxy.plan.binder import Bound
from proxy.plan.nodes import explain
from proxy.plan.planner import Planner
from proxy.result import Done, Result, Rows
from proxy.sql import statements as s
from proxy.state import State
from proxy.variables import Value


async def answer(statement: s.Statement, state: State) -> Result:
    """Answer a statement. Raises what proxy/errors.py has codes for; may be cancelled."""
    return await _ANSWERS[type(statement)](statement, state)


async def _query(statement: s.Query, state: State) -> Rows:
    bound = state.binder().bind(statement.tree)
    executor = state.executor()
    try:
        planner = await _planner(bound, executor, state)
        assert isinstance(bound.tree, exp.Query)
        rows = await executor.rows(await planner.query(bound.tree))
    except BaseException as error:
        await executor.close()
        raise _named(error, bound, state) from error
    _warn_of_plan(planner, state)
    return rows


async def _modify(statement: s.Modify, state: State) -> Done:
    if isinstance(statement.tree, exp.Insert | exp.Update | exp.Delete):
        await state.transactions.before_change()
    else:
        await state.transactions.before_definition()
    bound = state.binder().bind(statement.tree)
    if statement.tree.args.get("kind") == "VIEW" and (bound.models or bound.snapshots):
        raise Unsupported("A view over a model or information_schema is not supported yet")
    executor = state.executor()
    try:
        planner = await _planner(bound, executor, state)
        done = await executor.write(await planner.write(bound.tree))
    except BaseException as error:
        await executor.close()
        raise _named(error, bound, state) from error
    _warn_of_plan(planner, state)
    return done


async def _explain(statement: s.Explain, state: State) -> Rows:
    bound = state.binder().bind(statement.statement.tree)
    executor = state.executor()
    try:
        planner = await _planner(bound, executor, state)
        assert isinstance(bound.tree, exp.Query)
        lines = explain(await planner.query(bound.tree))
    except BaseException as error:
        raise _named(error, bound, state) from error
    finally:
        await executor.close()
    return text_rows(("EXPLAIN",), [(line,) for line in lines])


async def _planner(bound: Bound, executor: Executor, state: State) -> Planner:
    """A planner for the bound statement, with the relations that it may look at in place."""
    sight = state.sight()
    await executor.open([await snapshot(t, name, sight) for t, name in bound.snapshots.items()])

    async def describe(query: exp.Query) -> tuple[str, ...]:
        return tuple(field.name for field in await executor.fields(query))

    return Planner(bound.models, describe)


def _warn_of_plan(planner: Planner, state: State) -> None:
    for text in planner.warnings:
        state.warnings.add("Warning", code_of(MissingInput()).code, text)


def _named(error: BaseException, bound: Bound, state: State) -> BaseException:
    """DuckDB names a missing table alone; the client reads its database too, and what is near."""
    if not isinstance(error, TableUnknown) or error.table is None:
        return error
    if isinstance(bound.tree, exp.Drop):
        return DropUnknown(f"Unknown table '{error.table}'")
    for table in bound.tree.find_all(exp.Table):
        if table.db and table.name.casefold() == error.table.casefold():
            models = [m.name for m in state.house.store.models if m.project == table.db]
            hint = did_you_mean(table.name, [*models, *error.near])
            return TableUnknown(f"Table '{table.db}.{table.name}' doesn't exist{hint}")
    return error


async def _show(statement: s.Show, state: State) -> Result:
    if statement.kind.startswith("CREATE "):
        return await _show_create(statement, state)
    database = table = None
    if statement.source is not None and statement.kind == "COLUMNS":
        database = state.binder().database(statement.source.database)
        table = statement.source.name
        await _columns(s.Name(table, database), state)
    elif statement.kind in ("TABLES", "MODELS"):
        wanted = statement.source.name if statement.source else None
        database = state.binder().database(wanted)
    return await _query(s.Query(select_of(statement, database, table)), state)


async def _show_create(statement: s.Show, state: State) -> Rows:
    assert statement.source is not None
    name, database = statement.source.name, statement.source.database
    if statement.kind == "CREATE DATABASE":
        made = state.house.projects.resolve(name)
        text = f"CREATE DATABASE `{made}` /*!40100 DEFAULT CHARACTER SET utf8mb4 */"
        return text_rows(("Database", "Create Database"), [(made, text)])
    database = state.binder().database(database)
    model = state.house.store.find_model(database, name)
    if model is not None:
        text = show_create_model(model)
    else:
        columns = await _columns(s.Name(name, database), state)
        text = show_create_table(name, columns)
    return text_rows(("Table", "Create Table"), [(name, text)])


async def _columns(name: s.Name, state: State) -> list[tuple[str, str]]:
    """Names and MySQL types of a table's columns. Raises TableUnknown."""
    table = exp.Table(
        this=exp.to_identifier(name.name, quoted=True),
        db=exp.to_identifier(name.database, quoted=True),
    )
    bound = state.binder().bind(exp.select("*").from_(table))
    if bound.models:
        model = next(iter(bound.models.values()))
        return [(column, "text") for column in (*model.inputs, model.target)]
    executor = state.executor()
    try:
        await _planner(bound, executor, state)
        assert isinstance(bound.tree, exp.Query)
        fields = await executor.fields(bound.tree)
    except TableUnknown as error:
        raise _named(error, bound, state) from error
    finally:
        await executor.close()
    return [(field.name, mysql_type_name(field.type)) for field in fields]


async def _describe(statement: s.Describe, state: State) -> Result:
    *owner, attribute = statement.parts
    if owner:
        database = state.binder().database(owner[0] if len(owner) == 2 else None)
        model = state.house.store.find_model(database, owner[-1])
        if model is not None:
            engine = state.house.store.engine(model.engine)
            handler = state.house.engines.handler_of(engine)
            return describe_model(model, engine, handler, attribute)
    if len(statement.parts) > 2:
        raise TableUnknown(f"Model '{'.'.join(owner)}' doesn't exist")
    name = s.Name(attribute, owner[0] if owner else None)
    return await _show(s.Show("COLUMNS", source=name, like=statement.like), state)


async def _set(statement: s.SetVariables, state: State) -> Done:
    for item in statement.assignments:
        if item.value is None:
            state.variables.default(item.name, item.scope)
            continue
        value = await _value(item.value, state)
        if item.scope == "USER":
            state.variables.user[item.name] = value
            continue
        state.variables.set(item.name, value, item.scope)
        if item.name == "autocommit" and item.scope == "SESSION":
            await state.transactions.set_autocommit(bool(state.variables.number("autocommit")))
    return Done()


async def _value(expression: exp.Expr, state: State) -> Value:
    """The value of an expression on the right of SET; a bare word means itself."""
    if isinstance(expression, exp.Column) and not expression.table:
        return expression.name
    if isinstance(expression, exp.Var | exp.Identifier):
        return expression.name
    if isinstance(expression, exp.Boolean):
        return int(bool(expression.this))
    if isinstance(expression, exp.Literal) and expression.is_string:
        return expression.name
    rows = await _query(s.Query(exp.select(exp.alias_(expression, "v"))), state)
    found = [row async for batch in rows.batches for row in batch]
    value = found[0][0] if found else None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


async def _use(statement: s.Use, state: State) -> Done:
    state.use(statement.database)
    return Done()


async def _kill(statement: s.Kill, state: State) -> Done:
    state.house.processes.kill(
        statement.connection_id, query_only=statement.query_only, by=state.client.user
    )
    return Done()


async def _transaction(statement: s.Transaction, state: State) -> Done:
    match statement.action:
        case "BEGIN":
            await state.transactions.begin()
        case "COMMIT":
            await state.transactions.commit()
        case "ROLLBACK":
            await state.transactions.rollback()
        case action:
            raise Unsupported(f"{action} is not supported")
    return Done()


async def _create_engine(statement: s.CreateEngine, state: State) -> Done:
    return _noted(await state.definitions().create_engine(statement), 1050, state)


async def _drop_engine(statement: s.DropEngine, state: State) -> Done:
    return _noted(await state.definitions().drop_engine(statement), 1286, state)


async def _create_model(statement: s.CreateModel, state: State) -> Done:
    project = state.binder().database(statement.name.database)
    return _noted(await state.definitions().create_model(statement, project), 1050, state)


async def _drop_model(statement: s.DropModel, state: State) -> Done:
    project = state.binder().database(statement.name.database)
    return _noted(await state.definitions().drop_model(statement, project), 1051, state)


async def _create_database(statement: s.CreateDatabase, state: State) -> Done:
    _noted(await state.definitions().create_database(statement), 1007, state)
    return Done(affected_rows=1)


async def _drop_database(statement: s.DropDatabase, state: State) -> Done:
    note = await state.definitions().drop_database(statement)
    if state.database is not None and state.database not in state.house.projects.names:
        state.database = None
    return _noted(note, 1008, state)


def _noted(note: str | None, code: int, state: State) -> Done:
    if note is not None:
        state.warnings.add("Note", code, note)
    return Done()


_ANSWERS: dict[type[Any], Callable[[Any, State], Awaitable[Result]]] = {
    s.Query: _query,
    s.Modify: _modify,
    s.Explain: _explain,
    s.Show: _show,
    s.Describe: _describe,
    s.SetVariables: _set,
    s.Use: _use,
    s.Kill: _kill,
    s.Transaction: _transaction,
    s.CreateEngine: _create_engine,
    s.DropEngine: _drop_engine,
    s.CreateModel: _create_model,
    s.DropModel: _drop_model,
    s.CreateDatabase: _create_database,
    s.DropDatabase: _drop_database,
}
