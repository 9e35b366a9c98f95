"""Flows at work: rows go through all steps at once, each step beginning as the first rows come.

Several models in a query are so a pipeline: the second is asked while the first still is.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from catalog.database import Cursor
from proxy.execute.asking import Asking
from proxy.execute.compute import computed
from proxy.execute.conversing import Conversing
from proxy.execute.flow import Flow
from proxy.execute.predict import Known, Predicting
from proxy.execute.relations import FIRST_ROW
from proxy.plan.nodes import Predict
from proxy.result import Row


class Pipeline:
    """The flows of one statement: all mentions of a model share its answers."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._known: dict[bytes, Known] = {}

    def run(
        self,
        flow: Flow,
        rows: AsyncGenerator[list[Row], None],
        cursor: Cursor,
        *,
        counts: tuple[str, ...] = (),
        limited: bool = False,
    ) -> AsyncGenerator[list[Row], None]:
        """The rows behind all steps of a flow. They start with columns `counts` before the flow's
        own; what is computed of them, `cursor` computes; with `limited` they may be left early.

        Raises as Predicting and `computed` do; closes `rows`."""
        columns = (*counts, *flow.items)
        numbers = counts.index(FIRST_ROW) if FIRST_ROW in counts else None
        last = max((n for n, s in enumerate(flow.steps) if isinstance(s, Predict)), default=None)
        for at, step in enumerate(flow.steps):
            if isinstance(step, Predict):
                inputs = [columns.index(name) for name in step.inputs]
                asked = self._asking.of(step.model)
                known = self._known.setdefault(asked.model.scope, {})
                if step.in_order:
                    rows = Conversing(asked, step.outputs, inputs, numbers).run(rows)
                else:
                    predicting = Predicting(asked, step.outputs, inputs, numbers, limited, known)
                    rows = predicting.run(rows)
                rows = self._advancing(rows) if at == last else rows
                columns += tuple(output.name for output in step.outputs)
            else:
                reads = [columns.index(field.name) for field in step.reads]
                rows = computed(rows, step, reads, cursor)
                columns += step.makes
        return rows

    async def _advancing(
        self, rows: AsyncGenerator[list[Row], None]
    ) -> AsyncGenerator[list[Row], None]:
        async with aclosing(rows):
            async for batch in rows:
                self._asking.account.advance(len(batch))
                yield batch
