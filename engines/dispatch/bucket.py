"""A hard bound of so much a minute, evenly spent.

Pure: time is passed in.
"""


class Bucket:
    """At most `per_minute` in any minute, a second's worth at once.

    The amount of a call is known for sure only after it: `spend` takes an estimate, `correct` the
    difference. Negative contents wait until they are filled up.
    """

    def __init__(self, per_minute: float) -> None:
        self._most = max(1.0, per_minute / 60)
        self._rate = (per_minute - self._most + 1) / 60 if per_minute > 1 else per_minute / 60
        self._content = self._most
        self._then: float | None = None
        self._usual = 1.0

    @property
    def rate(self) -> float:
        """What comes in, per second."""
        return self._rate

    def delay(self, now: float) -> float:
        """Return the seconds until the usual amount is there."""
        missing = min(self._usual, self._most) - self._content_at(now)
        return missing / self._rate if missing > 1e-9 else 0.0

    def spend(self, now: float, amount: float) -> None:
        """Take `amount` out."""
        self._content = self._content_at(now) - amount
        self._then = now
        self._usual += 0.1 * (amount - self._usual)

    def correct(self, difference: float) -> None:
        """Give back what was taken too much; negative where it was too little."""
        self._content = min(self._most, self._content + difference)

    def _content_at(self, now: float) -> float:
        elapsed = 0.0 if self._then is None else now - self._then
        return min(self._most, self._content + elapsed * self._rate)
