"""Who is next: shares in turn, each with its questions in line.

It knows no engine and no time but what it is told.
"""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush

from engines.dispatch.share import Flight, Share, State


class Line:
    """Places go round the shares that have something queued, one at a time."""

    def __init__(self) -> None:
        self._turns: deque[Share] = deque()
        self._parked: list[Share] = []
        self._waiting: list[tuple[float, int, Flight]] = []
        self._count = 0

    def __bool__(self) -> bool:
        """Whether it is anybody's turn."""
        return bool(self._turns)

    @property
    def has_parked(self) -> bool:
        """Whether a share waits for its budget."""
        return bool(self._parked)

    @property
    def wakes(self) -> float | None:
        """When the next question is tried again."""
        return self._waiting[0][0] if self._waiting else None

    def add(self, share: Share, flight: Flight) -> None:
        """Queue a flight for one who waits for it, last in line."""
        share.queue.append(flight)
        self._list(share)

    def add_all(self, flights: Iterable[Flight]) -> None:
        """Queue flights for all who wait for them, last in line."""
        for flight in flights:
            flight.state = State.QUEUED
            for share in flight.askers:
                self.add(share, flight)

    def put_back(self, flights: Iterable[Flight]) -> None:
        """Queue flights for all who wait for them, first in line, in their order."""
        for flight in reversed(list(flights)):
            flight.state = State.QUEUED
            for share in flight.askers:
                share.queue.appendleft(flight)
                self._list(share)

    def put_back_at(self, flight: Flight, moment: float) -> None:
        """Put a flight back at that moment; until then others have its place."""
        flight.state = State.WAITING
        self._count += 1
        heappush(self._waiting, (moment, self._count, flight))

    def wake(self, now: float) -> None:
        """Put back the flights whose moment has come."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            flight = heappop(self._waiting)[2]
            if flight.state is State.WAITING:
                due.append(flight)
        self.put_back(due)

    def turn(self) -> Share:
        """Return whose turn it is; it is the others' turn then."""
        share = self._turns.popleft()
        share.is_listed = False
        return share

    def stay(self, share: Share) -> None:
        """Give a share another turn after the others, if it has something queued."""
        if share.queue:
            self._list(share)

    def park(self, share: Share) -> None:
        """Give a share no turn until `unpark`."""
        share.is_parked = True
        self._parked.append(share)

    def unpark(self) -> None:
        """Give all shares their turns again."""
        parked, self._parked = self._parked, []
        for share in parked:
            share.is_parked = False
            self.stay(share)

    def _list(self, share: Share) -> None:
        if not share.is_listed and not share.is_parked:
            share.is_listed = True
            self._turns.append(share)
