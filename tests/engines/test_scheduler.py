import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from engines.base import Engine
from engines.errors import (
    AuthenticationFailed,
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    ModelNotServed,
    RateLimited,
)
from engines.scheduler import Retries, predict_all
from engines.task import ModelSpec, Prediction, Task, Usage
from tests.engines.support import QUICK, opened, predicted, run, spec, tasks, with_engine
from tests.support.endpoint import Endpoint, Reply

CLOSED = "http://127.0.0.1:9/v1"


class Flaky:
    """Replies in turn, then the last for ever; per prompt."""

    def __init__(self, *replies: Reply | str) -> None:
        self.replies = replies
        self.seen: dict[str, int] = {}
        self.lock = threading.Lock()

    def __call__(self, prompt: str) -> Reply | str:
        with self.lock:
            turn = self.seen[prompt] = self.seen.get(prompt, -1) + 1
        return self.replies[min(turn, len(self.replies) - 1)]


def values(predictions: list[Prediction]) -> list[str | None]:
    return [prediction.value for prediction in predictions]


def numbered(count: int) -> list[Task]:
    return tasks(spec(), *(f"<{n}>" for n in range(count)))


def until_busy(endpoint: Endpoint, calls: int) -> None:
    while endpoint.in_flight < calls:
        time.sleep(0.002)


def until_idle(endpoint: Endpoint) -> float:
    """Return the seconds until no call is in flight, at most 2."""
    started = time.monotonic()
    while endpoint.in_flight and time.monotonic() - started < 2:
        time.sleep(0.002)
    return time.monotonic() - started


def test_predictions_come_in_the_order_of_tasks() -> None:
    def reply(prompt: str) -> Reply:
        return Reply(prompt[-2], delay=0.05 if prompt[-2] in "036" else 0)

    with Endpoint(reply) as endpoint:
        assert values(predicted(endpoint, numbered(9))) == list("012345678")
    assert endpoint.calls == 9


def test_each_distinct_task_is_asked_once() -> None:
    with Endpoint("x") as endpoint:
        asked = tasks(spec(), *"abcabcabca")
        assert values(predicted(endpoint, asked)) == ["x"] * 10
    assert endpoint.calls == 3


def test_tasks_with_list_parameters_are_told_apart() -> None:
    asked = [Task(spec(stop=stop), ("a",)) for stop in (["x"], ["y"], ["x"])]
    with Endpoint("ok") as endpoint:
        assert values(predicted(endpoint, asked)) == ["ok"] * 3
    assert [request.body["stop"] for request in endpoint.requests] == [["x"], ["y"]]


def test_no_tasks_are_no_calls() -> None:
    with Endpoint("x") as endpoint:
        assert predicted(endpoint, []) == []
    assert endpoint.calls == 0


def test_async_tasks_are_asked_while_others_are_awaited() -> None:
    first_answered = asyncio.Event()

    async def source() -> AsyncIterator[Task]:
        for task in numbered(2):
            yield task
            await first_answered.wait()

    async def use(engine: Engine) -> list[str | None]:
        got = []
        async with aclosing(predict_all(engine, source(), QUICK)) as predictions:
            async for prediction in predictions:
                got.append(prediction.value)
                first_answered.set()
        return got

    with Endpoint("x") as endpoint:
        assert with_engine(endpoint, use) == ["x", "x"]


def test_window_is_never_wider_than_max_concurrency() -> None:
    with Endpoint(Reply("x", delay=0.02)) as endpoint:
        predicted(endpoint, numbered(30), max_concurrency=4)
    assert endpoint.max_in_flight == 4


def test_freed_place_is_taken_at_once() -> None:
    """One slow call among many must not hold up the others, as a wave would."""

    def reply(prompt: str) -> Reply:
        return Reply("x", delay=0.5 if "<0>" in prompt else 0.05)

    async def use(engine: Engine) -> int:
        async with aclosing(predict_all(engine, numbered(9), QUICK)) as predictions:
            await anext(predictions)
            return endpoint.calls

    with Endpoint(reply) as endpoint:
        assert with_engine(endpoint, use, max_concurrency=2) == 9


@pytest.mark.parametrize("failure", ["!408 a", "!409 a", "!425 a", "!429 a", "!500 a", "!503 a"])
def test_passing_failures_are_tried_again(failure: str) -> None:
    with Endpoint(Flaky(failure, failure, "x")) as endpoint:
        assert values(predicted(endpoint, numbered(2))) == ["x", "x"]
    assert endpoint.calls == 6


def test_row_that_stays_bad_is_tried_three_times_and_others_are_right() -> None:
    with Endpoint({"<1>": "!500 broken", "<": "x"}) as endpoint:
        predictions = predicted(endpoint, numbered(3))
    assert values(predictions) == ["x", None, "x"]
    assert isinstance(predictions[1].error, EndpointFailed)
    assert endpoint.calls == 5


