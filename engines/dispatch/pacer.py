"""How fast calls may follow each other: the rate that the endpoint was seen to accept.

Pure: time is passed in. How many calls may be in flight is the window's.
"""

import math

from engines.dispatch.epoch import SECOND, Epoch

_LEAST_SENT, _FEW_SENT = 10, 4
"""Calls that a rate is judged by at least, and while no limit is known."""
_LONGEST_EPOCH = 10.0
_PROBE, _FAST_PROBE, _RAMP, _LEAP = 1.04, 1.25, 1.5, 4.0
"""Growth in an epoch at a limit, far above it, and without one; back to what it was, at most."""
_ABOVE = 1.1
"""Times a limit at which it is none any more."""
_HOLD = 3.0
"""Seconds of rest after a limit was met."""
_SAFETY = 0.97
_DOUBTED = 0.9
"""The least share of a rate that went well to which one bad second may cut it: a process that
stalls sends or takes its calls all at once, and this is no limit. A second one is believed."""
_TOLERATED = 0.06
"""Share of refusals that is no reason to slow down: less than what slowing down would cost."""
_USED = 0.9
"""Share of its calls that a rate must have had to be good."""
_SHUT, _FEW = 0.75, 5.0
"""Seconds (and share) of calls that are refused where the endpoint takes none; calls."""
_ENOUGH = 20
"""Calls accepted before a pause that say more than that there was room for a few at once."""
_SLOWEST, _SLOWEST_BLIND = 1 / 600, 2.0
"""Calls a second, and where nothing is accepted: else a reopened endpoint is found late."""
_LONGEST_LAG = 4.0
_LATENESS = 0.25
"""Seconds of lateness that are caught up in the long run: processes stall."""
_CATCH_UP = 0.95
"""The least share of the even spacing, then: small buckets have no room for more."""
_JITTER = 0.01
"""Seconds of lateness that are caught up at once: timers are never exact."""


