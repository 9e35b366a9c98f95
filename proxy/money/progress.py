"""How far a statement's predictions are, and how fast: what the process list tells of them.

It counts nothing itself, and keeps no more than a few seconds of the past.
"""

from collections import deque
from dataclasses import dataclass

from proxy.wire.processes import Progress

_SPACING = 0.25
_SAMPLES = 20


class RowRate:
    """Rows per second over the last seconds: times in seconds, of one clock."""

    def __init__(self, now: float) -> None:
        self._samples = deque([(now, 0)], maxlen=_SAMPLES)

    def note(self, now: float, done: int) -> None:
        """So many rows are done."""
        if now - self._samples[-1][0] >= _SPACING:
            self._samples.append((now, done))

    def per_second(self, now: float, done: int) -> float:
        """The rate up to now. May be asked from any thread."""
        since, before = self._samples[0]
        return (done - before) / max(now - since, _SPACING)


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures of one moment. `total` is None where nobody knows how many rows there will be."""

    done: int
    total: int | None
    in_flight: int
    cached: int
    failed: int
    rate: float

    def progress(self) -> Progress:
        """The one stage that predictions are."""
        share = min(self.done / self.total, 1.0) if self.total else None
        return Progress(1, 1, share, self._text())

    def _text(self) -> str:
        rows = f"{self.done} rows" if self.total is None else f"{self.done} of {self.total} rows"
        parts = [
            f"Predicting: {rows}",
            f"{self.in_flight} calls in flight",
            f"{self.cached} cached",
            f"{self.failed} failed",
            f"{self.rate:.3g} rows/s" if self.rate < 100 else f"{self.rate:.0f} rows/s",
        ]
        if self.total is not None and self.rate > 0:
            parts.append(f"{_time((self.total - self.done) / self.rate)} left")
        return ", ".join(parts)


def _time(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
