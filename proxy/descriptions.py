"""DESCRIBE model.attribute: a function for each attribute that a version of a model has.

What a table is made of stands in shows.py.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from catalog.records import ModelRecord
from proxy.errors import UnknownColumn
from proxy.execute.describe import args_of_model, examples_of_model, metadata_of_model
from proxy.execute.model_card import describe_card
from proxy.execute.show import select_of
from proxy.queries import answer_query
from proxy.result import Rows
from proxy.sql.statements import Query, Show
from proxy.state import State

Describe = Callable[[ModelRecord, State], Awaitable[Rows]]


async def describe_attribute(model: ModelRecord, attribute: str, state: State) -> Rows:
    """What an attribute says. Raises UnknownColumn for one that is not there."""
    describe = ATTRIBUTES.get(attribute.lower())
    if describe is None:
        raise UnknownColumn(
            f"Model '{model.name}' has no attribute '{attribute}': "
            f"there are {', '.join(ATTRIBUTES)}"
        )
    return await describe(model, state)


async def describe_version(model: ModelRecord, state: State) -> Rows:
    """The row of information_schema.MODELS_VERSIONS."""
    return await _selected("VERSION", model, state)


async def _args(model: ModelRecord, state: State) -> Rows:
    return args_of_model(model, state.house.store.engine(model.engine))


async def _metadata(model: ModelRecord, state: State) -> Rows:
    engine = state.house.store.engine(model.engine)
    return metadata_of_model(model, engine, state.house.engines.handler_of(engine))


async def _examples(model: ModelRecord, _: State) -> Rows:
    return examples_of_model(model)


async def _model_card(model: ModelRecord, state: State) -> Rows:
    return await describe_card(model, state.house.cards, state.warnings)


async def _versions(model: ModelRecord, state: State) -> Rows:
    return await _selected("VERSIONS", model, state)


async def _usage(model: ModelRecord, state: State) -> Rows:
    """The sums of all versions by day (UTC), the newest first."""
    return await _selected("USAGE", model, state)


async def _selected(kind: str, model: ModelRecord, state: State) -> Rows:
    select = select_of(Show(kind), model.project, model.name, model.version)
    return await answer_query(Query(select), state)


ATTRIBUTES: Mapping[str, Describe] = MappingProxyType(
    {
        "args": _args,
        "metadata": _metadata,
        "versions": _versions,
        "usage": _usage,
        "examples": _examples,
        "model_card": _model_card,
    }
)
