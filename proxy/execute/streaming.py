"""The answer of a root that streams: rows on their way from the Scan to the client.

It holds no more of them than what is in flight.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from operator import itemgetter

from catalog.database import Cursor
from catalog.errors import CatalogError
from catalog.whole import whole
from proxy.execute import relations
from proxy.execute.compute import offset_and_limit
from proxy.execute.flow import Flow, Stream
from proxy.execute.pipeline import Pipeline
from proxy.execute.workbench import Workbench
from proxy.money.account import Account, status_of
from proxy.plan.nodes import Scan
from proxy.result import Row
from proxy.sql.mysql_to_duckdb import to_duckdb

_UNCOUNTED = 1.0
"""Seconds after which somebody may want to know how many rows there will be."""


class Streaming:
    """One stream of a statement. `spare` makes a cursor for what is computed while the session's
    own reads the Scan; `close` is called, with the account's status, when the last row is out."""

    def __init__(
        self,
        workbench: Workbench,
        spare: Callable[[], Cursor],
        account: Account,
        close: Callable[[str], Awaitable[None]],
    ) -> None:
        self._workbench = workbench
        self._spare = spare
        self._account = account
        self._close = close

    async def rows(self, stream: Stream, pipeline: Pipeline) -> AsyncGenerator[list[Row], None]:
        """The rows of the answer as predictions land. Raises as Pipeline.run does."""
        spare, status = self._spare(), "complete"
        flow = stream.flow
        counting = asyncio.create_task(self._count_ahead(flow.scan))
        limited = stream.limit is not None
        flowing = pipeline.run(flow, self._scanned(flow), spare, limited=limited)
        try:
            async with aclosing(offset_and_limit(flowing, stream.offset, stream.limit)) as rows:
                pick = _picker([flow.columns.index(name) for name in stream.answer])
                async for batch in rows:
                    yield [pick(row) for row in batch]
        except BaseException as error:
            status = status_of(error)
            raise
        finally:
            counting.cancel()
            await self._leave(counting, spare, status)

    @whole
    async def _leave(self, counting: "asyncio.Task[None]", spare: Cursor, status: str) -> None:
        await asyncio.wait([counting])
        await spare.close()
        await self._close(status)

    async def _scanned(self, flow: Flow) -> AsyncGenerator[list[Row], None]:
        total = 0
        async with aclosing(self._workbench.scanned(flow)) as scanned:
            async for batch in scanned:
                total += len(batch)
                yield batch
        self._account.rows_total = total

    async def _count_ahead(self, scan: Scan) -> None:
        """Tell the account how many rows there will be, of a statement that takes its time. What
        another cursor cannot see, nobody knows before the end."""
        await asyncio.sleep(_UNCOUNTED)
        cursor = self._spare()  # of its own: a long count holds up no row
        try:
            ((rows,),) = await cursor.execute(relations.count_of(to_duckdb(scan.sql.copy())))
        except CatalogError:
            return
        finally:
            await cursor.close()
        self._account.rows_total = rows


def _picker(positions: Sequence[int]) -> Callable[[Row], Row]:
    """What makes a row of the answer of a row of the flow."""
    if len(positions) == 1:
        (only,) = positions
        return lambda row: (row[only],)
    return itemgetter(*positions)
