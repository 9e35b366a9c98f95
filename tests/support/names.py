"""What changes from run to run, ports and folders above all, and the names that a file has for it.

It knows no file.
"""

import re
from dataclasses import dataclass

FIXED = ("_host", "_user", "_password", "_region")
"""Endings of names whose values are the same in every run: an answer shows the value itself."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names with their values; `${name}` in a text stands for the value."""

    values: dict[str, str]

    def fill(self, text: str) -> str:
        """The text with values for names."""
        for name, value in self.values.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    def neutral(self, text: str) -> str:
        """The text with names for values, where these stand alone."""
        for name, value in self.values.items():
            if not name.endswith(FIXED):
                whole = rf"(?<!\w){re.escape(value)}(?!\w)"
                text = re.sub(whole, f"${{{name}}}", text)
        return text
