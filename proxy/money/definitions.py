"""CREATE and DROP of budgets, and DROP CACHE: what they name is looked up here.

What a budget then stops is budgets.py; what an answer is, the catalog knows.
"""

from datetime import UTC, datetime

from catalog.answers import AnswerStore
from catalog.errors import AlreadyExists, BudgetUnknown
from catalog.records import BudgetRecord
from catalog.store import Store
from catalog.suggest import did_you_mean
from proxy.errors import UserUnknown
from proxy.sql.statements import CreateBudget, DropBudget


async def create_budget(statement: CreateBudget, project: str | None, store: Store) -> str | None:
    """Keep a new budget; `project` is that of its model. The text of a note, or None.

    Raises AlreadyExists, UserUnknown, TableUnknown, EngineUnknown: a budget for somebody who is
    not there would stop nobody.
    """
    model = engine = None
    if statement.user is not None:
        _find_user(statement.user, store)
    if statement.model is not None and project is not None:
        found = store.model(project, statement.model.name)
        model = f"{found.project}.{found.name}"
    if statement.engine is not None:
        engine = store.engine(statement.engine).name
    record = BudgetRecord(
        name=statement.name,
        user=statement.user,
        model=model,
        engine=engine,
        max_calls=statement.max_calls,
        max_tokens=statement.max_tokens,
        max_cost=statement.max_cost,
        created_at=datetime.now(UTC).replace(tzinfo=None),
    )
    try:
        await store.add_budget(record)
    except AlreadyExists as error:
        if statement.if_not_exists:
            return str(error)
        raise
    return None


async def drop_budget(statement: DropBudget, store: Store) -> str | None:
    """Forget a budget. The text of a note, or None. Raises BudgetUnknown."""
    try:
        await store.drop_budget(statement.name)
    except BudgetUnknown as error:
        if statement.if_exists:
            return str(error)
        raise
    return None


async def drop_cache(
    project: str | None, model: str | None, store: Store, answers: AnswerStore
) -> int:
    """Forget the stored answers of a model, or all where none is named. How many they were.

    A model that is gone may have left answers. Raises TableUnknown where neither is there.
    """
    if project is None or model is None:
        return await answers.drop(None)
    dropped = await answers.drop(f"{project}.{model}".casefold())
    if not dropped:
        store.model(project, model)
    return dropped


def _find_user(name: str, store: Store) -> None:
    if store.user(name) is None:
        hint = did_you_mean(name, [user.name for user in store.users])
        raise UserUnknown(f"Unknown user '{name}'{hint}")
