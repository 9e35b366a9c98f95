"""How each kind of statement is answered: the one switch over kinds above the parser.

Queries and SHOW have modules of their own; what is short stands here.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlglot import exp

from catalog.errors import AlreadyExists, BudgetUnknown, DropUnknown, JobUnknown
from proxy import sources
from proxy.errors import CODES, Unsupported
from proxy.evaluate import answer_evaluate
from proxy.jobs.definitions import Maker, alter_job, create_job, drop_job
from proxy.models import (
    activate_version,
    change_model,
    create_model,
    drop_model,
    find_version,
    rename_model,
    retrain_model,
)
from proxy.money.definitions import create_budget, drop_budget, drop_cache
from proxy.plan.remote.local import is_local, require_writer
from proxy.plan.remote.tables import source_name
from proxy.queries import answer_explain, answer_modify, answer_query
from proxy.result import Done, FieldType, Result
from proxy.shows import (
    answer_describe,
    answer_describe_model,
    answer_show,
    answer_show_create_model,
)
from proxy.sql import statements as s
from proxy.state import State
from proxy.tuning.finetune import fine_tune
from proxy.variables import Value
from proxy.views import alter_view, create_view, drop_view
from proxy.warnings import INFORMATION
from proxy.writing.change import changed_table


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


async def _modify(statement: s.Modify, state: State) -> Done:
    """What changes tables, where these are."""
    table = changed_table(statement.tree)
    name = source_name(table, state.is_source, state.database) if table is not None else None
    record = state.house.sources.find(name.source) if name is not None else None
    if name is None or record is None or is_local(record):
        return await answer_modify(statement, state)
    require_writer(record)
    # Most servers have no sources, and no need of what it takes to write into them.
    from proxy.writing.write import answer_write  # noqa: PLC0415

    return await answer_write(statement, record, name, state)


async def _load(statement: s.LoadData, state: State) -> Result:
    # Few clients send files: the room is opened by the first.
    from proxy.load.load import answer_load  # noqa: PLC0415

    return await answer_load(statement, state)


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
    state.house.workshop.require_unused(statement.name)
    return _noted(await state.definitions().drop_engine(statement), 1286, state)


async def _create_model(statement: s.CreateModel, state: State) -> Done:
    return _noted(await create_model(statement, state), 1050, state)


async def _drop_model(statement: s.DropModel, state: State) -> Done:
    note = await drop_model(statement, state)
    await state.house.workshop.let_go()
    return _noted(note, 1051, state)


async def _retrain_model(statement: s.RetrainModel, state: State) -> Done:
    await retrain_model(statement, state)
    return Done()


async def _change_model(statement: s.ChangeModel, state: State) -> Done:
    await change_model(statement, state)
    return Done()


async def _activate_version(statement: s.ActivateVersion, state: State) -> Done:
    await activate_version(statement, state)
    return Done()


async def _rename_model(statement: s.RenameModel, state: State) -> Done:
    await rename_model(statement, state)
    return Done()


async def _create_database(statement: s.CreateDatabase, state: State) -> Done:
    _noted(await sources.create_project(statement, state), 1007, state)
    return Done(affected_rows=1)


async def _drop_database(statement: s.DropDatabase, state: State) -> Done:
    if state.is_source(statement.name):
        return await _drop_source(s.DropSource(statement.name, statement.if_exists), state)
    note = await state.definitions().drop_database(statement)
    await state.house.workshop.let_go()
    if state.database is not None and state.database.casefold() == statement.name.casefold():
        state.database = None
    return _noted(note, 1008, state)


async def _create_source(statement: s.CreateSource, state: State) -> Done:
    _noted(await sources.create_source(statement, state), 1007, state)
    return Done(affected_rows=1)


async def _alter_source(statement: s.AlterSource, state: State) -> Done:
    await sources.alter_source(statement, state)
    return Done()


async def _drop_source(statement: s.DropSource, state: State) -> Done:
    note = await sources.drop_source(statement.name, state, if_exists=statement.if_exists)
    if state.database is not None and state.database.casefold() == statement.name.casefold():
        state.database = None
    return _noted(note, 1008, state)


async def _refresh_source(statement: s.RefreshSource, state: State) -> Done:
    sources.refresh_source(statement, state)
    return Done()


async def _execute_native(statement: s.ExecuteNative, state: State) -> Done:
    await sources.execute_native(statement, state)
    return Done()


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


async def _create_job(statement: s.CreateJob, state: State) -> Done:
    project = state.binder().database(statement.name.database)
    maker, house = Maker(state.client.user, state.database or project), state.house
    note = await create_job(statement, project, maker, house.jobs, house.projects)
    return _noted(note, 1050, state)


async def _alter_job(statement: s.AlterJob, state: State) -> Done:
    project = state.binder().database(statement.name.database)
    await alter_job(statement, project, state.house.jobs)
    return Done()


async def _drop_job(statement: s.DropJob, state: State) -> Done:
    project = state.binder().database(statement.name.database)
    note = await drop_job(statement, project, state.house.jobs)
    return _noted(note, CODES[JobUnknown].code, state)


async def _fine_tune(statement: s.FineTune, state: State) -> Done:
    model = find_version(statement.name, state)
    return _noted(await fine_tune(statement, model, state), INFORMATION, state)


async def _cancel_fine_tune(statement: s.CancelFineTune, state: State) -> Done:
    await state.house.workshop.cancel(find_version(statement.name, state))
    return Done()


async def _create_view(statement: s.CreateView, state: State) -> Done:
    return _noted(await create_view(statement, state), CODES[AlreadyExists].code, state)


async def _alter_view(statement: s.AlterView, state: State) -> Done:
    await alter_view(statement, state)
    return Done()


async def _drop_view(statement: s.DropView, state: State) -> Done:
    for note in await drop_view(statement, state):
        _noted(note, CODES[DropUnknown].code, state)
    return Done()


def _noted(note: str | None, code: int, state: State) -> Done:
    if note is not None:
        state.warnings.add("Note", code, note)
    return Done()


_ANSWERS: dict[type[Any], Callable[[Any, State], Awaitable[Result]]] = {
    s.Query: answer_query,
    s.Modify: _modify,
    s.Explain: answer_explain,
    s.Evaluate: answer_evaluate,
    s.Show: answer_show,
    s.ShowCreateModel: answer_show_create_model,
    s.Describe: answer_describe,
    s.DescribeModel: answer_describe_model,
    s.SetVariables: _set,
    s.Use: _use,
    s.Kill: _kill,
    s.Transaction: _transaction,
    s.CreateEngine: _create_engine,
    s.DropEngine: _drop_engine,
    s.CreateModel: _create_model,
    s.DropModel: _drop_model,
    s.RetrainModel: _retrain_model,
    s.ChangeModel: _change_model,
    s.ActivateVersion: _activate_version,
    s.RenameModel: _rename_model,
    s.CreateDatabase: _create_database,
    s.DropDatabase: _drop_database,
    s.CreateSource: _create_source,
    s.AlterSource: _alter_source,
    s.DropSource: _drop_source,
    s.RefreshSource: _refresh_source,
    s.ExecuteNative: _execute_native,
    s.DropCache: _drop_cache,
    s.CreateBudget: _create_budget,
    s.DropBudget: _drop_budget,
    s.CreateJob: _create_job,
    s.AlterJob: _alter_job,
    s.DropJob: _drop_job,
    s.FineTune: _fine_tune,
    s.CancelFineTune: _cancel_fine_tune,
    s.LoadData: _load,
    s.CreateView: _create_view,
    s.AlterView: _alter_view,
    s.DropView: _drop_view,
}
