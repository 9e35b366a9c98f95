"""The type of a target as CREATE MODEL would say it: what RETRAIN keeps and SHOW CREATE prints.

What a type means stands in engines/types.py.
"""

from catalog.records import ModelRecord, TargetRecord
from engines.chat.labels import infer_labels
from engines.chat.template import parse_template
from engines.types import Type


def written_type(target: TargetRecord, model: ModelRecord) -> str:
    """As MySQL writes it. A text whose labels its template does not write out was made as an ENUM,
    before targets had types."""
    if target.type != "text" or not target.labels:
        return target.type
    template = parse_template(str(model.options.get("prompt_template", "")))
    inferred = infer_labels(template) == target.labels
    return target.type if inferred else str(Type("enum", labels=target.labels))
