"""When a failed call is tried again, and when an endpoint is given up.

Pure, but for chance: time is passed in.
"""

import random

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 4.0
UNREACHABLE = 4.0
"""Seconds without a connection after which an endpoint is given up."""


def back_off(attempt: int, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> float:
    """Return the seconds to wait after try number `attempt`: half to all of first · 2^(n-1)."""
    pause = min(longest, first * 2.0 ** min(attempt - 1, 30))
    return pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret in it


class RetryBudget:
    """Retries are for some of the calls: an endpoint that fails them all is not hammered.

    Each success earns one and each failure costs one, up to a hundred; below fifty there are no
    retries.
    """

    _MOST = 100
    _LEAST = 50

    def __init__(self) -> None:
        self._left = self._MOST

    @property
    def allows(self) -> bool:
        """Whether a failed call may be tried again."""
        return self._left >= self._LEAST

    def succeeded(self) -> None:
        """A call has its answer."""
        self._left = min(self._MOST, self._left + 1)

    def failed(self) -> None:
        """A call failed in a way that may pass."""
        self._left = max(0, self._left - 1)


class Outage:
    """An endpoint that takes no connection: probed by one call at a time, then given up."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._answered = float("-inf")
        self._probes = 0
        self._failed = float("-inf")
        self.resumes = float("-inf")
        """When the next call may try; in the past where there is no outage."""

    @property
    def is_on(self) -> bool:
        """Whether the last call found no connection."""
        return self._since is not None

    def answered(self, now: float) -> None:
        """The endpoint answered, with whatever."""
        self._since = None
        self._probes = 0
        self.resumes = float("-inf")
        self._answered = now

    def unreachable(self, now: float, started: float) -> None:
        """A call found no connection; those under way together count once."""
        if self._since is None:
            self._since = max(started, self._answered)
        if started >= self._failed:
            self._probes += 1
            self._failed = now
            self.resumes = now + back_off(self._probes)

    @property
    def is_final(self) -> bool:
        """Whether the next probe would be too late."""
        return self._since is not None and self.resumes - self._since >= UNREACHABLE

    def forget(self) -> None:
        """Begin anew: whoever asks next is no part of what was."""
        self.answered(self._answered)
