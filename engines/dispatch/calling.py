"""One call of an engine, alone or as a pack: every way it may end becomes an answer or an error.

When it is made, and made again, is the dispatcher's.
"""

import asyncio
import logging
from collections.abc import Sequence

from engines.base import Engine, Packing
from engines.dispatch.prefix import rendered
from engines.errors import BadReply, EndpointFailed, EndpointTimeout, EngineError
from engines.task import Prediction, Task

_TOKENS_OF_ANSWER = 256
_log = logging.getLogger(__name__)


async def call_engine(
    engine: Engine, tasks: Sequence[Task], deadline: float, seconds: float
) -> list[Prediction | EngineError]:
    """Make one call for `tasks`, more than one only of an engine that packs; an answer for each.

    Raises EngineError where the call as a whole failed: EndpointTimeout at `deadline`, in the
    event loop's time, which is `seconds` after the first try. May be cancelled.
    """
    timeout = asyncio.timeout_at(deadline)
    try:
        async with timeout:
            if len(tasks) == 1:
                return [await engine.predict(tasks[0])]
            assert isinstance(engine, Packing)
            return _complete(await engine.predict_pack(tasks), len(tasks))
    except EngineError:
        raise
    except TimeoutError as error:
        if timeout.expired():
            late = f"no answer within the {seconds:g} seconds that a call may take"
            raise EndpointTimeout(late) from error
        raise _foreign(error) from error
    except Exception as error:
        raise _foreign(error) from error


def _complete(
    answers: Sequence[Prediction | EngineError], count: int
) -> list[Prediction | EngineError]:
    if len(answers) != count:
        raise BadReply(f"the engine gave {len(answers)} answers to {count} questions")
    return list(answers)


def _foreign(error: Exception) -> EndpointFailed:
    """An engine that breaks the contract costs its row, and a line in the log."""
    _log.error("an engine failed with no error of ours", exc_info=error)
    return EndpointFailed(f"the engine failed with {type(error).__name__}")


def estimate_tokens(task: Task) -> float:
    """Estimate the tokens of a task: four characters a token, and the longest answer."""
    if task.spec.mode == "embedding":
        return len(rendered(task)) / 4
    options = dict(task.spec.parameters)
    most = options.get("max_completion_tokens", options.get("max_tokens", _TOKENS_OF_ANSWER))
    answer = most if isinstance(most, int) else _TOKENS_OF_ANSWER
    return len(rendered(task)) / 4 + answer
