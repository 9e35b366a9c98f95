"""A completion of one task read as its prediction.

Pure: what the reply's text means is prompt.py's.
"""

from engines.chat import prompt
from engines.errors import BadReply
from engines.http.reply import Completion
from engines.task import Prediction, Target


def prediction(target: Target, completion: Completion) -> Prediction:
    """Return what a completion says for `target`.

    Raises BadReply, with the usage, where it is no label, or one that was cut off: that may be the
    start of another.
    """
    cut_off = completion.finish_reason == "length"
    if cut_off and target.labels:
        raise BadReply(
            f"the answer for '{target.name}' was cut off: give it more max_tokens",
            usage=completion.usage,
        )
    try:
        value = prompt.parse_reply(target, completion.text)
    except BadReply as error:
        error.usage = completion.usage
        raise
    return Prediction(
        value,
        completion.usage,
        quota=completion.quota,
        truncated=cut_off,
    )
