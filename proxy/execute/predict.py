"""The Predict node: distinct inputs to the engine, its answers back as a column.

How calls are scheduled is the engines' business; what failed becomes NULL and a warning.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import aclosing

from sqlglot import exp

from catalog.database import Cursor
from engines.errors import EngineError
from engines.scheduler import predict_all
from engines.task import Prediction, Task
from proxy.execute.constant import Row, text_of
from proxy.execute.engine_pool import LiveModel
from proxy.plan.nodes import Predict

Warn = Callable[[EngineError], None]


async def run_predict(
    node: Predict, child: str, cursor: Cursor, model: LiveModel, warn: Warn
) -> None:
    """Make the relation `node.name`: the rows of the relation `child` with the predicted column.

    Each distinct combination of inputs is asked once; one that is all NULL is NULL without a
    call. Raises EngineError for what would meet every row: key, model, endpoint.
    """
    prompts = await cursor.execute(_distinct(node, child))
    predictions = await _ask(model, prompts)
    for prediction in predictions:
        if prediction.error is not None:
            warn(prediction.error)
    answers = [
        [*prompt, prediction.value] for prompt, prediction in zip(prompts, predictions, strict=True)
    ]
    await cursor.execute(_join(node, child), [json.dumps(answers)])


async def predict_row(node: Predict, child: Row, model: LiveModel, warn: Warn) -> Row:
    """The one-row relation `node.name`; as run_predict, without DuckDB."""
    inputs = tuple(text_of(child[name]) for name in node.inputs)
    value = None
    if any(given is not None for given in inputs):
        (prediction,) = await _ask(model, [inputs])
        value = prediction.value
        if prediction.error is not None:
            warn(prediction.error)
    return {**child, node.target: exp.cast(exp.convert(value), exp.DataType.build("text"))}


async def _ask(model: LiveModel, prompts: Sequence[tuple[str | None, ...]]) -> list[Prediction]:
    # NULL beside a given value is empty text in the prompt: the two are one task
    tasks = (Task(model.spec, tuple(value or "" for value in prompt)) for prompt in prompts)
    async with aclosing(predict_all(model.engine, tasks)) as predictions:
        return [prediction async for prediction in predictions]


def _distinct(node: Predict, child: str) -> str:
    """The distinct inputs in the order of their first rows; rows in order land in order."""
    names = ", ".join(node.inputs)
    given = " OR ".join(f"{name} IS NOT NULL" for name in node.inputs)
    return f"SELECT {names} FROM {child} WHERE {given} GROUP BY {names} ORDER BY min(rowid)"


def _join(node: Predict, child: str) -> str:
    """Answers travel as one JSON text: DuckDB reads that a hundred times faster than a list."""
    same = " AND ".join(
        f"c.{name} IS NOT DISTINCT FROM a.answer[{n}]" for n, name in enumerate(node.inputs, 1)
    )
    return (
        f"CREATE OR REPLACE TEMP TABLE {node.name} AS "
        f"SELECT c.*, a.answer[{len(node.inputs) + 1}] AS {node.target} FROM {child} AS c "
        "LEFT JOIN (SELECT unnest(from_json($1, '[[\"VARCHAR\"]]')) AS answer) AS a "
        f"ON {same} ORDER BY c.rowid"
    )
