"""Calls that were sent at one rate, and how many of them were refused: what the pacer learns from.

Pure: time is passed in. What follows from it for the rate is the pacer's.
"""

from dataclasses import dataclass

SECOND = 1.0
"""Seconds of sending at one rate before it is judged: what endpoints count in is a second."""
_SHORTEST = 0.1
_LEAST_NOISE, _MOST_NOISE = 0.06, 0.45
"""Shares of refusals that may be no matter of the rate."""


@dataclass(slots=True)
class Epoch:
    """Calls sent at one rate: those before `opens` do not count, the first that does is at `began`,
    the last at `last`. Where the endpoint asked for a pause in it, that has `pause` seconds.

    It `is_full` from a refusal on: what is accepted then is what the endpoint takes.
    """

    opens: float
    is_full: bool = False
    began: float | None = None
    last: float = 0.0
    ended: float | None = None
    sent: int = 0
    refused: int = 0
    pause: float = 0.0

    def started(self, now: float) -> None:
        """A call starts: it counts unless the epoch is over."""
        if self.ended is None and now >= self.opens:
            self.began = now if self.began is None else self.began
            self.last = now
            self.sent += 1

    def has(self, started: float) -> bool:
        """Whether a call that started then is one of these."""
        is_over = self.ended is not None and started > self.ended
        return self.began is not None and started >= self.began and not is_over

    @property
    def answered(self) -> int:
        """Calls that were not refused."""
        return self.sent - self.refused

    @property
    def share(self) -> float:
        """The share refused, from 0 to 1."""
        return self.refused / max(1, self.sent)

    @property
    def seconds(self) -> float:
        """How long these calls took to send; with a pause, as long as they were enough for."""
        seconds = 0.0 if self.ended is None or self.began is None else self.ended - self.began
        return max(SECOND, self.pause, seconds) if self.pause else max(_SHORTEST, seconds)

    @property
    def accepted(self) -> float:
        """Calls accepted a second."""
        return self.answered / self.seconds

    @property
    def may_be_noise(self) -> bool:
        """Whether so many are refused as may be refused at random."""
        return _LEAST_NOISE <= self.share <= _MOST_NOISE

    def is_like(self, before: "Epoch", doubts: int) -> bool:
        """Whether the share refused is rather the one of `before`, at a higher rate, than what is
        left of it where that was the limit; with more than one of `doubts`, whether any is."""
        if not (self.may_be_noise and before.may_be_noise):
            return False
        by_limit = max(0.0, 1 - before.accepted * self.seconds / self.sent)
        is_told = before.share - by_limit >= _LEAST_NOISE
        least, most = (before.share + by_limit) / 2, 2 * before.share
        return is_told and (doubts > 1 or least <= self.share <= most)
