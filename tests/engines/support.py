"""What the tests of this room share: specs, tasks and engines over a scripted endpoint."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from engines.base import Engine, Environment
from engines.model import compile_model
from engines.registry import find_handler, open_engine
from engines.scheduler import Retries, predict_all
from engines.task import ModelSpec, Prediction, Target, Task, Value
from tests.support.endpoint import Endpoint

T = TypeVar("T")
MOODS = ("positive", "neutral", "negative")
QUICK = Retries(first_pause=0.01, longest_pause=0.02, deadline=5.0, unreachable=1.0)


def environment(**given: Any) -> Environment:
    return Environment(data_dir=Path("unused"), **given)


def spec(
    labels: tuple[str, ...] = (), template: str = "Say: {{text}}", **options: Value
) -> ModelSpec:
    given = {"model_name": "m", "prompt_template": template, **options}
    return compile_model("mood", Target("answer", labels), given, find_handler("openai"))


def tasks(model: ModelSpec, *inputs: str) -> list[Task]:
    return [Task(model, (text,)) for text in inputs]


@asynccontextmanager
async def opened(endpoint: Endpoint | str, **options: Value) -> AsyncIterator[Engine]:
    url = endpoint if isinstance(endpoint, str) else endpoint.url
    engine = open_engine("e", find_handler("openai"), {"api_base": url, **options}, environment())
    try:
        yield engine
    finally:
        await engine.aclose()


def with_engine(
    endpoint: Endpoint | str, use: Callable[[Engine], Awaitable[T]], **options: Value
) -> T:
    """Run `use` with an engine over `endpoint`, in an event loop of its own."""

    async def run() -> T:
        async with opened(endpoint, **options) as engine:
            return await use(engine)

    return asyncio.run(run())


def predicted(
    endpoint: Endpoint | str, asked: Any, retries: Retries = QUICK, **options: Value
) -> list[Prediction]:
    """Return the predictions of all tasks through the scheduler."""

    async def use(engine: Engine) -> list[Prediction]:
        async with aclosing(predict_all(engine, asked, retries)) as predictions:
            return [prediction async for prediction in predictions]

    return with_engine(endpoint, use, **options)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)
