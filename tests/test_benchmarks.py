"""What measures is right itself: the played endpoint, its limits and its counts, the figures."""

import time
from collections import Counter
from collections.abc import Iterator
from statistics import mean, median

import httpx
import pytest

from benchmarks import behaviour as rules
from benchmarks.behaviour import Behaviour
from benchmarks.direct import body, bound, run_direct
from benchmarks.evaluation import sentences
from benchmarks.figure import Figure, page, plain
from benchmarks.limiter import BLOCK, Limiter, PrefixCache
from benchmarks.played import PlayedEndpoint, played_endpoint
from benchmarks.run import GROUPS, main
from benchmarks.tally import between

PROMPTS = [f"row {n}" for n in range(4000)]


@pytest.fixture(scope="module")
def played() -> Iterator[PlayedEndpoint]:
    with played_endpoint() as endpoint:
        yield endpoint


def post(endpoint: PlayedEndpoint, prompt: str, timeout: float = 10) -> httpx.Response:
    url = f"{endpoint.url}/chat/completions"
    return httpx.post(url, json=body(prompt), timeout=timeout, trust_env=False)


def admitted(limiter: Limiter, seconds: float) -> list[float]:
    """When a limiter that is asked a thousand times a second says yes."""
    return [n / 1000 for n in range(int(seconds * 1000)) if limiter.admits(100 + n / 1000)]


def test_a_bucket_lets_its_burst_through_and_then_the_rate() -> None:
    taken = admitted(Limiter(Behaviour(rate=50, burst=5)), 10)
    assert between(taken, 0, 0.01) == 5
    assert between(taken, 1, 10) == pytest.approx(450, abs=1)


def test_a_window_lets_the_rate_through_at_the_start_of_each_second() -> None:
    taken = admitted(Limiter(Behaviour(rate=50, windows=True)), 3)
    assert [between(taken, second, second + 0.05) for second in range(3)] == [50, 50, 50]
    assert len(taken) == 150


def test_no_rate_is_no_limit() -> None:
    assert len(admitted(Limiter(Behaviour()), 1)) == 1000


def test_latencies_have_the_mean_asked_for_and_are_the_same_in_every_run() -> None:
    varying = Behaviour(latency=0.1, sigma=0.5)
    drawn = [rules.seconds(varying, prompt) for prompt in PROMPTS]
    assert mean(drawn) == pytest.approx(0.1, rel=0.03)
    assert drawn == [rules.seconds(varying, prompt) for prompt in PROMPTS]
    assert len(set(drawn)) > 3900


def test_the_share_of_failures_is_the_one_asked_for_and_a_prompt_recovers() -> None:
    failing = Behaviour(failing=0.3)
    drawn = [[rules.failure(failing, prompt, n) for n in range(8)] for prompt in PROMPTS]
    first = [tries[0] for tries in drawn]
    assert sum(status is not None for status in first) / 4000 == pytest.approx(0.3, abs=0.03)
    assert set(first) == {None, 429, 500}
    assert sum(None not in tries for tries in drawn) <= 2


def test_a_prefix_that_is_kept_is_not_read_again() -> None:
    cache, prefix = PrefixCache(16), "x" * 4 * BLOCK
    assert cache.fresh(prefix + "one") == len(prefix) + 3
    assert cache.fresh(prefix + "two") == 3
    for other in "abcd":  # four blocks each: no room for the first
        cache.fresh(other * 4 * BLOCK)
    assert cache.fresh(prefix + "three") == len(prefix) + 5


def test_it_counts_what_it_is_asked(played: PlayedEndpoint) -> None:
    played.play(Behaviour(reply="row", refused_part="row 3"))
    answers = [post(played, f"row {n}") for n in (1, 2, 2, 3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]
    assert answers[1].json()["choices"][0]["message"]["content"] == "2"
    stats = played.stats()
    assert (stats.calls, stats.distinct, stats.answered, stats.failed) == (4, 3, 3, 1)
    assert len(stats.arrivals) == 4
    assert len(stats.answers) == 3


def test_a_latency_is_what_it_was_told_within_its_clock(played: PlayedEndpoint) -> None:
    played.play(Behaviour(latency=0.05))
    for n in range(20):
        post(played, f"row {n}")
    stats = played.stats()
    waits = [end - start for start, end in zip(stats.arrivals, stats.answers, strict=True)]
    assert median(waits) == pytest.approx(0.05, abs=0.002)


def test_it_notices_a_client_that_goes(played: PlayedEndpoint) -> None:
    played.play(Behaviour(latency=30))
    with pytest.raises(httpx.ReadTimeout):
        post(played, "row 1", timeout=0.1)
    before = time.monotonic()
    stats = played.wait(lambda stats: not stats.in_flight, patience=5)
    assert (stats.calls, stats.abandoned, stats.answered) == (1, 1, 0)
    assert 0 < stats.idle_since <= before + 5


def test_beyond_the_rate_it_says_429_and_when_to_come_back(played: PlayedEndpoint) -> None:
    played.play(Behaviour(rate=0.001, burst=1, retry_after=7))
    assert [post(played, "row 1").status_code for _ in range(2)] == [200, 429]
    assert post(played, "row 1").headers["Retry-After"] == "7"
    assert len(played.stats().refusals) == 2


def test_the_direct_loop_asks_every_prompt_once_in_its_slots(played: PlayedEndpoint) -> None:
    played.play(Behaviour(latency=0.02))
    run_direct(played.url, PROMPTS[:64], slots=16)
    stats = played.stats()
    assert (stats.calls, stats.distinct, stats.max_in_flight) == (64, 64, 16)
    assert bound(stats, slots=16) == pytest.approx(4 * 0.02)


def test_sentences_have_as_many_of_each_sentiment_and_none_twice() -> None:
    assert Counter((part, sentiment) for part, _, sentiment in sentences()) == {
        (part, sentiment): count
        for part, count in (("test", 20), ("example", 2))
        for sentiment in ("positive", "neutral", "negative")
    }
    assert len({text for _, text, _ in sentences()}) == 66


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("a", 2, "ms", 2), "met"),
        (Figure("a", 2.1, "ms", 2), "MISSED"),
        (Figure("a", 44, "", 45, ">="), "MISSED"),
        (Figure("a", 50, "", 50, "="), "met"),
        (Figure("a", 49, "", 50, "="), "MISSED"),
        (Figure("a", 2, "", 1, instead=Figure("b", 1, "", 1)), "met"),
        (Figure("a", 2, "", 1, instead=Figure("b", 2, "", 1)), "MISSED"),
        (Figure("a", 2), ""),
    ],
)
def test_a_figure_says_whether_its_target_is_met(figure: Figure, verdict: str) -> None:
    assert figure.cells[3] == verdict
    assert figure.met is (verdict != "MISSED")
    assert plain(figure).endswith(verdict)
    assert f"| {' | '.join(figure.cells)} |" in page({"What was done.": [figure]})


def test_a_group_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["narow"]) == 2
    assert "narow" in capsys.readouterr().out


def test_each_group_says_what_it_does() -> None:
    assert all(measure.__doc__ for measure in GROUPS.values())
