"""What the tests of this room share: specs, tasks and engines over a scripted endpoint."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from engines.base import Engine, Environment
from engines.model import compile_model
from engines.registry import find_handler, open_engine
from engines.task import ModelSpec, Target, Task, Value
from tests.support.endpoint import Endpoint

T = TypeVar("T")
MOODS = ("positive", "neutral", "negative")


def environment(**given: Any) -> Environment:
    return Environment(data_dir=Path("unused"), **given)


def spec(
    labels: tuple[str, ...] = (), template: str = "Say: {{text}}", **options: Value
) -> ModelSpec:
    given = {"model_name": "m", "prompt_template": template, **options}
    return compile_model("mood", [Target("answer", labels)], given, find_handler("openai"))


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


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in another task or thread; the caller bounds the wait."""
    while not condition():  # noqa: ASYNC110 - nobody there sets an event
        await asyncio.sleep(0.001)