class Pacer:
    """No limit until the first refusal. Then calls are spaced evenly, and each second is judged:
    with refusals the rate becomes what was accepted; without, it grows, by 4 % at a known limit.

    After a cut a second is left out: what the old rate used up is not given again before. Where
    still as many are refused, refusals have nothing to do with the rate, until they grow with it.

    All times are seconds of one clock that never goes back.
    """

    def __init__(self) -> None:
        self._rate: float | None = None
        self._due = self._spaced = self._paused_until = self._held_until = float("-inf")
        self._epoch = Epoch(float("-inf"))
        self._lag = 0.0
        self._limit: float | None = None
        self._good = 0.0  # the rate of the epoch before, if that went well
        self._bad: Epoch | None = None  # the epoch before, if that did not
        self._before = 0.0  # the rate before the last cuts in a row
        self._doubts = 0  # cuts in a row with a share of refusals that may be noise
        self._noise = 0.0  # the share of calls refused at random
        self._quota: tuple[float, float] | None = None

    @property
    def rate(self) -> float | None:
        """Calls a second that may start, None without a limit."""
        return self._rate

    @property
    def limit(self) -> float | None:
        """Calls a second that the endpoint was seen to accept at most, None while unknown."""
        return self._limit

    @property
    def paused_until(self) -> float:
        """When calls may go on, by what the endpoint asked for; in the past where it did not."""
        return self._paused_until

    def delay(self, now: float) -> float:
        """Return the seconds until the next call may start, 0 for now."""
        if now < self._paused_until:
            return self._paused_until - now
        if self._rate is not None:
            self._judge(now, self._rate)
        return max(0.0, self._due - now, self._spaced - now)

    def started(self, now: float) -> None:
        """A call starts."""
        began = self._epoch.began
        if self._rate is None and began is not None and now - began >= SECOND:
            self._epoch = Epoch(now)
        self._epoch.started(now)
        if (rate := self._rate_at(now)) is not None:
            self._due = max(self._due, now - _LATENESS) + 1 / rate
            self._spaced = max(self._spaced, now - _JITTER) + _CATCH_UP / rate

    def refused(self, now: float, started: float, retry_after: float | None = None) -> bool:
        """A call was refused for the rate (429). Return whether that says something about load."""
        epoch = self._epoch
        epoch.refused += epoch.has(started)
        self._lag = max(now - started, 0.9 * self._lag)
        is_first = self._rate is None
        if is_first:
            self._rate = max(1, epoch.answered) / max(0.1, now - (epoch.began or now))
        if retry_after and (is_first or now < self._paused_until or self._is_shut):
            self.pause(now + retry_after)
            epoch.pause = retry_after if epoch.sent else 0.0
        elif self._is_unsure and not (self._noise or epoch.is_full or epoch.pause):
            self._set(self._rate or 1.0, now)
            self._epoch.is_full = True
        return self._noise == 0.0 or self._is_bad(epoch)

    @property
    def _is_unsure(self) -> bool:
        """Whether the rate is a first guess, or made of what came before a pause: then it is
        measured from the first refusal on, when no allowance is left over."""
        return self._limit is None or (self._bad is not None and self._bad.pause > 0)

    @property
    def _is_shut(self) -> bool:
        """Whether so much is refused that waiting is meant for all. Else a refusal is the price of
        trying a little more, and its Retry-After that call's alone."""
        epoch = self._epoch
        return epoch.refused >= max(_FEW, _SHUT * max(self._rate or 0.0, epoch.sent))

    def pause(self, until: float) -> None:
        """Start nothing before `until`."""
        self._paused_until = max(self._paused_until, until)

    def informed(self, now: float, left: float, reset: float, in_flight: int) -> None:
        """The endpoint says that it takes `left` calls more in the next `reset` seconds."""
        if left <= 0:
            self.pause(now + reset)
        elif left <= 2 * in_flight + 10 and reset > 0:
            self._quota = (left / reset, now + reset)
        else:
            self._quota = None

    def _rate_at(self, now: float) -> float | None:
        if self._quota is not None and now < self._quota[1]:
            return self._quota[0] if self._rate is None else min(self._rate, self._quota[0])
        return self._rate

    def _judge(self, now: float, rate: float) -> None:
        """End the epoch when it is long enough, and change the rate once its refusals are in."""
        epoch = self._epoch
        if epoch.began is None:
            return
        if epoch.ended is None and now - epoch.began >= self._enough(rate):
            epoch.ended = min(now, epoch.last + 1 / rate)
        lag = 0.0 if epoch.pause else min(self._lag, _LONGEST_LAG)
        if epoch.ended is None or now - epoch.ended < lag:
            return
        is_open_again = self._bad is not None and not self._bad.answered and epoch.answered > 0
        if is_open_again or not self._is_bad(epoch):
            self._raise(epoch, rate, now)
        elif self._bad is not None and epoch.is_like(self._bad, self._doubts):
            self._take_back(epoch, self._bad, rate, now)
        else:
            self._lower(epoch, rate, now)

    def _enough(self, rate: float) -> float:
        least = _FEW_SENT if self._limit is None else _LEAST_SENT
        return max(SECOND, min(least / rate, _LONGEST_EPOCH))

    def _is_bad(self, epoch: Epoch) -> bool:
        """Whether more calls are refused than by chance: two deviations above the usual noise."""
        expected = self._noise * epoch.sent
        deviation = math.sqrt(expected * (1 - self._noise))
        return epoch.refused > _TOLERATED * epoch.sent + expected + 2.0 * deviation

    def _take_back(self, epoch: Epoch, before: Epoch, rate: float, now: float) -> None:
        """Refusals are at random: undo the cut."""
        self._noise = (epoch.refused + before.refused) / (epoch.sent + before.sent)
        self._bad, self._doubts = None, 0
        self._set(max(rate, min(self._before, _RAMP * rate)), now)

    def _lower(self, epoch: Epoch, rate: float, now: float) -> None:
        found = epoch.accepted
        if not epoch.pause:
            found = max(found, _DOUBTED * min(self._good, rate))
            self._held_until = now + _HOLD
        elif epoch.answered < _ENOUGH:
            found = 0.0
        self._limit = found or None
        self._before = rate if self._bad is None else self._before
        self._doubts = self._doubts + 1 if epoch.may_be_noise else 0
        self._bad, self._good, self._noise = epoch, 0.0, 0.0
        blind = max(epoch.accepted, rate / _LEAP, min(rate, _SLOWEST_BLIND))
        self._set(_SAFETY * min(rate, found) if found else blind, now)
        self._epoch.opens = now if epoch.pause else now + SECOND

    def _raise(self, epoch: Epoch, rate: float, now: float) -> None:
        self._bad, self._doubts = None, 0
        self._noise += 0.25 * min(0.0, epoch.share - self._noise)
        if self._noise < _TOLERATED:
            self._noise = 0.0
        tried = min(rate, epoch.sent / epoch.seconds)
        is_known = self._limit is not None and tried >= _USED * rate
        self._good = rate if is_known else 0.0
        self._set(max(rate, tried * self._growth(rate, now)), now)

    def _growth(self, rate: float, now: float) -> float:
        if self._limit is None:
            asks_for_pauses = now - self._paused_until < _LONGEST_EPOCH
            return min(_RAMP if asks_for_pauses else _LEAP, max(_RAMP, self._before / rate))
        if self._noise:
            return min(_RAMP, max(_FAST_PROBE, self._before / rate))
        if rate > _ABOVE * self._limit:
            return _FAST_PROBE
        return 1.0 if now < self._held_until else _PROBE

    def _set(self, rate: float, now: float) -> None:
        self._rate = rate = max(_SLOWEST, rate)
        self._epoch = Epoch(now)
        self._due = max(now, min(self._due, now + 1 / rate))
        self._spaced = max(now, min(self._spaced, now + 1 / rate))