def test_row_that_is_refused_is_tried_once() -> None:
    with Endpoint({"<1>": "!400 too long", "<": "x"}) as endpoint:
        predictions = predicted(endpoint, numbered(3))
    assert str(predictions[1].error) == "the endpoint answered with HTTP status 400: too long"
    assert endpoint.calls == 3


def test_retry_after_is_honoured() -> None:
    limited = Reply("slow down", 429, headers={"Retry-After": "0.3"})
    with Endpoint(Flaky(limited, "x")) as endpoint:
        started = time.monotonic()
        assert values(predicted(endpoint, numbered(1))) == ["x"]
        assert time.monotonic() - started >= 0.3
    assert endpoint.calls == 2


def test_wait_beyond_the_deadline_is_not_waited() -> None:
    limited = Reply("slow down", 429, headers={"Retry-After": "60"})
    with Endpoint(limited) as endpoint:
        (prediction,) = predicted(endpoint, numbered(1))
    assert isinstance(prediction.error, RateLimited)
    assert endpoint.calls == 1


def test_deadline_ends_a_call() -> None:
    with Endpoint(Reply("x", delay=5)) as endpoint:
        (prediction,) = predicted(endpoint, numbered(1), Retries(deadline=0.1))
    assert isinstance(prediction.error, EndpointTimeout)
    assert endpoint.calls == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [("!401 bad key", AuthenticationFailed), ("!404 no model m", ModelNotServed)],
)
def test_what_meets_every_row_fails_at_once(reply: str, kind: type[Exception]) -> None:
    replies = {"<1>": reply, "<": Reply("x", delay=5)}
    started = time.monotonic()
    with Endpoint(replies) as endpoint:
        with pytest.raises(kind):
            predicted(endpoint, numbered(100), max_concurrency=4)
        assert until_idle(endpoint) < 1
    assert endpoint.calls == 4
    assert time.monotonic() - started < 3


def test_endpoint_that_takes_no_connection_fails_within_seconds() -> None:
    started = time.monotonic()
    with pytest.raises(EndpointUnreachable):
        predicted(CLOSED, numbered(100), Retries())
    assert time.monotonic() - started < 4


def test_error_of_the_source_reaches_the_caller() -> None:
    def source() -> Iterator[Task]:
        yield from numbered(2)
        raise LookupError("the source broke")

    with Endpoint("x") as endpoint, pytest.raises(LookupError, match="the source broke"):
        predicted(endpoint, source())


def test_caller_that_leaves_cancels_what_is_in_flight() -> None:
    replies = {"<0>": "x", "<": Reply("late", delay=5)}

    async def use(engine: Engine) -> None:
        async with aclosing(predict_all(engine, numbered(100), QUICK)) as predictions:
            await anext(predictions)
            await asyncio.to_thread(until_busy, endpoint, 4)

    with Endpoint(replies) as endpoint:
        with_engine(endpoint, use, max_concurrency=4)
        assert until_idle(endpoint) < 0.5
    assert endpoint.calls == 5


def test_caller_that_is_cancelled_cancels_what_is_in_flight() -> None:
    async def consume(engine: Engine) -> None:
        async with aclosing(predict_all(engine, numbered(100), QUICK)) as predictions:
            async for _ in predictions:
                pass

    async def use() -> float:
        async with opened(endpoint, max_concurrency=8) as engine:
            query = asyncio.create_task(consume(engine))
            await asyncio.to_thread(until_busy, endpoint, 8)
            query.cancel()
            await asyncio.wait([query])
            assert query.cancelled()
            return await asyncio.to_thread(until_idle, endpoint)

    with Endpoint(Reply("late", delay=5)) as endpoint:
        assert run(use()) < 0.5
    assert endpoint.calls == 8


class CountingEngine:
    """An engine without a network, for what only numbers can show."""

    max_concurrency = 4

    def __init__(self) -> None:
        self.calls = 0

    async def check(self, spec: ModelSpec | None) -> None:
        return None

    async def predict(self, task: Task) -> Prediction:
        self.calls += 1
        await asyncio.sleep(0)
        return Prediction(task.inputs[0], Usage())

    async def aclose(self) -> None:
        return None


class DroppingEngine(CountingEngine):
    """An engine whose own task is cancelled under the call."""

    async def predict(self, task: Task) -> Prediction:
        raise asyncio.CancelledError


def test_call_that_the_engine_drops_is_a_failed_row() -> None:
    async def use() -> list[Prediction]:
        return [prediction async for prediction in predict_all(DroppingEngine(), numbered(2))]

    assert [str(prediction.error) for prediction in run(use())] == [
        "the engine dropped the call"
    ] * 2


def test_source_is_read_only_so_far_ahead() -> None:
    taken = 0

    def source() -> Iterator[Task]:
        nonlocal taken
        model = spec()
        for n in range(100_000):
            taken += 1
            yield Task(model, (str(n),))

    async def use() -> None:
        async with aclosing(predict_all(CountingEngine(), source())) as predictions:
            for _ in range(10):
                await anext(predictions)
            await asyncio.sleep(0.2)

    run(use())
    assert taken <= 1100
