"""AI_COMPLETE over an engine whose model is not named: the endpoint is asked what it serves.

It asks for a list, never for an answer.
"""

from catalog.store import Store
from engines.base import Listing
from proxy.execute.engine_pool import EnginePool
from proxy.plan.binder import Bound
from proxy.plan.calls.completion import needs_name, only_one


async def name_completions(bound: Bound, engines: EnginePool, store: Store) -> None:
    """Name the models of a statement that have no name at their endpoint yet, in place.

    Raises OptionError where it is not clear which is meant, EngineError; may be cancelled."""
    for key, record in bound.models.items():
        if needs_name(record):
            engine = engines.engine(store.engine(record.engine))
            served = await engine.model_names() if isinstance(engine, Listing) else None
            bound.models[key] = only_one(record, served)
