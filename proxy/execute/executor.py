"""Plans carried out. Rows that need no other rows stream to the client as predictions land; all
other relations of a plan are temporary tables.

No node decides anything here: what is read, asked and joined stands in the plan.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from sqlglot import exp

from catalog.database import Cursor, Field
from catalog.database import Row as DatabaseRow
from proxy.execute.answered import columns_of
from proxy.execute.asking import Asking
from proxy.execute.columns import as_text, is_text
from proxy.execute.constant import constant_row, inline, literals, text_of
from proxy.execute.conversing import converse_row
from proxy.execute.estimate import Bound, Estimate, estimate
from proxy.execute.flow import scan_of, stream_of
from proxy.execute.lines import Lines
from proxy.execute.pipeline import Pipeline
from proxy.execute.predict import predict_row
from proxy.execute.relations import FIRST_ROW, NUMBER, portions
from proxy.execute.streaming import Streaming
from proxy.execute.workbench import Workbench
from proxy.money.account import status_of
from proxy.plan.nodes import (
    Node,
    Passthrough,
    Predict,
    Remote,
    Residual,
    Scan,
    Snapshot,
    Write,
    chain,
    children,
    predicts,
    roots,
)
from proxy.result import Batch, Batches, Column, Done, Row, Rows
from proxy.sql.mysql_to_duckdb import to_duckdb

_COUNTED = (exp.Insert, exp.Update, exp.Delete)


class Executor:
    """Carries out one statement on a session's cursor; its relations live until `close`. `spare`
    makes a cursor for what is computed while the session's own streams a Scan. All coroutines may
    be cancelled.
    """

    def __init__(
        self, cursor: Cursor, spare: Callable[[], Cursor], asking: Asking, lines: Lines
    ) -> None:
        self.account = asking.account
        self._lines = lines
        self._cursor = cursor
        self._spare = spare
        self._asking = asking
        self._pipeline = Pipeline(asking)
        self._workbench = Workbench(cursor)

    async def open(self, snapshots: Sequence[Snapshot]) -> None:
        """Make the relations that planning already looks at."""
        for snapshot in snapshots:
            await self._make(snapshot)

    async def view(self, views: Mapping[str, str]) -> None:
        """Make temporary views of SELECTs of DuckDB's, by their names."""
        await self._workbench.view(views)

    async def fields(self, query: exp.Query) -> list[Field]:
        """The columns of a query without models. Raises CatalogError."""
        return await self._cursor.describe(to_duckdb(query.copy()))

    async def rows(self, plan: Node) -> Rows:
        """The answer of a query; the last of its rows closes this executor.

        A root that streams asks its models as its rows are read, any other has asked them all when
        this returns. Raises CatalogError, EngineError."""
        assert isinstance(plan, Passthrough | Residual)
        if not _is_bound_first(plan):
            await self._workbench.rehearse(plan)
        await self._make_inputs(plan)
        if isinstance(plan, Residual) and not await self._is_constant(plan):
            if plan.streams:
                return await self._streamed(plan)
            await self._gather(plan)
        query = inline(plan.sql, self._workbench.constants)
        sql = to_duckdb(query.copy())
        fields, first = await self._cursor.open(
            sql, lambda fields: sql if is_text(fields) else to_duckdb(as_text(query, fields))
        )
        return Rows(columns_of(plan, fields), Batches(self._until_closed(first), self.close))

    async def columns(self, plan: Node) -> tuple[Column, ...]:
        """The columns that the answer of a query would have, then close; nothing is read, and no
        model asked. Raises CatalogError."""
        return columns_of(plan, await self.described(plan))

    async def described(self, plan: Node) -> list[Field]:
        """As `columns`, in DuckDB's types."""
        assert isinstance(plan, Passthrough | Residual)
        await self._workbench.stand_ins(plan)
        fields = await self.fields(plan.sql)
        await self.close()
        return fields

    async def write(self, plan: Write) -> Done:
        """Carry out a statement that changes tables, then close. Raises as `rows`."""
        await self._workbench.rehearse(plan)
        await self._make_inputs(plan)
        tree = inline(plan.tree, self._workbench.constants)
        rows = await self._cursor.execute(to_duckdb(tree))
        await self.close()
        return Done(affected_rows=_count(plan.tree, rows))

    async def estimates(self, plan: Node) -> dict[str, Estimate | Bound]:
        """What the Predicts of a plan would ask, by their names, as far as it can be known without
        asking. Sources are read, and what they answered is kept: `rows` reads none of them again.
        Raises CatalogError, EngineError."""
        await self._workbench.rehearse(plan)
        self._workbench.keeping = True
        found: dict[str, Estimate | Bound] = {}
        asked: set[bytes] = set()
        for root in roots(plan):
            if chain(root) and not any(roots(node) for node in scan_of(root).inputs):
                await self._make_inputs(root)
                found.update(await self._estimates(root, asked))
        return found

    async def foresee(self, plan: Node) -> None:
        """See that what is sure to be asked fits into the bounds of the statement and of budgets,
        where there are any. Raises OverBudget before the first call."""
        needy = {n.name: n for n in predicts(plan) if self._asking.of(n.model).account.is_bound}
        if not needy:
            return
        sure = {name for root in roots(plan) for name in _sure(root)}
        estimates = await self.estimates(plan)
        self.account.foresee(
            self._asking.of(needy[name].model).account.need(
                need.calls, need.prompt_tokens, need.completion_tokens
            )
            for name, need in estimates.items()
            if name in needy and name in sure and isinstance(need, Estimate)
        )

    async def takes(self, node: Remote) -> list[Field] | None:
        """The columns of what a source would be asked for; None where it refuses. Nothing runs.
        Raises what Sources raises."""
        stream = await self._lines.prepared(node)
        return None if stream is None else await self._workbench.shape(node, stream)

    async def close(self, status: str = "complete") -> None:
        """Let the relations go, and close the account; it keeps the first `status` it is told."""
        self.account.close(status)
        await self._workbench.clear()
        await self._lines.close()

    async def _make_inputs(self, plan: Node) -> None:
        nodes = scan_of(plan).inputs if isinstance(plan, Residual) else children(plan)
        for node in nodes:
            await self._make(node)

    async def _make(self, node: Node) -> None:
        assert isinstance(node, Snapshot | Remote | Residual)
        await _MAKERS[type(node)](self, node)

    async def _snapshot(self, node: Snapshot) -> None:
        await self._workbench.snapshot(node)

    async def _remote(self, node: Remote) -> None:
        if node.name not in self._workbench.kept:
            alone = node.streams and self._lines.shared(node.source) is None
            stream = await self._lines.stream(node)
            await self._workbench.remote(replace(node, streams=alone), stream)

    async def _residual(self, node: Residual) -> None:
        await self._make_inputs(node)
        if not await self._is_constant(node):
            await self._gather(node)
        await self._workbench.relation(node.name, node.sql)

    async def _is_constant(self, root: Residual) -> bool:
        """Whether the rows below `root` are one row that needs no table; then it is made."""
        row, steps = constant_row(scan_of(root).sql), chain(root)
        if row is None or not all(isinstance(step, Predict) for step in steps):
            return False
        for step in steps:
            assert isinstance(step, Predict)
            asked = self._asking.of(step.model)
            given = [text_of(row[name]) for name in step.inputs]
            answer = converse_row if step.in_order else predict_row
            row |= literals(step.outputs, await answer(asked, step.outputs, given))
        assert isinstance(root.child, Scan | Predict)
        self._workbench.constants[root.child.name] = row
        return True

    async def _gather(self, root: Residual) -> None:
        """Make the relation that `root` reads. Distinct prompts flow through its models, then what
        they answered is joined to the rows of the Scan."""
        if not chain(root):
            scan = scan_of(root)
            return await self._workbench.relation(scan.name, scan.sql)
        gathering = await self._workbench.gathering(root)
        prompts = await self._workbench.count(gathering.tables[0])
        self.account.rows_total = (self.account.rows_total or 0) + prompts
        counts = (NUMBER, FIRST_ROW)
        rows = self._pipeline.run(
            gathering.flow, self._workbench.prompts(gathering), self._cursor, counts=counts
        )
        columns = (*counts, *gathering.flow.columns)
        told = [columns.index(name) for name in (NUMBER, *(o.name for o in gathering.outputs))]
        async with aclosing(rows):
            async for batch in rows:
                for answers in portions(tuple(row[at] for at in told) for row in batch):
                    await self._cursor.execute(gathering.add(), [json.dumps(answers)])
        await self._cursor.execute(gathering.join())
        return None

    async def _estimates(self, root: Residual, asked: set[bytes]) -> dict[str, Estimate | Bound]:
        gathering = await self._workbench.gathering(root)
        flow, rows = gathering.flow, await self._workbench.count(gathering.flow.scan.name)
        return {
            node.name: await estimate(
                node,
                flow,
                rows,
                self._workbench.prompts(gathering),
                self._asking.of(node.model),
                asked,
            )
            for node in chain(root)
            if isinstance(node, Predict)
        }

    async def _streamed(self, root: Residual) -> Rows:
        scanned = await self._workbench.columns(scan_of(root))
        answered = await self._cursor.describe(to_duckdb(root.sql.copy()))
        streaming = Streaming(self._workbench, self._spare, self.account, self.close)
        rows = streaming.rows(stream_of(root, scanned, answered), self._pipeline)
        try:
            first: list[Row] = await anext(rows, [])
        except BaseException:
            await rows.aclose()
            raise
        return Rows(columns_of(root, answered), Batches(_behind(first, rows), rows.aclose))

    async def _until_closed(self, batch: Batch) -> AsyncGenerator[Batch, None]:
        status = "complete"
        try:
            async for rows in self._workbench.rest(batch):
                yield rows
        except BaseException as error:
            status = status_of(error)
            raise
        finally:
            await self.close(status)


