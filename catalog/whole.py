"""Calls that are no cancel points: once begun they end, and only then is their caller cancelled.

For what would else stay half done: written to the file, say, and not remembered.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def whole(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The function, run to its end whoever is cancelled meanwhile. For what is short."""

    @wraps(function)
    async def to_the_end(*args: P.args, **kwargs: P.kwargs) -> T:
        task = asyncio.create_task(function(*args, **kwargs))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():  # whoever is cancelled once may be cancelled again
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([task])
            raise

    return to_the_end
