"""Models as one statement wants them: what it says of their options holds for it alone.

It makes other records of the statement's models and keeps nothing; what an option may be, CREATE
MODEL's own check says.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from catalog.records import ModelRecord
from catalog.store import Store
from engines.errors import OptionError
from engines.model import MODEL_OPTIONS, options_of
from engines.options import did_you_mean
from engines.registry import find_handler
from engines.task import Value
from proxy.plan.derived import derived
from proxy.plan.scope import Expr
from proxy.sql.prediction_options import STATEMENT_OPTIONS
from proxy.sql.statements import Override

_FIXED = frozenset(
    {
        *("engine", "mode", "user_column", "assistant_column", "json_struct"),
        *("prompt_price", "completion_price", "cache_max_answers", "skip_validation"),
    }
)
"""What would make another model of it, or change what others see of it: its price, its cache."""


def override(
    tree: Expr, models: dict[str, ModelRecord], given: Sequence[Override], store: Store
) -> None:
    """Put the models as the statement wants them into `models`, by the keys in its tables' meta.

    Raises OptionError: of an unknown or fixed option, a wrong value, or where there is no model
    that it could be about. Raises EngineUnknown and HandlerUnknown.
    """
    if not given:
        return
    if not models:
        raise _no_model(given[0].name)
    tables = [table for table in tree.find_all(exp.Table) if table.meta.get("model")]
    _refuse_ownerless(given, models, tables)
    plain = dict(models)
    for number, table in enumerate(tables):
        key = table.meta["model"]
        names = (plain[key].name, table.alias_or_name)
        table.meta["model"] = f"{key} {number}"
        models[table.meta["model"]] = _overridden(plain[key], _meant_for(names, given), store)
    for key, model in plain.items():
        models[key] = _overridden(model, _meant_for((model.name,), given), store)


def _no_model(name: str) -> OptionError:
    """Either a word for statements is misspelt, or it is meant for a model."""
    if name in {option.name for option in MODEL_OPTIONS}:
        return OptionError(f"option '{name}' is one of a model, and the statement asks none")
    names = [option.name for option in STATEMENT_OPTIONS]
    return OptionError(f"unknown option '{name}' of the statement{did_you_mean(name, names)}")


def _refuse_ownerless(
    given: Sequence[Override], models: Mapping[str, ModelRecord], tables: Sequence[exp.Table]
) -> None:
    names = [*(model.name for model in models.values()), *(t.alias_or_name for t in tables)]
    known = {name.casefold() for name in names}
    for option in given:
        if option.model is not None and option.model.casefold() not in known:
            raise OptionError(
                f"option '{option.model}.{option.name}' is of no model of the statement"
                f"{did_you_mean(option.model, names)}"
            )


def _meant_for(names: Sequence[str], given: Sequence[Override]) -> dict[str, Value]:
    """The options for a model of these names; what names it stands over what is for all."""
    known = {name.casefold() for name in names}
    common = {o.name: o.value for o in given if o.model is None}
    own = {o.name: o.value for o in given if o.model and o.model.casefold() in known}
    return {**common, **own}


def _overridden(model: ModelRecord, given: Mapping[str, Value], store: Store) -> ModelRecord:
    if not given:
        return model
    handler = find_handler(store.engine(model.engine).handler)
    known = {option.name for option in options_of(handler)} - _FIXED
    for name in given:
        _refuse(name, model, known)
    return derived(model, given, handler)


def _refuse(name: str, model: ModelRecord, known: set[str]) -> None:
    if name in _FIXED:
        raise OptionError(
            f"option '{name}' of model {model.name} cannot be changed for one statement"
        )
    if name not in known:
        names = known | {option.name for option in STATEMENT_OPTIONS}
        raise OptionError(f"unknown option '{name}' of the statement{did_you_mean(name, names)}")
