"""What the played endpoint counts, and the form in which it tells it.

It counts and times; it decides nothing.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stats:
    """The endpoint since it was last told how to behave. Times are those of time.monotonic().

    `statuses` counts the answers by HTTP status, `abandoned` the calls whose client went first;
    `idle_since` is when the last call in flight ended. `latency_sum` and `latency_longest` are of
    the calls that were taken in, as scheduled. The three last are the moments of arrivals, of
    refusals by the rate limit and of answers with status 200.
    """

    calls: int
    distinct: int
    statuses: dict[str, int]
    abandoned: int
    in_flight: int
    max_in_flight: int
    idle_since: float
    latency_sum: float
    latency_longest: float
    prompt_characters: int
    fresh_characters: int
    arrivals: Sequence[float]
    refusals: Sequence[float]
    answers: Sequence[float]

    @property
    def answered(self) -> int:
        """Calls that got their answer."""
        return self.statuses.get("200", 0)

    @property
    def failed(self) -> int:
        """Calls that were answered with a failure."""
        return sum(self.statuses.values()) - self.answered


@dataclass(slots=True)
class Tally:
    """The counters themselves."""

    prompts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    abandoned: int = 0
    in_flight: int = 0
    max_in_flight: int = 0
    idle_since: float = 0.0
    latency_sum: float = 0.0
    latency_longest: float = 0.0
    prompt_characters: int = 0
    fresh_characters: int = 0
    arrivals: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)

    def arrive(self, prompt: str, now: float) -> int:
        """Count a call; the number of times that its prompt was there before."""
        before = self.prompts[prompt]
        self.prompts[prompt] = before + 1
        self.arrivals.append(now)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return before

    def take_in(self, seconds: float, characters: int, fresh: int) -> None:
        """Count the work of a call that the rate limit lets through."""
        self.latency_sum += seconds
        self.latency_longest = max(self.latency_longest, seconds)
        self.prompt_characters += characters
        self.fresh_characters += fresh

    def answer(self, status: int, now: float) -> None:
        """Count an answer."""
        self.statuses[str(status)] += 1
        if status == 200:
            self.answers.append(now)
        self._leave(now)

    def abandon(self, now: float) -> None:
        """Count a call whose client went away."""
        self.abandoned += 1
        self._leave(now)

    def _leave(self, now: float) -> None:
        self.in_flight -= 1
        if not self.in_flight:
            self.idle_since = now

    def stats(self, moments: bool = True) -> Stats:
        """What there is to tell now; without `moments` the last three are empty, to be short."""
        return Stats(
            calls=len(self.arrivals),
            distinct=len(self.prompts),
            statuses=dict(self.statuses),
            abandoned=self.abandoned,
            in_flight=self.in_flight,
            max_in_flight=self.max_in_flight,
            idle_since=self.idle_since,
            latency_sum=self.latency_sum,
            latency_longest=self.latency_longest,
            prompt_characters=self.prompt_characters,
            fresh_characters=self.fresh_characters,
            arrivals=tuple(self.arrivals) if moments else (),
            refusals=tuple(self.refusals) if moments else (),
            answers=tuple(self.answers) if moments else (),
        )


def between(moments: Sequence[float], start: float, end: float) -> int:
    """How many of the moments, which are in order, are in [start, end)."""
    return bisect_left(moments, end) - bisect_left(moments, start)
