"""Whether a server answers.

Asked here first, for libraries wait longer, and cannot be interrupted.
"""

import asyncio
from contextlib import suppress
from os import strerror

from catalog.errors import SourceUnreachable
from catalog.sources.kind import Door


async def knock(door: Door) -> None:
    """Connect, hear the greeting if there is one, and go. Raises SourceUnreachable; may be
    cancelled."""
    try:
        async with asyncio.timeout(door.timeout):
            await _visit(door)
    except TimeoutError as error:
        raise SourceUnreachable(f"No answer within {door.timeout} seconds") from error
    except OSError as error:
        raise SourceUnreachable(_reason(error)) from error


async def _visit(door: Door) -> None:
    reader, writer = await asyncio.open_connection(door.host, door.port)
    try:
        if door.greets and not await reader.read(1):
            raise SourceUnreachable("The server closed the connection without a greeting")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _reason(error: OSError) -> str:
    """The system's word for it; asyncio has sentences with addresses in them."""
    number = error.errno
    return strerror(number) if number and number > 0 else error.strerror or str(error)
