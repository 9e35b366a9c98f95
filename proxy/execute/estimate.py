"""What a query would ask and cost, before it does: sources are read, models never called.

Prompts that are made of another model's answer are not known yet: there is an upper bound of them.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from math import ceil

from engines.task import ModelSpec
from proxy.execute.asking import Asked
from proxy.execute.conversing import open_rows
from proxy.execute.flow import Flow
from proxy.execute.predict import texts_at
from proxy.plan.nodes import Predict
from proxy.result import Row

_PRICED = 1_000_000
"""Tokens that a price is for."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one Predict would ask. `calls` are distinct prompts that are not cached, several to a
    call where the model packs them; none where the statement wants none. Tokens are estimates;
    `cost` and `seconds` are None where nobody knows a price, or how long a call takes."""

    rows: int
    prompts: int
    cached: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    seconds: float | None

    def __str__(self) -> str:
        cost = "unknown: the model has no prices" if self.cost is None else f"{self.cost:.6f}"
        time = "unknown before the first call" if self.seconds is None else f"{self.seconds:.1f} s"
        return (
            f"rows {self.rows}, distinct prompts {self.prompts}, cached {self.cached}, "
            f"calls {self.calls}, prompt tokens {self.prompt_tokens}, "
            f"completion tokens {self.completion_tokens}, cost {cost}, time {time}"
        )


@dataclass(frozen=True, slots=True)
class Bound:
    """What a Predict would ask at most, whose prompts depend on answers: another model's, or those
    before them in a conversation."""

    prompts: int

    def __str__(self) -> str:
        return f"distinct prompts at most {self.prompts}: they are made of predictions"


async def estimate(  # noqa: PLR0913, PLR0917 (what is asked, whom, and what is asked already)
    node: Predict,
    flow: Flow,
    rows: int,
    prompts: AsyncGenerator[list[Row], None],
    asked: Asked,
    before: set[bytes],
) -> Estimate | Bound:
    """What `node` would ask for the distinct `prompts` of the `rows` of its flow's Scan: a prompt's
    columns are a number, a first row, and the flow's items. The keys that other nodes of the
    statement ask are `before`, which grows by those of this one. Raises CatalogError."""
    columns = ("", "", *flow.items)
    if not all(name in columns for name in node.inputs):
        async with aclosing(prompts):
            return Bound(sum([len(batch) async for batch in prompts]))
    positions = [columns.index(name) for name in node.inputs]
    if node.in_order:
        return await _conversation(asked.model.spec, prompts, positions)
    seen: set[bytes] = set()
    cached = missed = asking = answering = 0
    may_call = asked.cache != "only"
    async with aclosing(prompts):
        async for batch in prompts:
            given = (asked.model.spec.filled(texts_at(row, positions)) for row in batch)
            tasks = dict(asked.model.task(inputs) for inputs in given if inputs is not None)
            fresh = [key for key in tasks if key not in seen]
            seen.update(fresh)
            found = await asked.cached(fresh)
            cached += len(found)
            unknown = [key for key in fresh if key not in found and key not in before]
            unknown = unknown if may_call else []
            before.update(unknown)
            missing = [tasks[key] for key in unknown]
            missed += len(missing)
            asking += sum(asked.model.gauge.prompt(task) for task in missing)
            answering += sum(asked.model.gauge.completion(task) for task in missing)
    calls = ceil(missed / asked.model.spec.rows_per_prompt)
    cost = _cost(asked, asking, answering)
    time = _seconds(asked, calls)
    return Estimate(rows, len(seen), cached, calls, asking, answering, cost, time)


async def _conversation(
    spec: ModelSpec, rows: AsyncGenerator[list[Row], None], positions: Sequence[int]
) -> Bound:
    async with aclosing(rows):
        asking = sum([open_rows(spec, batch, positions) async for batch in rows])
    return Bound(asking if spec.mode == "conversational-full" else min(1, asking))


def _cost(asked: Asked, prompt_tokens: int, completion_tokens: int) -> float | None:
    policy = asked.model.policy
    if policy.prompt_price is None or policy.completion_price is None:
        return None
    paid = prompt_tokens * policy.prompt_price + completion_tokens * policy.completion_price
    return paid / _PRICED


def _seconds(asked: Asked, calls: int) -> float | None:
    """The bound that the dispatcher works to: calls in flight, and calls per second."""
    load = asked.model.dispatcher.load
    if not calls:
        return 0.0
    if load.latency is None:
        return None
    return max(ceil(calls / load.window) * load.latency, calls / load.rate if load.rate else 0.0)
