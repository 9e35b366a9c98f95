"""A prompt template: literal text with `{{column}}` and `{{column | default('…')}}` placeholders.

Template text and input values are data: nothing in them is ever evaluated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from engines.errors import OptionError

_FILTER = r"""\|\s*(?:[^{}'"]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")*?"""
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s|]+)\s*(" + _FILTER + r")?\s*\}\}", re.DOTALL)
_DEFAULT = re.compile(
    r"""\|\s*default\s*\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\)\s*""", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Template:
    """`literals` has one item more than `slots`; slot i stands between literals i and i+1, and has
    the default i. No defaults at all are ()."""

    literals: tuple[str, ...]
    slots: tuple[str, ...]
    defaults: tuple[str | None, ...] = ()

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The distinct slot names, in order of first appearance."""
        return tuple(dict.fromkeys(self.slots))

    @property
    def mentions(self) -> tuple[tuple[str, str | None], ...]:
        """Each slot's name with its default, None where it has none."""
        return tuple(zip(self.slots, self.defaults or (None,) * len(self.slots), strict=True))


def parse_template(text: str) -> Template:
    """Split `text` at its placeholders; braces that form none stay text.

    In the quotes of a default a backslash stands before one of their kind, or a backslash. Raises
    OptionError for a filter other than `default('…')`.
    """
    parts = _PLACEHOLDER.split(text)
    defaults = tuple(map(_default, parts[1::3], parts[2::3]))
    return Template(
        literals=tuple(parts[0::3]),
        slots=tuple(parts[1::3]),
        defaults=defaults if any(default is not None for default in defaults) else (),
    )


def render(template: Template, inputs: Mapping[str, str | None]) -> str:
    """Fill the slots with `inputs`, None as empty text."""
    filled = [template.literals[0]]
    for slot, literal in zip(template.slots, template.literals[1:], strict=True):
        filled += [inputs[slot] or "", literal]
    return "".join(filled)


def shown(template: Template) -> str:
    """Return the template's text with its placeholders, without their defaults."""
    return render(template, {slot: "{{" + slot + "}}" for slot in template.slots})


def _default(slot: str, written: str | None) -> str | None:
    if written is None:
        return None
    match = _DEFAULT.fullmatch(written)
    if match is None:
        raise OptionError(
            f"'{{{{{slot} {written.strip()}}}}}' has no filter that is known: "
            "a placeholder may have a default, like {{column | default('…')}}"
        )
    quoted = match[1] if match[2] is None else match[2]
    return re.sub(r"\\([\\'\"])", r"\1", quoted)
