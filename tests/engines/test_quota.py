import pytest

from engines.errors import RateLimited
from engines.quota import Quota, read_quota
from engines.task import Prediction
from tests.engines.support import spec, tasks, with_engine
from tests.support.endpoint import Endpoint, Reply


def headers(**given: str) -> dict[str, str]:
    return {f"x-ratelimit-{name.replace('_', '-')}": value for name, value in given.items()}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("59.70", 59.7),
        ("0", 0.0),
        ("", None),
        ("soon", None),
        ("1s!", None),
        ("-1", None),
        ("nan", None),
        ("1760000000", None),
    ],
)
def test_spans(text: str, seconds: float | None) -> None:
    told = read_quota(headers(remaining_requests="7", reset_requests=text))
    assert told == Quota(remaining_requests=7, reset_requests=seconds)


@pytest.mark.parametrize(
    ("text", "count"), [("0", 0), ("149984", 149984), ("12.5", 12), ("-3", 0), ("x", None)]
)
def test_counts(text: str, count: int | None) -> None:
    told = read_quota(headers(remaining_tokens=text, reset_tokens="2s"))
    assert told == Quota(remaining_tokens=count, reset_tokens=2.0)


@pytest.mark.parametrize("given", [{}, {"retry-after": "1"}, headers(limit_requests="60")])
def test_nothing_told_is_none(given: dict[str, str]) -> None:
    assert read_quota(given) is None


def test_an_answer_carries_what_its_headers_say() -> None:
    told = {"X-RateLimit-Remaining-Requests": "59", "X-RateLimit-Reset-Tokens": "6m0s"}
    with Endpoint(Reply("ok", headers=told)) as endpoint:
        prediction: Prediction = with_engine(
            endpoint, lambda engine: engine.predict(tasks(spec(), "a")[0])
        )
    assert prediction.quota == Quota(remaining_requests=59, reset_tokens=360.0)


def test_a_refusal_carries_it_too() -> None:
    told = {**headers(remaining_requests="0", reset_requests="1.5s"), "Retry-After": "2"}
    with (
        Endpoint(Reply("slow down", 429, headers=told)) as endpoint,
        pytest.raises(RateLimited) as caught,
    ):
        with_engine(endpoint, lambda engine: engine.predict(tasks(spec(), "a")[0]))
    assert caught.value.quota == Quota(0, 1.5)
    assert caught.value.retry_after == 2.0
