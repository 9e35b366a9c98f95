"""Whether a call may start now: window, pace, hard bounds and outages of one engine, together.

It starts nothing and holds no clock: time is passed in.
"""

import math

from engines.dispatch.bucket import Bucket
from engines.dispatch.pacer import Pacer
from engines.dispatch.retries import Outage
from engines.dispatch.window import Window
from engines.errors import EndpointFailed, EndpointUnreachable, EngineError, RateLimited
from engines.limits import Limits
from engines.quota import Quota

_SPARE = 1.25
_OVERLOADED = 503


class Gate:
    """What all calls of an engine pass. Times are seconds of the event loop's clock."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.max_concurrency
        self._window = Window(limits.max_concurrency)
        self._pacer = Pacer()
        self._requests = _bucket(limits.requests_per_minute)
        self._tokens = _bucket(limits.tokens_per_minute)
        self._tokens_a_call = 1.0
        self.outage = Outage()
        self.refusal: RateLimited | None = None

    @property
    def window(self) -> int:
        """Calls that may be in flight now: never less than the accepted rate keeps busy."""
        if self.outage.is_on:
            return 1
        rate, latency = self._pacer.rate, self._window.latency
        if rate is None or latency is None:
            return self._window.size
        return min(self._most, max(self._window.size, math.ceil(_SPARE * rate * latency)))

    @property
    def latency(self) -> float | None:
        """Seconds to an answer, smoothed; None before the first."""
        return self._window.latency

    @property
    def rate(self) -> float | None:
        """Calls a second that may start, None without a limit."""
        rates = [self._pacer.rate, self._requests.rate if self._requests else None]
        if self._tokens:
            rates.append(self._tokens.rate / self._tokens_a_call)
        return min((rate for rate in rates if rate is not None), default=None)

    @property
    def paused_until(self) -> float:
        """Until when the endpoint asked for no more calls; in the past where it did not."""
        return self._pacer.paused_until

    def delay(self, now: float, in_flight: int) -> float | None:
        """Return the seconds until a call may start, 0 for now, None until one lands."""
        if in_flight >= self.window:
            return None
        delay = max(self._pacer.delay(now), self.outage.resumes - now, 0.0)
        if self._requests is not None:
            delay = max(delay, self._requests.delay(now))
        if self._tokens is not None:
            delay = max(delay, self._tokens.delay(now))
        return delay

    @property
    def counts_tokens(self) -> bool:
        """Whether `started` needs to know the tokens of a call."""
        return self._tokens is not None

    def started(self, now: float, tokens: float) -> None:
        """A call of an estimated number of tokens starts."""
        self._pacer.started(now)
        if self._requests is not None:
            self._requests.spend(now, 1.0)
        if self._tokens is not None:
            self._tokens.spend(now, tokens)

    def answered(
        self, now: float, started: float, in_flight: int, estimated: float, used: float
    ) -> None:
        """A call brought its answer, of `used` tokens (0 where the endpoint does not count)."""
        self.outage.answered(now)
        self._window.answered(now, started, in_flight)
        if used:
            self._tokens_a_call += 0.1 * (used - self._tokens_a_call)
            if self._tokens is not None:
                self._tokens.correct(estimated - used)

    def failed(
        self, now: float, started: float, in_flight: int, estimated: float, error: EngineError
    ) -> None:
        """A call failed."""
        if isinstance(error, EndpointUnreachable):
            self.outage.unreachable(now, started)
        else:
            self.outage.answered(now)
        if isinstance(error, RateLimited):
            is_load = self._pacer.refused(now, started, error.retry_after)
            if is_load and self._pacer.limit is not None:
                self._window.refused(now, started, in_flight)
            self.refusal = error
            if self._tokens is not None:
                self._tokens.correct(estimated)
        elif isinstance(error, EndpointFailed) and error.status == _OVERLOADED:
            self._window.refused(now, started, in_flight)

    def informed(self, now: float, quota: Quota, in_flight: int) -> None:
        """The endpoint told what is left of its limits: the tighter one counts."""
        told = []
        if quota.remaining_requests is not None and quota.reset_requests is not None:
            told.append((float(quota.remaining_requests), quota.reset_requests))
        if quota.remaining_tokens is not None and quota.reset_tokens is not None:
            calls = quota.remaining_tokens // max(1.0, self._tokens_a_call)
            told.append((calls, quota.reset_tokens))
        if not told:
            return
        left, reset = min(told, key=lambda limit: limit[0] / max(limit[1], 1e-3))
        self._pacer.informed(now, left, reset, in_flight)
        if left <= 0:
            self.refusal = RateLimited(f"the endpoint takes no more calls for {reset:g} seconds")


def _bucket(per_minute: float | None) -> Bucket | None:
    return None if per_minute is None else Bucket(per_minute)
