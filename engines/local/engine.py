"""The embedded model: an engine over llama.cpp's own server, and its handler.

What it is asked is asking.py's.
"""

import asyncio
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from engines.base import Engine, Environment, Handler
from engines.chat import pack
from engines.errors import EndpointUnreachable, EngineError, HandlerUnavailable, ModelNotServed
from engines.http.endpoint import Endpoint
from engines.http.lanes import Address
from engines.http.reply import Completion
from engines.local import asking
from engines.local.asking import MODEL_NAME
from engines.local.model_file import find_model_file
from engines.local.process import Launch, LocalServer, StartLimit, start, stop
from engines.model import MODEL_OPTIONS
from engines.repair import Mistake, ask_twice
from engines.task import ModelSpec, Prediction, Task, Value

_MODEL_NAMES = (MODEL_NAME.lower(), "qwen2.5-coder-0.5b-instruct")
_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class _Running:
    server: LocalServer
    endpoint: Endpoint


class LocalEngine:
    """The embedded model, started at the first check or prediction."""

    max_concurrency = 2

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._starts = StartLimit()
        self._starting: asyncio.Task[_Running] | None = None
        self._closed = False

    async def check(self, spec: ModelSpec | None) -> None:
        """See that the model is there and answers, see Engine.check; the first time it is fetched.

        Raises HandlerUnavailable where its file cannot be had.
        """
        if spec is not None and spec.model_name.lower() not in _MODEL_NAMES:
            raise ModelNotServed(
                f"the embedded engine does not serve '{spec.model_name}': it serves {MODEL_NAME}"
            )
        await (await self._endpoint()).model_names()

    async def predict(self, task: Task) -> Prediction:
        """Make one call, greedy unless the model has a temperature, see Engine.predict."""
        endpoint = await self._endpoint()

        async def ask(mistake: Mistake | None) -> Completion:
            return _whole(task.spec, await endpoint.complete(asking.body(task, mistake)))

        return await ask_twice(task.spec, ask)

    async def predict_pack(self, tasks: Sequence[Task]) -> list[Prediction | EngineError]:
        """Make one call for all of `tasks`, see Packing.predict_pack."""
        endpoint = await self._endpoint()
        completion = await endpoint.complete(asking.pack_body(tasks))
        return pack.predictions(tasks[0].spec, completion, len(tasks))

    async def aclose(self) -> None:
        """End the process. Idempotent."""
        self._closed = True
        starting, self._starting = self._starting, None
        if starting is None:
            return
        starting.cancel()
        await asyncio.wait([starting])
        if not starting.cancelled() and starting.exception() is None:
            await _close(starting.result())

    async def _endpoint(self) -> Endpoint:
        """Return the endpoint of a live process: started by who asks first, again if it died.

        The start goes on when the one who asked is cancelled: others wait for it too.
        """
        if self._closed:
            raise EndpointUnreachable("the embedded engine is closed")
        if self._starting is None or _is_over(self._starting):
            self._starting = asyncio.create_task(self._start(self._starting))
        starting = self._starting
        try:
            return (await asyncio.shield(starting)).endpoint
        except asyncio.CancelledError:
            if not starting.cancelled():
                raise
            raise EndpointUnreachable("the embedded engine was closed") from None

    async def _start(self, before: asyncio.Task[_Running] | None) -> _Running:
        if before is not None and before.exception() is None:
            await _close(before.result())
        path = await find_model_file(self._environment)
        self._starts.count()
        self._environment.report("embedded model: loading")
        server = await start(self._launch(path))
        self._environment.report("embedded model: ready")
        return _Running(server, _endpoint(server))

    def _launch(self, path: Path) -> Launch:
        return Launch(
            model=path,
            alias=MODEL_NAME,
            log=self._environment.data_dir / "embedded-model.log",
            threads=self._environment.local_threads,
            slots=self.max_concurrency,
        )


def _is_over(starting: asyncio.Task[_Running]) -> bool:
    """Whether a start failed, or its process has died since."""
    if not starting.done():
        return False
    return starting.exception() is not None or not starting.result().server.alive


async def _close(running: _Running) -> None:
    await running.endpoint.aclose()
    await stop(running.server.process)


def _endpoint(server: LocalServer) -> Endpoint:
    return Endpoint(
        Address(
            base_url=f"{server.url}/v1",
            headers={"Authorization": f"Bearer {server.api_key}"},
            secrets=(server.api_key,),
            timeout=_TIMEOUT,
            max_concurrency=LocalEngine.max_concurrency,
        )
    )


def _whole(spec: ModelSpec, completion: Completion) -> Completion:
    """A label, which ends where its stop text stood, is never cut off."""
    return replace(completion, finish_reason="stop") if spec.is_labelled else completion


class SharedEngine:
    """One ML engine's share of the embedded model: all of a data directory are served by one
    process, 700 MB in size, which ends with the last share."""

    max_concurrency = LocalEngine.max_concurrency
    _served: ClassVar[dict[Path, tuple[LocalEngine, set["SharedEngine"]]]] = {}

    def __init__(self, environment: Environment) -> None:
        self._key = environment.data_dir
        fresh: tuple[LocalEngine, set[SharedEngine]] = (LocalEngine(environment), set())
        self._engine, self._shares = self._served.setdefault(self._key, fresh)
        self._shares.add(self)

    async def check(self, spec: ModelSpec | None) -> None:
        """See LocalEngine.check."""
        await self._engine.check(spec)

    async def predict(self, task: Task) -> Prediction:
        """See LocalEngine.predict."""
        return await self._engine.predict(task)

    async def predict_pack(self, tasks: Sequence[Task]) -> list[Prediction | EngineError]:
        """See LocalEngine.predict_pack."""
        return await self._engine.predict_pack(tasks)

    async def aclose(self) -> None:
        """Give the share back. Idempotent."""
        self._shares.discard(self)
        if not self._shares and self._served.get(self._key, (None,))[0] is self._engine:
            del self._served[self._key]
            await self._engine.aclose()


def _open(options: Mapping[str, Value], environment: Environment) -> Engine:
    if (missing := _import_error()) is not None:
        raise HandlerUnavailable(f"handler 'local' cannot be used: {missing}")
    return SharedEngine(environment)


def _import_error() -> str | None:
    """Look for the model's library without importing it: its memory is for the other process."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "xllamacpp is not installed: pip install 'modelwire[local]'"
    return None


LOCAL = Handler(
    name="local",
    title="Embedded model",
    description=f"{MODEL_NAME}, run by the server itself: no key, no network once it is fetched",
    version="1.0",
    engine_options=(),
    model_options=MODEL_OPTIONS,
    open=_open,
    import_error=_import_error(),
    default_model_name=MODEL_NAME,
)
