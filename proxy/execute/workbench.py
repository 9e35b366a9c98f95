"""A statement's temporary tables, on its session's cursor: made, counted, read and dropped.

Which ones there are, and why, is the executor's business.
"""

import json
from collections.abc import AsyncGenerator, Mapping

from sqlglot import exp

from catalog.database import BATCH_ROWS, Cursor, Field, Lent, Row
from catalog.errors import CatalogError
from catalog.whole import whole
from proxy.execute import relations
from proxy.execute.constant import Row as Constants
from proxy.execute.constant import inline
from proxy.execute.flow import CHILD, Flow, flow_of, scan_of
from proxy.execute.rehearsal import rehearsal, stand_ins
from proxy.execute.relations import Gathering
from proxy.plan.nodes import Node, Remote, Residual, Scan, Snapshot, chain
from proxy.sql.mysql_to_duckdb import to_duckdb


class Workbench:
    """`constants` are the relations of one row that need no table, by their names. While `keeping`,
    what sources answer becomes tables that are `kept` until the end. All coroutines raise
    CatalogError and may be cancelled."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.constants: dict[str, Constants] = {}
        self.keeping = False
        self.kept: set[str] = set()
        self._tables: dict[str, None] = {}  # their names, in order
        self._views: dict[str, None] = {}
        self._lent: dict[str, None] = {}
        self._shaped: dict[str, None] = {}

    async def rehearse(self, plan: Node) -> None:
        """Make empty stand-ins for the plan's relations, and see that DuckDB takes the plan."""
        names, statements = rehearsal(plan, self.kept)
        self._tables.update(dict.fromkeys(names))
        if statements:
            await self._forget_shapes()
            await self.cursor.script(statements)

    async def stand_ins(self, plan: Node) -> None:
        """Make empty stand-ins for the plan's relations."""
        names, statements = stand_ins(plan, self.kept)
        self._tables.update(dict.fromkeys(names))
        if statements:
            await self._forget_shapes()
            await self.cursor.script(statements)

    async def snapshot(self, node: Snapshot) -> None:
        """Make the relation of a Snapshot."""
        self._tables[node.name] = None
        rows = [json.dumps(node.rows)] if node.rows else []
        await self.cursor.execute(relations.snapshot(node), rows)

    async def view(self, views: Mapping[str, str]) -> None:
        """Make views of SELECTs of DuckDB's, by their names."""
        self._views.update(dict.fromkeys(views))
        makes = [
            (f'CREATE OR REPLACE TEMP VIEW "{name}" AS {sql}', ()) for name, sql in views.items()
        ]
        if makes:
            await self.cursor.script(makes)

    async def shape(self, node: Remote, stream: Lent) -> list[Field]:
        """The columns of what a source would answer. Its rows stay lent: `remote` may want them."""
        self._shaped[node.name] = None
        await self.cursor.lend(node.name, stream)
        return await self.cursor.describe(relations.everything(node.name))

    async def remote(self, node: Remote, stream: Lent) -> None:
        """Let a Remote's relation be what a source answers: rows that are read once come as they
        are, all others into a table."""
        if self.keeping:
            self.kept.add(node.name)
        elif node.streams and node.name in self._shaped:
            del self._shaped[node.name]
            self._lent[node.name] = None
            return None
        elif node.streams:
            await self.cursor.execute(f'DROP TABLE IF EXISTS "{node.name}"')
            self._lent[node.name] = None
            return await self.cursor.lend(node.name, stream)
        if node.name in self._shaped:
            del self._shaped[node.name]
            await self.cursor.give_back(node.name)
        lent = f"{node.name}_rows"
        self._lent[lent] = self._tables[node.name] = None
        await self.cursor.lend(lent, stream)
        await self.cursor.execute(
            f'CREATE OR REPLACE TEMP TABLE "{node.name}" AS SELECT * FROM "{lent}"'
        )
        await self.cursor.give_back(lent)
        del self._lent[lent]
        return None

    async def relation(self, name: str, query: exp.Query) -> None:
        """Make a relation of what a query answers."""
        self._tables[name] = None
        text = to_duckdb(inline(query, self.constants).copy())
        await self.cursor.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {text}')

    async def gathering(self, root: Residual) -> Gathering:
        """Make the relation of the Scan below `root`, and those in which answers are gathered."""
        scan = scan_of(root)
        await self.relation(scan.name, scan.sql)
        gathering = Gathering(flow_of(root, await self.columns(scan)), chain(root)[-1].name)
        self._tables.update(dict.fromkeys(gathering.tables))
        await self.cursor.script(gathering.prepare())
        return gathering

    async def columns(self, scan: Scan) -> list[Field]:
        """The columns of a Scan whose relation, or stand-in, is made."""
        return await self.cursor.describe(relations.everything(scan.name))

    async def count(self, name: str) -> int:
        """How many rows a relation has."""
        ((rows,),) = await self.cursor.execute(relations.count(name))
        return int(rows)

    async def prompts(self, gathering: Gathering) -> AsyncGenerator[list[Row], None]:
        """The distinct prompts of a gathering, in order."""
        start = 0
        while batch := await self.cursor.execute(gathering.prompts(), [start, start + BATCH_ROWS]):
            yield batch
            start += BATCH_ROWS

    async def scanned(self, flow: Flow) -> AsyncGenerator[list[Row], None]:
        """The rows of a Scan as DuckDB makes them, without a table."""
        child = exp.TableAlias(this=exp.to_identifier(CHILD))
        scan = exp.Subquery(this=flow.scan.sql.copy(), alias=child)
        items = [exp.alias_(item, name, quoted=True) for name, item in flow.items.items()]
        first = await self.cursor.start(to_duckdb(exp.select(*items).from_(scan)))
        async for rows in self.rest(first):
            yield rows

    async def rest(self, batch: list[Row]) -> AsyncGenerator[list[Row], None]:
        """The rows of the query that was begun last; `batch` are its first."""
        while batch:
            last = len(batch) < BATCH_ROWS
            yield batch
            batch = [] if last else await self.cursor.more()

    async def _forget_shapes(self) -> None:
        """Make room for relations of these names."""
        for name in self._shaped:
            await self.cursor.give_back(name)
        self._shaped.clear()

    @whole
    async def clear(self) -> None:
        """Let all tables go; in a transaction that failed they are gone with it."""
        for name in self._lent:
            await self.cursor.give_back(name)
        self._lent.clear()
        await self._forget_shapes()
        drops = [
            *((f'DROP TABLE IF EXISTS "{name}"', ()) for name in self._tables),
            *((f'DROP VIEW IF EXISTS "{name}"', ()) for name in self._views),
        ]
        self._tables.clear()
        self._views.clear()
        if drops:
            try:
                await self.cursor.script(drops)
            except CatalogError:
                return
