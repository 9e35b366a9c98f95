"""How many calls may be in flight: a window that grows while answers come quickly.

Pure: time is passed in. How fast calls follow each other is the pacer's.
"""

_FIRST = 32
_LATENCY_GROWTH = 2.0
"""A smoothed latency of more than this many times the best says that the endpoint has no room."""
_FORGETTING = 0.01
"""The share by which the best latency is forgotten in a second: an endpoint may change."""
_BATCH = 8
_AT_RANDOM = 1 / 3


class Window:
    """Slow start (doubles each round trip) to the first sign of trouble, then one more each trip.

    It starts at 32 calls, or `most` where that is less, and stays between 1 and `most`.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = float(min(most, _FIRST))
        self._starting = True
        self._cut_at = float("-inf")
        self._refused = 0.0
        self._latency: float | None = None
        self._best: tuple[float, float] | None = None
        self._batch: list[float] = []
        self._batch_size = max(_BATCH, self.size)

    @property
    def size(self) -> int:
        """Calls that may be in flight now."""
        return int(self._size)

    @property
    def latency(self) -> float | None:
        """Seconds to an answer, smoothed over about a window of them; None before the first."""
        return self._latency

    def answered(self, now: float, started: float, in_flight: int) -> None:
        """A call of those `in_flight` (itself among them) has its answer."""
        self._measure(now, now - started)
        self._weigh(0.0)
        if in_flight < self._size - 1:
            return  # nobody wanted a wider one
        if not self._is_quick(now):
            self._starting = False
        elif self._starting:
            self._size = min(self._most, self._size + 1)
        else:
            self._size = min(self._most, self._size + 1 / self._size)

    def refused(self, now: float, started: float, in_flight: int) -> None:
        """A call was refused for load: halve, once for all calls that were under way, but not
        below what of them is accepted.

        A third of the answers may be refusals: those at random, whatever the load, would else
        close the window.
        """
        self._weigh(1.0)
        if started < self._cut_at:
            return
        self._starting = False
        if self._refused > _AT_RANDOM:
            accepted = min(in_flight, self._size) * (1.0 - self._refused)
            self._size = max(1.0, self._size / 2, accepted)
            self._cut_at = now

    def _weigh(self, refused: float) -> None:
        """Keep the share of refusals among about the last window of answers."""
        self._refused += (refused - self._refused) / max(8.0, self._size)

    def _measure(self, now: float, latency: float) -> None:
        weight = 2.0 / (self._size + 1.0)
        smoothed = latency if self._latency is None else self._latency
        self._latency = smoothed + weight * (latency - smoothed)
        self._batch.append(latency)
        if len(self._batch) >= self._batch_size:
            average = sum(self._batch) / len(self._batch)
            self._batch.clear()
            self._batch_size = max(_BATCH, self.size)
            self._best = (min(average, self._best_at(now, average)), now)

    def _best_at(self, now: float, default: float) -> float:
        if self._best is None:
            return default
        latency, then = self._best
        return latency * (1.0 + _FORGETTING * (now - then))

    def _is_quick(self, now: float) -> bool:
        latency = self._latency or 0.0
        return latency <= _LATENCY_GROWTH * self._best_at(now, latency)
