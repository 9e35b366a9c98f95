"""Plans carried out: one function per node. Every relation of a plan is a temporary table.

No node decides anything here: what is read, asked and joined stands in the plan.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from sqlglot import exp

from catalog.database import BATCH_ROWS, Cursor, Field
from catalog.database import Row as DatabaseRow
from catalog.errors import CatalogError
from engines.errors import EngineError
from proxy.execute.columns import as_text, column_of, is_text
from proxy.execute.constant import Row, constant_row, inline
from proxy.execute.engine_pool import EnginePool
from proxy.execute.predict import predict_row, run_predict
from proxy.execute.rehearsal import below, rehearsal
from proxy.plan.nodes import (
    Node,
    Passthrough,
    Predict,
    Residual,
    Scan,
    Snapshot,
    Write,
)
from proxy.result import Batch, Done, Rows
from proxy.sql.mysql_to_duckdb import to_duckdb

_COUNTED = (exp.Insert, exp.Update, exp.Delete)


class Executor:
    """Carries out one statement on a session's cursor; its relations live until `close`.

    `warn` takes the errors of single rows. All coroutines may be cancelled.
    """

    def __init__(
        self, cursor: Cursor, engines: EnginePool, warn: Callable[[EngineError], None]
    ) -> None:
        self._cursor = cursor
        self._engines = engines
        self._warn = warn
        self._relations: dict[str, None] = {}  # their names, in order
        self._constants: dict[str, Row] = {}

    async def open(self, snapshots: Sequence[Snapshot]) -> None:
        """Make the relations that planning already looks at."""
        for snapshot in snapshots:
            await self._make(snapshot)

    async def fields(self, query: exp.Query) -> list[Field]:
        """The columns of a query without models. Raises CatalogError."""
        return await self._cursor.describe(to_duckdb(query.copy()))

    async def rows(self, plan: Node) -> Rows:
        """The answer of a query: everything below the root is made now, the root's rows flow as
        they are read, and the last of them closes this executor.

        Raises CatalogError, EngineError."""
        assert isinstance(plan, Passthrough | Residual)
        await self._make_below(plan)
        query = inline(plan.sql, self._constants)
        sql = to_duckdb(query.copy())
        fields, first = await self._cursor.open(
            sql, lambda fields: sql if is_text(fields) else to_duckdb(as_text(query, fields))
        )
        return Rows(tuple(column_of(field) for field in fields), self._stream(first))

    async def write(self, plan: Write) -> Done:
        """Carry out a statement that changes tables, then close. Raises as `rows`."""
        await self._make_below(plan)
        rows = await self._cursor.execute(to_duckdb(inline(plan.tree, self._constants)))
        await self.close()
        return Done(affected_rows=_count(plan.tree, rows))

    async def close(self) -> None:
        """Let the relations go; in a transaction that failed they are gone with it."""
        if not self._relations:
            return
        drops = [(f'DROP TABLE IF EXISTS "{name}"', ()) for name in self._relations]
        self._relations.clear()
        try:
            await self._cursor.script(drops)
        except CatalogError:
            return

    async def _stream(self, batch: Batch) -> AsyncIterator[Batch]:
        try:
            while batch:
                last = len(batch) < BATCH_ROWS
                yield batch
                batch = [] if last else await self._cursor.more()
        finally:
            await self.close()

    async def _make_below(self, plan: Node) -> None:
        names, statements = rehearsal(plan)
        self._relations.update(dict.fromkeys(names))
        if statements:
            await self._cursor.script(statements)
        for node in below(plan):
            await self._make(node)

    async def _make(self, node: Node) -> None:
        assert isinstance(node, Snapshot | Scan | Predict | Residual)
        await _MAKERS[type(node)](self, node)

    async def _snapshot(self, node: Snapshot) -> None:
        items = ", ".join(
            f'CAST(row[{n}] AS {column.type}) AS "{column.name}"'
            for n, column in enumerate(node.columns, 1)
        )
        self._relations[node.name] = None
        await self._cursor.execute(
            f'CREATE OR REPLACE TEMP TABLE "{node.name}" AS SELECT {items} '
            "FROM (SELECT unnest(from_json($1, '[[\"VARCHAR\"]]')) AS row)",
            [json.dumps(node.rows)],
        )

    async def _relation(self, node: Scan | Residual) -> None:
        row = constant_row(node.sql)
        if row is not None:
            self._constants[node.name] = row
            return
        self._relations[node.name] = None
        query = to_duckdb(inline(node.sql, self._constants).copy())
        await self._cursor.execute(f'CREATE OR REPLACE TEMP TABLE "{node.name}" AS {query}')

    async def _predict(self, node: Predict) -> None:
        model = self._engines.model(node.model)
        assert isinstance(node.child, Scan | Predict | Residual)
        row = self._constants.get(node.child.name)
        if row is not None:
            self._constants[node.name] = await predict_row(node, row, model, self._warn)
            return
        self._relations[node.name] = None
        await run_predict(node, node.child.name, self._cursor, model, self._warn)


_MAKERS: dict[type[Node], Callable[[Executor, Any], Awaitable[None]]] = {
    Snapshot: Executor._snapshot,
    Scan: Executor._relation,
    Residual: Executor._relation,
    Predict: Executor._predict,
}


def _count(tree: exp.Expr, rows: list[DatabaseRow]) -> int:
    """DuckDB answers a statement that counts with one number."""
    counts = isinstance(tree, _COUNTED) or isinstance(tree.args.get("expression"), exp.Query)
    return int(rows[0][0]) if counts and rows else 0
