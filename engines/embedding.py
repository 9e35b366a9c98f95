"""Tasks as texts to embed, and the vectors that come back as their predictions.

Pure: the request is openai.py's.
"""

from collections.abc import Sequence

from engines.chat.pack import shares
from engines.chat.prompt import question
from engines.errors import BadReply
from engines.http.reply import Vectors
from engines.task import Prediction, Task


def body(tasks: Sequence[Task]) -> dict[str, object]:
    """Return the request for the vectors of `tasks`, which are of one spec."""
    spec = tasks[0].spec
    texts = [question(task) for task in tasks]
    return {"model": spec.model_name, "input": texts, **dict(spec.parameters)}


def predictions(tasks: Sequence[Task], answered: Vectors) -> list[Prediction]:
    """Return the vector of each task as compact JSON.

    Raises BadReply where there are more or fewer than tasks, or one has not the dimensions that
    were asked for, or that the others have.
    """
    vectors, usage = answered.vectors, answered.usage
    if len(vectors) != len(tasks):
        text = f"the endpoint gave {len(vectors)} embeddings for {len(tasks)} texts"
        raise BadReply(text, usage=usage)
    asked = dict(tasks[0].spec.parameters).get("dimensions")
    expected = asked if isinstance(asked, int) else len(vectors[0])
    if wrong := next((vector for vector in vectors if len(vector) != expected), None):
        text = f"the endpoint gave {len(wrong)} dimensions of an embedding, expected {expected}"
        raise BadReply(text, usage=usage)
    return [
        Prediction(_text(vector), share, quota=answered.quota)
        for vector, share in zip(vectors, shares(usage, len(tasks)), strict=True)
    ]


def _text(vector: Sequence[float]) -> str:
    return f"[{','.join(map(repr, vector))}]"
