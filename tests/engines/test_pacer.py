"""The pacer against simulated endpoints: calls, limits and refusals without a clock."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush

import pytest

from engines.dispatch.pacer import Pacer

RATE = 50.0
LATENCY, REFUSAL = 0.1, 0.003
BEGIN, END = 3.0, 20.0
SEEDS = range(6)

Takes = Callable[[float], bool]
RateAt = Callable[[float], float]


def always(now: float) -> float:
    return RATE


def token_bucket(burst: float = 5.0, rate: RateAt = always) -> Takes:
    content, then = burst, 0.0

    def takes(now: float) -> bool:
        nonlocal content, then
        content, then = min(burst, content + (now - then) * rate(now)), now
        if content < 1:
            return False
        content -= 1
        return True

    return takes


def one_second_windows(rate: RateAt = always) -> Takes:
    counts: dict[int, int] = {}

    def takes(now: float) -> bool:
        counts[int(now)] = counts.get(int(now), 0) + 1
        return counts[int(now)] <= rate(now)

    return takes


def refusing(share: float) -> Takes:
    chance = random.Random(1)
    return lambda now: chance.random() >= share


LIMITS = {"bucket": token_bucket, "seconds": one_second_windows}


@dataclass
class Seen:
    """When calls were taken and refused, in seconds."""

    taken: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def rate(self, begin: float = BEGIN, end: float = END) -> float:
        return sum(begin <= then < end for then in self.taken) / (end - begin)

    def share_refused(self, begin: float = BEGIN, end: float = END) -> float:
        refused = sum(begin <= then < end for then in self.refused)
        return refused / (refused + sum(begin <= then < end for then in self.taken))


def played(
    takes: Takes,
    retry_after: float | None = None,
    *,
    window: int = 32,
    latency: float = LATENCY,
    refusal: float = REFUSAL,
    stalls: float = 0.0,
    seed: int = 2,
    end: float = END,
) -> Seen:
    """Always more to ask: `window` calls at once, timers up to 2 ms late, the endpoint's seconds
    out of step with ours; the process stalls for 100 to 300 ms, `stalls` times a second."""
    pacer, seen, chance = Pacer(), Seen(), random.Random(seed)
    began = now = chance.random()
    in_flight: list[tuple[float, float, bool]] = []
    stalled = now + chance.expovariate(stalls) if stalls else float("inf")
    while now < began + end:
        if now >= stalled:
            now += chance.uniform(0.1, 0.3)
            stalled = now + chance.expovariate(stalls)
        delay = pacer.delay(now)
        if delay <= 0 and len(in_flight) < window:
            taken = takes(now)
            (seen.taken if taken else seen.refused).append(now - began)
            pacer.started(now)
            heappush(in_flight, (now + (latency if taken else refusal), now, taken))
            continue
        lands = in_flight[0][0] if in_flight else float("inf")
        wakes = now + max(delay, 0.0005) + chance.random() * 0.002
        now = max(now, min(lands, wakes) if len(in_flight) < window else lands)
        while in_flight and in_flight[0][0] <= now:
            _, started, taken = heappop(in_flight)
            if not taken:
                pacer.refused(now, started, retry_after)
    return seen


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize("kind", LIMITS)
def test_accepted_rate_is_found_and_kept(kind: str, retry_after: float | None, seed: int) -> None:
    """With Retry-After all wait until the limit is known, then only the call that is refused."""
    seen = played(LIMITS[kind](), retry_after, seed=seed)
    assert seen.rate() >= 45
    assert seen.share_refused() <= 0.1


@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize("kind", LIMITS)
def test_stalls_of_the_process_do_not_throw_it_off(kind: str, retry_after: float | None) -> None:
    """A fifth of the time is lost to them."""
    runs = [played(LIMITS[kind](), retry_after, stalls=1.0, seed=seed) for seed in SEEDS]
    assert sum(seen.rate() for seen in runs) / len(runs) >= 36
    assert min(seen.rate() for seen in runs) >= 25
    assert sum(seen.share_refused() for seen in runs) / len(runs) <= 0.1


@pytest.mark.parametrize("rate", [5.0, 500.0])
@pytest.mark.parametrize("window", [8, 256])
def test_other_rates_are_found_too(rate: float, window: int) -> None:
    seen = played(one_second_windows(lambda now: rate), window=window, latency=0.015)
    assert seen.rate() >= 0.75 * rate
    assert seen.share_refused() <= 0.1


def test_answers_that_take_seconds_are_no_matter() -> None:
    seen = played(token_bucket(), window=256, latency=2.0, refusal=0.5, end=30.0)
    assert seen.rate(8.0, 30.0) >= 45
    assert seen.share_refused(8.0, 30.0) <= 0.1


@pytest.mark.parametrize("kind", LIMITS)
def test_limit_that_changes_is_followed(kind: str) -> None:
    def rate(now: float) -> float:
        return 50.0 if now < 10 else 20.0 if now < 20 else 80.0

    seen = played(LIMITS[kind](rate=rate), end=38.0)
    assert seen.rate(14.0, 19.0) >= 16
    assert seen.share_refused(14.0, 19.0) <= 0.2
    assert seen.rate(32.0, 38.0) >= 60


def test_endpoint_that_takes_nothing_is_found_again() -> None:
    """With nothing but refusals for six seconds a few calls a second go on trying."""
    seen = played(one_second_windows(lambda now: 0.0 if 6 <= now < 12 else RATE))
    assert seen.rate(16.0, END) >= 40


def test_bucket_without_room_for_two_is_found_too() -> None:
    seen = played(token_bucket(burst=1.0))
    assert seen.rate() >= 38
    assert seen.share_refused() <= 0.1


@pytest.mark.parametrize("stalls", [0.0, 0.5])
@pytest.mark.parametrize("share", [0.15, 0.3])
def test_refusals_at_random_do_not_slow_down(share: float, stalls: float) -> None:
    """320 calls a second is what 32 at once can do in 0.1 s each."""
    seen = played(refusing(share), stalls=stalls)
    assert seen.rate() >= 0.6 * 320


def test_limit_taken_for_noise_is_found_out() -> None:
    """Refusals at random for four seconds, and then a limit."""
    noise, limit = refusing(0.15), one_second_windows()
    seen = played(lambda now: noise(now) if now < 8 else limit(now))
    assert seen.rate(13.0, END) >= 40
    assert seen.share_refused(13.0, END) <= 0.1


def test_there_is_no_limit_before_the_first_refusal() -> None:
    pacer = Pacer()
    for _ in range(1000):
        assert pacer.delay(1.0) == 0
        pacer.started(1.0)
    assert pacer.rate is None


def test_retry_after_pauses_all_calls() -> None:
    pacer = Pacer()
    pacer.started(0.0)
    pacer.refused(0.1, 0.0, 2.0)
    assert pacer.delay(0.1) == pytest.approx(2.0)
    assert pacer.delay(2.0) == pytest.approx(0.1)


def test_quota_that_is_used_up_is_waited_for() -> None:
    pacer = Pacer()
    pacer.informed(0.0, left=0, reset=5.0, in_flight=1)
    assert pacer.delay(1.0) == pytest.approx(4.0)


def test_quota_that_gets_small_is_spread() -> None:
    pacer = Pacer()
    pacer.informed(0.0, left=5, reset=10.0, in_flight=1)
    pacer.started(0.0)
    assert pacer.delay(0.0) == pytest.approx(2.0, rel=0.15)


def test_quota_that_is_large_is_no_limit() -> None:
    pacer = Pacer()
    pacer.informed(0.0, left=5000, reset=60.0, in_flight=32)
    pacer.started(0.0)
    assert pacer.delay(0.0) == 0
