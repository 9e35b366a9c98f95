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
from engines.identity import added
from engines.limits import read_limits
from engines.model import compile_model
from engines.policy import Policy, read_policy
from engines.registry import find_handler, open_engine
from engines.task import ModelSpec, Target, Task
from engines.types import parse_type
from proxy.execute.engine_arguments import arguments_of

_KEY_BYTES = 16
_MOST_DERIVED = 64
"""Models with a statement's options that are kept."""


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

    def task(
        self, inputs: tuple[str, ...], history: tuple[tuple[str, str], ...] = ()
    ) -> tuple[bytes, Task]:
        """A call for these inputs after what was said before, under the key that its answer is
        cached by."""
        key = blake2b(self.scope, digest_size=_KEY_BYTES)
        for value in (*inputs, *(said for turn in history for said in turn)):
            data = value.encode("utf-8", "surrogatepass")
            key.update(len(data).to_bytes(8))
            key.update(data)
        return key.digest(), Task(self.spec, inputs, history)


class EnginePool:
    """Engines and models by name. One pool per server."""

    def __init__(self, store: Store, environment: Environment) -> None:
        self._store = store
        self._environment = environment
        self._engines: dict[tuple[str, datetime], tuple[Engine, Dispatcher]] = {}
        self._models: dict[tuple[str, str, int], LiveModel] = {}
        self._derived: dict[str, LiveModel] = {}

    def handler_of(self, engine: EngineRecord) -> Handler:
        """The handler behind an engine. Raises HandlerUnknown if its plug-in is gone."""
        return find_handler(engine.handler)

    def engine(self, record: EngineRecord) -> Engine:
        """The live engine. Raises HandlerUnknown, HandlerUnavailable, OptionError."""
        return self._opened(record)[0]

    def model(self, record: ModelRecord) -> LiveModel:
        """The live model of a version, or of what a statement made of one. Raises EngineError."""
        key = (record.project, record.name, record.version)
        live = self._models.get(key)
        if live is not None and live.record is record:
            return live
        if record not in self._store.versions(record.project, record.name):
            return self._derived_model(record)
        live = self._models[key] = self._live(record)
        return live

    def _derived_model(self, record: ModelRecord) -> LiveModel:
        """As a statement's options make it. Those used last are kept."""
        key = repr(record)
        live = self._derived.pop(key, None) or self._live(record)
        self._derived[key] = live
        if len(self._derived) > _MOST_DERIVED:
            del self._derived[next(iter(self._derived))]
        return live

    def forget(self, record: ModelRecord) -> None:
        """Let all live versions of a model go; statements that hold one go on with it."""
        named = (record.project.casefold(), record.name.casefold())
        gone = [key for key in self._models if (key[0].casefold(), key[1].casefold()) == named]
        for key in gone:
            del self._models[key]

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
            handler = self.handler_of(record)
            options = arguments_of(record, handler)
            engine = open_engine(record.name, handler, options, self._environment)
            self._engines[key] = engine, Dispatcher(engine, read_limits(options, engine))
        return self._engines[key]

    def _live(self, record: ModelRecord) -> LiveModel:
        engine = self._store.engine(record.engine)
        targets = [Target(t.name, t.labels, parse_type(t.type)) for t in record.targets]
        handler = self.handler_of(engine)
        spec = compile_model(record.name, targets, record.options, handler, record.examples)
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
        "model": [(record.origin or record.full_name).casefold(), record.version],
        "model_name": spec.model_name,
        "template": [spec.template.literals, spec.template.slots],
        "targets": [[target.name, str(target.type), target.labels] for target in spec.targets],
        "parameters": spec.parameters,
        "rows_per_prompt": spec.rows_per_prompt,
        **added(spec),
    }
    return blake2b(json.dumps(decides).encode(), digest_size=_KEY_BYTES).digest()
