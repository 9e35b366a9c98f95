"""How each kind of statement is answered: the one switch over kinds above the parser.

Queries and SHOW have modules of their own; what is short stands here.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlglot import exp

from catalog.errors import BudgetUnknown
from proxy.errors import CODES, Unsupported
from proxy.money.definitions import create_budget, drop_budget, drop_cache
from proxy.queries import answer_explain, answer_modify, answer_query
from proxy.result import Done, FieldType, Result
from proxy.shows import answer_describe, answer_show
from proxy.sql import statements as s
from proxy.state import State
from proxy.variables import Value


async def answer(statement: s.Statement, state: State) -> Result:
    """Answer a statement. Raises what proxy/errors.py has codes for; may be cancelled."""
    return await _ANSWERS[type(statement)](statement, state)


async def _set(statement: s.SetVariables, state: State) -> Done:
    for item in statement.assignments:
        if item.value is None:
            state.variables.default(item.name, item.scope)
        elif item.scope == "USER":
            state.variables.user[item.name] = await _value(item.value, state)
        else:
            state.variables.set(item.name, await _value(item.value, state), item.scope)
        if item.name == "autocommit" and item.scope == "SESSION":
            await state.transactions.set_autocommit(bool(state.variables.number("autocommit")))
    return Done()


_INTEGERS = (FieldType.TINY, FieldType.SHORT, FieldType.LONG, FieldType.LONGLONG)


async def _value(expression: exp.Expr, state: State) -> Value:
    """The value of an expression on the right of SET; a bare word means itself."""
    read = _WRITTEN.get(type(expression))
    if read is not None:
        return read(expression)
    rows = await answer_query(s.Query(exp.select(exp.alias_(expression, "v"))), state)
    found = [row async for batch in rows.batches for row in batch]
    value = found[0][0] if found else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return int(value) if value is not None and rows.columns[0].type in _INTEGERS else value


def _literal(expression: exp.Expr) -> Value:
    return int(expression.name) if expression.is_int else expression.name


_WRITTEN: dict[type[exp.Expr], Callable[[exp.Expr], Value]] = {
    exp.Literal: _literal,
    exp.Boolean: lambda expression: int(bool(expression.this)),
    **dict.fromkeys((exp.Column, exp.Var, exp.Identifier), lambda expression: expression.name),
}


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
            read_only = statement.read_only or state.variables.number("transaction_read_only")
            await state.transactions.begin(read_only=bool(read_only))
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
    if state.database is not None and state.database.casefold() == statement.name.casefold():
        state.database = None
    return _noted(note, 1008, state)


async def _drop_cache(statement: s.DropCache, state: State) -> Done:
    model, house = statement.model, state.house
    project = None if model is None else state.binder().database(model.database)
    name = None if model is None else model.name
    return Done(await drop_cache(project, name, house.store, house.answers))


async def _create_budget(statement: s.CreateBudget, state: State) -> Done:
    model = statement.model
    project = None if model is None else state.binder().database(model.database)
    return _noted(await create_budget(statement, project, state.house.store), 1050, state)


async def _drop_budget(statement: s.DropBudget, state: State) -> Done:
    note = await drop_budget(statement, state.house.store)
    return _noted(note, CODES[BudgetUnknown].code, state)


def _noted(note: str | None, code: int, state: State) -> Done:
    if note is not None:
        state.warnings.add("Note", code, note)
    return Done()


_ANSWERS: dict[type[Any], Callable[[Any, State], Awaitable[Result]]] = {
    s.Query: answer_query,
    s.Modify: answer_modify,
    s.Explain: answer_explain,
    s.Show: answer_show,
    s.Describe: answer_describe,
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
    s.DropCache: _drop_cache,
    s.CreateBudget: _create_budget,
    s.DropBudget: _drop_budget,
}
