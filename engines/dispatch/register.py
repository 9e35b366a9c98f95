"""All open questions of an engine by their key, and the ends that they may come to.

It starts nothing; abandoned calls it cancels.
"""

from collections.abc import Iterable
from dataclasses import replace

from engines.dispatch.share import CacheMode, Call, Flight, Future, Share, State
from engines.task import Prediction, Task


class Register:
    """One flight for each key and mode, from its first asker to its answer."""

    def __init__(self) -> None:
        self._flights: dict[tuple[CacheMode, bytes], Flight] = {}

    def join(self, share: Share, key: bytes, task: Task, future: Future) -> tuple[Flight, Future]:
        """Have a share wait for a key; return the flight, and the future that will tell.

        That is `future`, unless the share waits for the key already.
        """
        flight = self._flights.get((share.mode, key))
        if flight is None:
            flight = self._flights[share.mode, key] = Flight(key, share.mode, task)
        elif share in flight.askers:
            return flight, flight.askers[share]
        flight.askers[share] = future
        share.open[flight] = None
        return flight, future

    def resolve(self, flight: Flight, prediction: Prediction, payer: Share | None) -> None:
        """Give an answer to all who wait for it; for all but a `payer` it is cached."""
        self._forget(flight)
        joined = None
        for share, future in flight.askers.items():
            share.open.pop(flight, None)
            if future.done():
                continue
            if payer is None or share is payer:
                future.set_result(prediction)
            else:
                joined = joined or replace(prediction, cached=True)
                future.set_result(joined)
        flight.askers.clear()

    def fail_all(self, flights: Iterable[Flight], error: BaseException) -> None:
        """Give an error to all shares that wait for one of `flights`."""
        for share in {share: None for flight in flights for share in flight.askers}:
            self.fail(share, error)

    def fail_everyone(self, error: BaseException) -> None:
        """Give an error to all who wait for anything."""
        self.fail_all(list(self._flights.values()), error)

    def fail(self, share: Share, error: BaseException) -> None:
        """Give an error to all that a share waits for, and to all that it will ask."""
        share.failure = share.failure or error
        self.abandon(share)

    def expire(self, share: Share, late: Prediction) -> None:
        """Answer all that a share waits for, and all that it will ask, with `late`."""
        share.late = late
        self.abandon(share)

    def abandon(self, share: Share) -> None:
        """Take a share off all its flights, and cancel the calls that nobody else waits for."""
        share.queue.clear()
        left = [(flight, flight.askers.pop(share)) for flight in share.open]
        share.open.clear()
        for flight, future in left:
            share.give_up(future)
            if flight.askers or flight.state is State.DONE:
                continue
            if flight.call is None:
                self._forget(flight)
            elif not any(other.askers for other in flight.call.flights):
                self._cancel(flight.call)

    def _cancel(self, call: Call) -> None:
        call.is_abandoned = True
        for flight in call.flights:
            self._forget(flight)
        if call.task is not None:
            call.task.cancel()

    def _forget(self, flight: Flight) -> None:
        flight.state = State.DONE
        if self._flights.get((flight.mode, flight.key)) is flight:
            del self._flights[flight.mode, flight.key]
