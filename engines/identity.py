"""What tells one model's answers from another's, besides what every model has.

Pure. A model without any of it has none, so that its answers are found as they were kept.
"""

from engines.chat.template import Template
from engines.task import ModelSpec, Value


def added(spec: ModelSpec) -> dict[str, Value]:
    """Return what decides the spec's answers beyond model name, template text, targets' types and
    labels, and parameters; only what is not as usual, as JSON can say it."""
    decides: dict[str, Value] = {
        "defaults": list(spec.template.defaults),
        "system": None if spec.system is None else _told(spec.system),
        "mode": None if spec.mode == "default" else spec.mode,
        "structs": [_listed(target.struct) for target in spec.targets if target.struct],
        "examples": [[list(one.inputs), list(one.values)] for one in spec.examples],
    }
    return {name: value for name, value in decides.items() if value}


def _told(template: Template) -> Value:
    return [list(template.literals), list(template.slots), list(template.defaults)]


def _listed(struct: object) -> Value:
    if isinstance(struct, tuple):
        return [_listed(part) for part in struct]
    return str(struct)
