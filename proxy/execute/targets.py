"""The type of a target as CREATE MODEL would say it: what RETRAIN keeps and SHOW CREATE prints.

What a type means stands in engines/types.py.
"""

from catalog.records import ModelRecord, TargetRecord
from engines.chat.labels import infer_labels
from engines.chat.template import parse_template
from engines.types import Type

_PROMPTS = ("prompt_template", "system", "prompt")
"""The options that labels of a text may be written out in."""


def written_type(target: TargetRecord, model: ModelRecord) -> str:
    """As MySQL writes it. A text whose labels no prompt of it writes out was made as an ENUM,
    before targets had types."""
    if target.type != "text" or not target.labels:
        return target.type
    prompts = (parse_template(str(model.options.get(name, ""))) for name in _PROMPTS)
    if any(infer_labels(prompt) == target.labels for prompt in prompts):
        return target.type
    return str(Type("enum", labels=target.labels))
