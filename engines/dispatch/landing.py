"""What becomes of calls: answers given and kept, rows failed, statements failed, tries to come.

It starts no call; a flight that is to be tried again goes back in line.
"""

import logging

from engines.dispatch.gate import Gate
from engines.dispatch.line import Line
from engines.dispatch.register import Register
from engines.dispatch.retries import RetryBudget, back_off
from engines.dispatch.share import Call, Flight, Share
from engines.errors import (
    AuthenticationFailed,
    BadReply,
    EndpointFailed,
    EndpointUnreachable,
    EngineError,
    HandlerUnavailable,
    ModelNotServed,
    RateLimited,
)
from engines.limits import Limits
from engines.task import Prediction, Task, sound
from engines.usage import NO_USAGE

FATAL = (AuthenticationFailed, ModelNotServed, HandlerUnavailable)
"""What would meet every other row too: it fails the statement, not the row. EndpointUnreachable
joins them once there was no connection for seconds."""

_REFUSED_PAUSE = (0.05, 0.5)
_log = logging.getLogger(__name__)


class Landing:
    """The landings of one engine's calls."""

    def __init__(self, gate: Gate, register: Register, line: Line, limits: Limits) -> None:
        self._gate = gate
        self._register = register
        self._line = line
        self._limits = limits
        self._budget = RetryBudget()

    def land(
        self,
        call: Call,
        outcome: list[Prediction | EngineError] | EngineError,
        now: float,
        in_flight: int,
    ) -> None:
        """Learn from a call, one of `in_flight`, and move all of its flights on: answered, failed
        or back in line."""
        if isinstance(outcome, EngineError):
            self._failed(call, outcome, now, in_flight)
            return
        self._budget.succeeded()
        answers = [one for one in outcome if isinstance(one, Prediction)]
        used = sum(one.usage.prompt_tokens + one.usage.completion_tokens for one in answers)
        self._gate.answered(now, call.started, in_flight, call.tokens, used)
        if answers and answers[-1].quota is not None:
            self._gate.informed(now, answers[-1].quota, in_flight)
        for flight, payer, one in zip(call.flights, call.payers, outcome, strict=True):
            if isinstance(one, Prediction):
                self._answered(flight, payer, one, now - call.started)
            else:
                _settle(payer, flight.task, _failed(one, now - call.started))
                if flight.askers:
                    flight.pack_limit = 1
                    self._line.put_back([flight])

    def _answered(
        self, flight: Flight, payer: Share, prediction: Prediction, latency: float
    ) -> None:
        answer = Prediction(
            None if prediction.value is None else sound(prediction.value),
            prediction.usage,
            prediction.error,
            latency,
            truncated=prediction.truncated,
        )
        _settle(payer, flight.task, answer)
        if flight.mode in ("on", "refresh") and answer.error is None and not answer.truncated:
            _keep(payer, flight.key, answer)
        self._register.resolve(flight, answer, payer)

    def _failed(self, call: Call, error: EngineError, now: float, in_flight: int) -> None:
        """A call as a whole failed: fail its statements, its rows, or try it again."""
        self._gate.failed(now, call.started, in_flight, call.tokens, error)
        if isinstance(error, RateLimited) and error.quota is not None:
            self._gate.informed(now, error.quota, in_flight)
        failed = _failed(error, now - call.started)
        for flight, payer in zip(call.flights, call.payers, strict=True):
            _settle(payer, flight.task, failed)
            flight.payer = payer
        flights = [flight for flight in call.flights if flight.askers]
        if isinstance(error, FATAL):
            self._register.fail_all(flights, error)
        elif isinstance(error, EndpointUnreachable):
            self._no_connection(flights, failed, now)
        elif isinstance(error, EndpointFailed) and not error.transient and len(call.flights) > 1:
            self._split(flights, len(call.flights))
        else:
            self._try_again(flights, failed, error, now)

    def _no_connection(self, flights: list[Flight], failed: Prediction, now: float) -> None:
        """Try first again what found no connection, until the endpoint is given up for all."""
        if self._gate.outage.is_final:
            self._gate.outage.forget()
            if failed.error is not None:
                self._register.fail_everyone(failed.error)
            return
        for flight in flights:
            if now >= self._last_moment(flight):
                self._register.resolve(flight, failed, flight.payer)
        self._line.put_back(flight for flight in flights if flight.askers)

    def _split(self, flights: list[Flight], count: int) -> None:
        """Ask a pack that was refused again in two: it was too long, or one row spoils it."""
        for flight in flights:
            flight.pack_limit = (count + 1) // 2
        self._line.put_back(flights)

    def _try_again(
        self, flights: list[Flight], failed: Prediction, error: EngineError, now: float
    ) -> None:
        if not flights:
            return
        is_refused = isinstance(error, RateLimited)
        if error.transient and not is_refused:
            self._budget.failed()
        for flight in flights:
            flight.refusals += is_refused
            flight.tries += not is_refused
        if isinstance(error, RateLimited):
            pause = back_off(max(flight.refusals for flight in flights), *_REFUSED_PAUSE)
            resumed = max(now + max(pause, error.retry_after or 0.0), self._gate.paused_until)
        else:
            resumed = now + back_off(max(flight.tries for flight in flights))
        for flight in flights:
            spent = flight.tries > self._limits.max_retries or not self._budget.allows
            is_final = not error.transient or (spent and not is_refused)
            if is_final or resumed >= self._last_moment(flight):
                self._register.resolve(flight, failed, flight.payer)
            else:
                self._line.put_back_at(flight, resumed)

    def _last_moment(self, flight: Flight) -> float:
        """Return when a flight's next try would be too late."""
        began = flight.began if flight.began is not None else float("inf")
        never = float("inf")
        latest = max(
            (never if share.deadline is None else share.deadline for share in flight.askers),
            default=never,
        )
        return min(began + self._limits.retry_deadline, latest)


def _failed(error: EngineError, latency: float) -> Prediction:
    """Return what stands for an error: an answer that was no use has its price all the same."""
    usage = error.usage if isinstance(error, BadReply) else NO_USAGE
    return Prediction(None, usage, error, latency)


def _keep(share: Share, key: bytes, answer: Prediction) -> None:
    try:
        share.answers.keep(key, answer)
    except Exception:
        _log.exception("an answer could not be cached")


def _settle(share: Share, task: Task, prediction: Prediction) -> None:
    try:
        share.payer.settle(task, prediction)
    except Exception:
        _log.exception("a call could not be accounted for")