_MAKERS: dict[type[Node], Callable[[Executor, Any], Awaitable[None]]] = {
    Snapshot: Executor._snapshot,
    Remote: Executor._remote,
    Residual: Executor._residual,
}


def _is_bound_first(plan: Node) -> bool:
    """Whether DuckDB sees the plan before anything is read: all that it reads comes as streams."""
    streams = [isinstance(node, Remote) and node.streams for node in children(plan)]
    return isinstance(plan, Passthrough) and bool(streams) and all(streams)


def _sure(root: Residual) -> Iterator[str]:
    """The Predicts that are asked for all rows of the Scan: up to the first filter, and none where
    a LIMIT above them may end them early."""
    if root.streams and root.sql.args.get("limit") is not None:
        return
    for node in chain(root):
        if isinstance(node, Residual) and node.sql.args.get("where"):
            return
        yield node.name


async def _behind(
    first: list[Row], rest: AsyncGenerator[list[Row], None]
) -> AsyncGenerator[list[Row], None]:
    async with aclosing(rest):
        if first:
            yield first
        async for batch in rest:
            yield batch


def _count(tree: exp.Expr, rows: list[DatabaseRow]) -> int:
    """DuckDB answers a statement that counts with one number."""
    counts = isinstance(tree, _COUNTED) or isinstance(tree.args.get("expression"), exp.Query)
    return int(rows[0][0]) if counts and rows else 0
