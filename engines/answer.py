"""A completion of one task read as its prediction.

Pure: what the reply's text means is prompt.py's.
"""

from engines.chat import prompt
from engines.errors import BadReply
from engines.http.reply import Completion
from engines.task import ModelSpec, Prediction


def prediction(spec: ModelSpec, completion: Completion) -> Prediction:
    """Return what a completion says for the spec's targets.

    Raises BadReply, with the usage, where that is not what was asked for; a label that was cut off
    is not, for it may be the start of another, nor is an
    object without its end.
    """
    cut_off = completion.finish_reason == "length"
    if cut_off and not _is_whole(spec, completion.text):
        raise _cut_off(spec, completion)
    try:
        value = prompt.read(spec, completion.text)
    except BadReply as error:
        if cut_off:
            raise _cut_off(spec, completion) from error
        error.usage = completion.usage
        raise
    return Prediction(
        value,
        completion.usage,
        quota=completion.quota,
        truncated=cut_off and not spec.is_object,
    )


def _is_whole(spec: ModelSpec, text: str) -> bool:
    """Whether a reply that was cut off may be read: free text, or an object with its end."""
    return not spec.is_labelled and (not spec.is_object or text.rstrip().endswith(("}", "```")))


def _cut_off(spec: ModelSpec, completion: Completion) -> BadReply:
    names = ", ".join(f"'{target.name}'" for target in spec.targets)
    return BadReply(
        f"the answer for {names} was cut off: give it more max_tokens",
        usage=completion.usage,
    )
