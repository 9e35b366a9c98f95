"""The live engines and models: one for each of the catalog's, made at first use.

It connects what the catalog remembers with what engines/ can do; it makes no calls of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from catalog.records import EngineRecord, ModelRecord
from catalog.store import Store
from engines.base import Engine, Environment, Handler
from engines.chat import prompt
from engines.chat.tokens import TokenGauge
from engines.dispatch.dispatcher import Dispatcher
from engines.limits import read_limits
from engines.model import compile_model
from engines.policy import Policy, read_policy
from engines.registry import find_handler, open_engine
from engines.task import ModelSpec, Target, Task

_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class LiveModel:
    """A model ready to be asked. `scope` is the digest of all that decides its answers besides the
    inputs: engine, model, version, prompt, labels, parameters."""

    record: ModelRecord
    dispatcher: Dispatcher
    spec: ModelSpec
    policy: Policy
    gauge: TokenGauge
    scope: bytes

    @property
    def name(self) -> str:
        """What cached answers are filed under."""
        return f"{self.record.project}.{self.record.name}".casefold()

    def task(self, inputs: tuple[str, ...]) -> tuple[bytes, Task]:
        """A call for these inputs, under the key that its answer is cached by."""
        key = blake2b(self.scope, digest_size=_KEY_BYTES)
        for value in inputs:
            data = value.encode("utf-8", "surrogatepass")
            key.update(len(data).to_bytes(8))
            key.update(data)
        return key.digest(), Task(self.spec, inputs)


class EnginePool:
    """Engines and models by name. One pool per server."""

    def __init__(self, store: Store, environment: Environment) -> None:
        self._store = store
        self._environment = environment
        self._engines: dict[tuple[str, datetime], tuple[Engine, Dispatcher]] = {}
        self._models: dict[tuple[str, str], LiveModel] = {}

    def handler_of(self, engine: EngineRecord) -> Handler:
        """The handler behind an engine. Raises HandlerUnknown if its plug-in is gone."""
        return find_handler(engine.handler)

    def engine(self, record: EngineRecord) -> Engine:
        """The live engine. Raises HandlerUnknown, HandlerUnavailable, OptionError."""
        return self._opened(record)[0]

    def model(self, record: ModelRecord) -> LiveModel:
        """The live model. Raises EngineError."""
        key = (record.project, record.name)
        live = self._models.get(key)
        if live is None or live.record is not record:
            live = self._models[key] = self._live(record)
        return live

    async def discard(self, record: EngineRecord) -> None:
        """Close the live engine of a dropped record, once no statement needs it any more."""
        opened = self._engines.pop((record.name, record.created_at), None)
        if opened is not None:
            await opened[1].retire()

    async def aclose(self) -> None:
        """Close all engines."""
        while self._engines:
            _, (_, dispatcher) = self._engines.popitem()
            await dispatcher.aclose()

    def _opened(self, record: EngineRecord) -> tuple[Engine, Dispatcher]:
        key = (record.name, record.created_at)
        if key not in self._engines:
            options = {**record.arguments, **record.secrets}
            handler = self.handler_of(record)
            engine = open_engine(record.name, handler, options, self._environment)
            self._engines[key] = engine, Dispatcher(engine, read_limits(options, engine))
        return self._engines[key]

    def _live(self, record: ModelRecord) -> LiveModel:
        engine = self._store.engine(record.engine)
        target = Target(record.target, record.labels)
        spec = compile_model(record.name, target, record.options, self.handler_of(engine))
        return LiveModel(
            record,
            self._opened(engine)[1],
            spec,
            read_policy(engine.arguments, record.options),
            TokenGauge(spec),
            _scope(engine, record, spec),
        )


def _scope(engine: EngineRecord, record: ModelRecord, spec: ModelSpec) -> bytes:
    """Engines are told apart by what they reach, not by their names or keys."""
    decides: Mapping[str, Any] = {
        "format": prompt.FORMAT,
        "handler": engine.handler,
        "api_base": engine.arguments.get("api_base"),
        "model": [record.project.casefold(), record.name.casefold(), record.version],
        "model_name": spec.model_name,
        "template": [spec.template.literals, spec.template.slots],
        "target": [spec.target.name, spec.target.labels],
        "parameters": spec.parameters,
        "rows_per_prompt": spec.rows_per_prompt,
    }
    return blake2b(json.dumps(decides).encode(), digest_size=_KEY_BYTES).digest()
