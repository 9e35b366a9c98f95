"""The time at which a statement must be done.

Who sets it, and what it is, is the session's business.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proxy.errors import TimedOut


@asynccontextmanager
async def limited(deadline: float | None) -> AsyncIterator[None]:
    """Cancel what is inside at the deadline, the loop's time; None is no deadline. Raises TimedOut
    then."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError as error:
        raise TimedOut(
            "Query execution was interrupted, maximum statement execution time exceeded"
        ) from error
