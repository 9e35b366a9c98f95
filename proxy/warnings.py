"""The warnings of a statement: what SHOW WARNINGS shows, bounded, with equal ones counted."""

from dataclasses import dataclass, field

MAX_SHOWN = 1024
"""MySQL's max_error_count."""

INFORMATION = 1003
"""The code of MySQL's notes that inform of what was done (ER_YES)."""


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 (Warning is a built-in exception)
    """One line of SHOW WARNINGS. `level` is Note, Warning or Error."""

    level: str
    code: int
    message: str


@dataclass(slots=True)
class Warnings:
    """The warnings of one session's last statement."""

    _counts: dict[Warning_, int] = field(default_factory=dict)
    total: int = 0
    """How many there were, shown or not."""

    def add(self, level: str, code: int, message: str) -> None:
        """Remember one. Beyond MAX_SHOWN different ones only their number is kept."""
        warning = Warning_(level, code, message)
        self.total += 1
        if warning in self._counts or len(self._counts) < MAX_SHOWN:
            self._counts[warning] = self._counts.get(warning, 0) + 1

    def shown(self) -> list[Warning_]:
        """The lines to show; one that came more than once says how often."""
        return [
            w if n == 1 else Warning_(w.level, w.code, f"{w.message} ({n} times)")
            for w, n in self._counts.items()
        ]

    def clear(self) -> None:
        """A new statement begins."""
        self._counts.clear()
        self.total = 0
