"""One question, asked again once where the reply is not what was asked for.

How it is asked is the engine's; what a reply means, answer.py's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from engines.answer import prediction
from engines.errors import BadReply
from engines.http.reply import Completion
from engines.task import ModelSpec, Prediction


@dataclass(frozen=True, slots=True)
class Mistake:
    """A reply that was no answer, and what is wrong with it."""

    completion: Completion
    error: BadReply


async def ask_twice(
    spec: ModelSpec, ask: Callable[[Mistake | None], Awaitable[Completion]]
) -> Prediction:
    """Return the answer to `ask`, which is told of a first reply that was a mistake.

    The tokens of both add up. Raises BadReply where the second reply is no better, or the first
    was cut off, as a second would be; and what `ask` raises. May be cancelled.
    """
    completion = await ask(None)
    try:
        return prediction(spec, completion)
    except BadReply as error:
        if completion.finish_reason == "length":
            raise
        mistake = Mistake(completion, error)
    try:
        repaired = prediction(spec, await ask(mistake))
    except BadReply as error:
        error.usage += completion.usage
        raise
    return replace(repaired, usage=completion.usage + repaired.usage)
