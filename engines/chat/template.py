"""A prompt template: literal text with `{{column}}` placeholders.

Template text and input values are data: nothing in them is ever evaluated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Template:
    """`literals` has one item more than `slots`; slot i stands between literals i and i+1."""

    literals: tuple[str, ...]
    slots: tuple[str, ...]

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The distinct slot names, in order of first appearance."""
        return tuple(dict.fromkeys(self.slots))


def parse_template(text: str) -> Template:
    """Split `text` at its placeholders; braces that form none stay text."""
    parts = _PLACEHOLDER.split(text)
    return Template(literals=tuple(parts[0::2]), slots=tuple(parts[1::2]))


def render(template: Template, inputs: Mapping[str, str | None]) -> str:
    """Fill the slots with `inputs`, None as empty text."""
    filled = [template.literals[0]]
    for slot, literal in zip(template.slots, template.literals[1:], strict=True):
        filled += [inputs[slot] or "", literal]
    return "".join(filled)
