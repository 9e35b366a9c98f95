"""The live engines: one for each ML engine of the catalog, opened at first use.

It connects what the catalog remembers with what engines/ can do; it makes no calls of its own.
"""

from dataclasses import dataclass
from datetime import datetime

from catalog.records import EngineRecord, ModelRecord
from catalog.store import Store
from engines.base import Engine, Environment, Handler
from engines.model import compile_model
from engines.registry import find_handler, open_engine
from engines.task import ModelSpec, Target


@dataclass(frozen=True, slots=True)
class LiveModel:
    """A model ready to be asked."""

    engine: Engine
    spec: ModelSpec


class EnginePool:
    """Engines by name. One pool per server."""

    def __init__(self, store: Store, environment: Environment) -> None:
        self._store = store
        self._environment = environment
        self._engines: dict[tuple[str, datetime], Engine] = {}

    def handler_of(self, engine: EngineRecord) -> Handler:
        """The handler behind an engine. Raises HandlerUnknown if its plug-in is gone."""
        return find_handler(engine.handler)

    def engine(self, record: EngineRecord) -> Engine:
        """The live engine. Raises HandlerUnknown, HandlerUnavailable, OptionError."""
        key = (record.name, record.created_at)
        if key not in self._engines:
            options = {**record.arguments, **record.secrets}
            handler = self.handler_of(record)
            self._engines[key] = open_engine(record.name, handler, options, self._environment)
        return self._engines[key]

    def model(self, record: ModelRecord) -> LiveModel:
        """The model behind its live engine. Raises EngineError."""
        engine = self._store.engine(record.engine)
        target = Target(record.target, record.labels)
        spec = compile_model(record.name, target, record.options, self.handler_of(engine))
        return LiveModel(self.engine(engine), spec)

    async def discard(self, record: EngineRecord) -> None:
        """Close the live engine of a dropped record."""
        engine = self._engines.pop((record.name, record.created_at), None)
        if engine is not None:
            await engine.aclose()

    async def aclose(self) -> None:
        """Close all engines."""
        while self._engines:
            _, engine = self._engines.popitem()
            await engine.aclose()
