import asyncio
import logging
import random
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import pytest

from engines.dispatch.dispatcher import Dispatcher
from engines.errors import (
    AuthenticationFailed,
    BadReply,
    ContextOverflow,
    EndpointFailed,
    EndpointTimeout,
    EndpointUnreachable,
    EngineError,
    ModelNotServed,
    NotCached,
    RateLimited,
)
from engines.quota import Quota
from engines.task import ModelSpec, Prediction, Task, Usage
from tests.engines.shares import (
    Kept,
    Purse,
    answered,
    dispatcher_of,
    dispatching,
    keyed,
    limits,
    numbered,
    statement,
    values,
)
from tests.engines.support import run, spec, tasks
from tests.support.endpoint import Endpoint, Reply

CLOSED = "http://127.0.0.1:9/v1"
T = TypeVar("T")


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


def with_dispatcher(
    endpoint: Endpoint | str, use: Callable[[Dispatcher], Awaitable[T]], **bounds: Any
) -> T:
    async def main() -> T:
        async with dispatching(endpoint, limits(**bounds)) as dispatcher:
            return await use(dispatcher)

    return run(main())


async def until(condition: Callable[[], bool], seconds: float = 2.0) -> float:
    """Wait until `condition` holds; return the seconds that it took."""
    started = time.monotonic()
    while not condition() and time.monotonic() - started < seconds:  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    return time.monotonic() - started


# One call for each key


def test_ten_statements_with_the_same_thousand_rows_make_a_thousand_calls() -> None:
    async def use(dispatcher: Dispatcher) -> list[list[Prediction]]:
        kept = Kept()
        shares = [dispatcher.open(Purse(), kept) for _ in range(10)]
        return await asyncio.gather(*(answered(share, numbered(1000)) for share in shares))

    with Endpoint(lambda prompt: prompt) as endpoint:
        results = with_dispatcher(endpoint, use)
        assert endpoint.calls == 1000
    assert all(values(result) == values(results[0]) for result in results)
    assert sum(not prediction.cached for result in results for prediction in result) == 1000


def test_what_was_answered_is_never_asked_again() -> None:
    async def use(dispatcher: Dispatcher) -> list[bool]:
        kept = Kept()
        await answered(dispatcher.open(Purse(), kept), numbered(20))
        again = await answered(dispatcher.open(Purse(), kept), numbered(20))
        return [prediction.cached for prediction in again]

    with Endpoint("x") as endpoint:
        assert with_dispatcher(endpoint, use) == [True] * 20
        assert endpoint.calls == 20


def test_keys_of_one_ask_are_looked_up_in_one_trip() -> None:
    kept = Kept()
    with Endpoint("x") as endpoint:
        statement(endpoint, numbered(100), answers=kept)
    assert [len(trip) for trip in kept.trips] == [100]


def test_share_that_asks_twice_has_one_call() -> None:
    async def use(dispatcher: Dispatcher) -> bool:
        share = dispatcher.open(Purse(), Kept())
        first, second = (share.ask(keyed(numbered(1)))[0] for _ in range(2))
        return await first is await second

    with Endpoint("x") as endpoint:
        assert with_dispatcher(endpoint, use)
        assert endpoint.calls == 1


@pytest.mark.parametrize(
    ("mode", "calls", "trips", "kept"),
    [("on", 0, 1, "old"), ("off", 1, 0, "old"), ("refresh", 1, 0, "new"), ("only", 0, 1, "old")],
)
def test_modes_look_up_and_keep_what_they_say(mode: str, calls: int, trips: int, kept: str) -> None:
    ((key, task),) = keyed(numbered(1))
    answers = Kept()
    answers.kept[key] = Prediction("old")
    with Endpoint("new") as endpoint:
        (prediction,) = statement(endpoint, [task], answers=answers, mode=mode)
        assert (endpoint.calls, len(answers.trips)) == (calls, trips)
    assert prediction.value == ("new" if calls else "old")
    assert answers.kept[key].value == kept


def test_statement_that_wants_no_call_gets_none() -> None:
    with Endpoint("x") as endpoint:
        predictions = statement(endpoint, numbered(3), mode="only")
        assert endpoint.calls == 0
    assert all(isinstance(prediction.error, NotCached) for prediction in predictions)


@pytest.mark.parametrize("reply", ["!400 bad", Reply("cut", finish_reason="length")])
def test_what_is_no_whole_answer_is_not_kept(reply: Reply | str) -> None:
    answers = Kept()
    asked = tasks(spec(labels=("cut", "uncut")), "a")
    with Endpoint(reply) as endpoint:
        (prediction,) = statement(endpoint, asked, answers=answers)
    assert prediction.error is not None
    assert answers.kept == {}


def test_cache_that_fails_fails_the_statement() -> None:
    class Broken(Kept):
        async def find(self, keys: Sequence[bytes]) -> dict[bytes, Prediction]:
            raise LookupError("the cache broke")

    with Endpoint("x") as endpoint:
        with pytest.raises(LookupError, match="the cache broke"):
            statement(endpoint, numbered(3), answers=Broken())
        assert endpoint.calls == 0


def test_cache_that_cannot_keep_costs_no_answer() -> None:
    class Full(Kept):
        def keep(self, key: bytes, prediction: Prediction) -> None:
            raise OSError("no space left")

    with Endpoint("x") as endpoint:
        assert values(statement(endpoint, numbered(3), answers=Full())) == ["x"] * 3


# Order and places


def test_futures_come_in_the_order_of_tasks() -> None:
    def reply(prompt: str) -> Reply:
        return Reply(prompt[-2], delay=0.05 if prompt[-2] in "036" else 0)

    with Endpoint(reply) as endpoint:
        assert values(statement(endpoint, numbered(9))) == list("012345678")


def test_tasks_with_list_parameters_are_told_apart() -> None:
    asked = [Task(spec(stop=stop), ("a",)) for stop in (["x"], ["y"])]
    with Endpoint("ok") as endpoint:
        assert values(statement(endpoint, asked)) == ["ok"] * 2
    assert sorted(request.body["stop"] for request in endpoint.requests) == [["x"], ["y"]]


def test_no_tasks_are_no_calls() -> None:
    with Endpoint("x") as endpoint:
        assert statement(endpoint, []) == []
        assert endpoint.calls == 0


def test_window_is_never_wider_than_max_concurrency() -> None:
    with Endpoint(Reply("x", delay=0.02)) as endpoint:
        statement(endpoint, numbered(30), limits(4))
    assert endpoint.max_in_flight == 4


def test_window_finds_its_room() -> None:
    with Endpoint(Reply("x", delay=0.1)) as endpoint:
        statement(endpoint, numbered(1000), limits(128))
    assert 64 < endpoint.max_in_flight <= 128


def test_freed_place_is_taken_at_once() -> None:
    """One slow call among many must not hold up the others, as a wave would."""

    def reply(prompt: str) -> Reply:
        return Reply("x", delay=0.5 if "<0>" in prompt else 0.02)

    async def use(dispatcher: Dispatcher) -> int:
        share = dispatcher.open(Purse(), Kept())
        await share.ask(keyed(numbered(9)))[0]
        return endpoint.calls

    with Endpoint(reply) as endpoint:
        assert with_dispatcher(endpoint, use, max_concurrency=2) == 9


def test_statement_of_one_row_goes_before_the_rest_of_a_long_one() -> None:
    async def use(dispatcher: Dispatcher) -> int:
        long = dispatcher.open(Purse(), Kept())
        long.ask(keyed(numbered(200)))
        await until(lambda: endpoint.calls >= 4)
        await answered(dispatcher.open(Purse(), Kept()), tasks(spec(), "short"))
        return endpoint.calls

    with Endpoint(Reply("x", delay=0.02)) as endpoint:
        assert with_dispatcher(endpoint, use, max_concurrency=4) < 25


def test_row_queued_by_a_long_statement_is_asked_at_the_turn_of_a_short_one() -> None:
    async def use(dispatcher: Dispatcher) -> int:
        long = dispatcher.open(Purse(), Kept(), keep_order=True)
        long.ask(keyed(numbered(200)))
        await until(lambda: endpoint.calls >= 4)
        await answered(dispatcher.open(Purse(), Kept()), numbered(200)[-1:])
        return endpoint.calls

    with Endpoint(Reply("x", delay=0.02)) as endpoint:
        assert with_dispatcher(endpoint, use, max_concurrency=4) < 25


# Failures


@pytest.mark.parametrize("failure", ["!408 a", "!409 a", "!425 a", "!429 a", "!500 a", "!503 a"])
def test_passing_failures_are_tried_again(failure: str) -> None:
    with Endpoint(Flaky(failure, failure, "x")) as endpoint:
        assert values(statement(endpoint, numbered(2))) == ["x", "x"]
        assert endpoint.calls == 6


def test_row_that_stays_bad_is_tried_as_often_as_the_limit_says() -> None:
    with Endpoint({"<1>": "!500 broken", "<": "x"}) as endpoint:
        predictions = statement(endpoint, numbered(3), limits(max_retries=2))
        assert endpoint.calls == 5
    assert values(predictions) == ["x", None, "x"]
    assert isinstance(predictions[1].error, EndpointFailed)


def test_row_that_is_refused_is_tried_once() -> None:
    with Endpoint({"<1>": "!400 too long", "<": "x"}) as endpoint:
        predictions = statement(endpoint, numbered(3))
        assert endpoint.calls == 3
    assert str(predictions[1].error) == "the endpoint answered with HTTP status 400: too long"


def test_a_third_of_failures_at_random_loses_no_row() -> None:
    chance = random.Random(7)

    def reply(prompt: str) -> str:
        failed = chance.random()
        return "!429 busy" if failed < 0.15 else "!500 broken" if failed < 0.3 else "x"

    with Endpoint(reply) as endpoint:
        assert values(statement(endpoint, numbered(300), limits(retry_deadline=60))) == ["x"] * 300


def test_endpoint_that_fails_everything_is_not_hammered() -> None:
    with Endpoint("!500 broken") as endpoint:
        predictions = statement(endpoint, numbered(200))
        assert 200 <= endpoint.calls <= 260
    assert all(isinstance(prediction.error, EndpointFailed) for prediction in predictions)


def test_refusals_for_the_rate_are_no_tries() -> None:
    with Endpoint(Flaky(*["!429 busy"] * 4, "x")) as endpoint:
        assert values(statement(endpoint, numbered(1), limits(max_retries=1))) == ["x"]
        assert endpoint.calls == 5


def test_retry_after_is_honoured() -> None:
    limited = Reply("slow down", 429, headers={"Retry-After": "0.3"})
    with Endpoint(Flaky(limited, "x")) as endpoint:
        started = time.monotonic()
        assert values(statement(endpoint, numbered(1))) == ["x"]
        assert time.monotonic() - started >= 0.3
        assert endpoint.calls == 2


def test_wait_beyond_the_deadline_is_not_waited_by_anybody() -> None:
    limited = Reply("slow down", 429, headers={"Retry-After": "60"})
    with Endpoint(limited) as endpoint:
        predictions = statement(endpoint, numbered(50), limits(2))
        assert endpoint.calls == 2
    assert all(isinstance(prediction.error, RateLimited) for prediction in predictions)


def test_deadline_ends_a_call() -> None:
    with Endpoint(Reply("x", delay=5)) as endpoint:
        (prediction,) = statement(endpoint, numbered(1), limits(retry_deadline=0.1))
        assert endpoint.calls == 1
    assert isinstance(prediction.error, EndpointTimeout)


def test_deadline_of_a_statement_ends_all_it_waits_for() -> None:
    async def use(dispatcher: Dispatcher) -> list[Prediction]:
        deadline = asyncio.get_running_loop().time() + 0.1
        share = dispatcher.open(Purse(), Kept(), deadline=deadline)
        predictions = await asyncio.gather(*share.ask(keyed(numbered(9))))
        predictions += await asyncio.gather(*share.ask(keyed(numbered(10))))
        await until(lambda: endpoint.in_flight == 0)
        assert endpoint.in_flight == 0
        return predictions

    with Endpoint(Reply("x", delay=5)) as endpoint:
        predictions = with_dispatcher(endpoint, use, max_concurrency=2)
        assert endpoint.calls == 2
    assert [type(prediction.error) for prediction in predictions] == [EndpointTimeout] * 19


@pytest.mark.parametrize(
    ("reply", "kind"),
    [("!401 bad key", AuthenticationFailed), ("!404 no model m", ModelNotServed)],
)
def test_what_meets_every_row_fails_at_once(reply: str, kind: type[Exception]) -> None:
    async def use(dispatcher: Dispatcher) -> None:
        share = dispatcher.open(Purse(), Kept())
        futures = share.ask(keyed(numbered(100)))
        with pytest.raises(kind):
            await futures[-1]
        assert all(isinstance(future.exception(), kind) for future in futures)
        with pytest.raises(kind):
            await share.ask(keyed(numbered(101)))[-1]
        await until(lambda: endpoint.in_flight == 0)
        assert endpoint.in_flight == 0

    with Endpoint({"<1>": reply, "<": Reply("x", delay=5)}) as endpoint:
        with_dispatcher(endpoint, use, max_concurrency=4)
        assert endpoint.calls == 4


def test_endpoint_that_takes_no_connection_fails_within_seconds() -> None:
    started = time.monotonic()
    with pytest.raises(EndpointUnreachable):
        statement(CLOSED, numbered(1000), limits(retry_deadline=300))
    assert time.monotonic() - started < 5


def test_endpoint_that_takes_no_connection_is_probed_a_few_times() -> None:
    class Unplugged(Counting):
        async def predict(self, task: Task) -> Prediction:
            self.calls += 1
            raise EndpointUnreachable("cannot connect")

    engine = Unplugged()
    with pytest.raises(EndpointUnreachable):
        run(ask_engine(engine, numbered(1000)))
    assert engine.calls <= 4 + 6


def test_endpoint_that_comes_back_loses_no_row() -> None:
    class Restarted(Counting):
        async def predict(self, task: Task) -> Prediction:
            if self.calls in range(10, 14):
                self.calls += 1
                raise EndpointUnreachable("cannot connect")
            return await super().predict(task)

    assert values(run(ask_engine(Restarted(), numbered(50)))) == [f"<{n}>" for n in range(50)]


# Who pays


def test_each_try_is_reserved_and_settled() -> None:
    purse = Purse()
    with Endpoint(Flaky("!500 a", "x")) as endpoint:
        statement(endpoint, numbered(3), payer=purse)
    assert (purse.reserved, len(purse.settled)) == (6, 6)
    assert sum(prediction.error is None for prediction in purse.settled if prediction) == 3


def test_payer_that_is_over_budget_fails_its_own_statement_alone() -> None:
    async def use(dispatcher: Dispatcher) -> list[Prediction]:
        poor = dispatcher.open(Purse(calls=5), Kept()).ask(keyed(numbered(20)))
        rich = await answered(dispatcher.open(Purse(), Kept()), numbered(30))
        with pytest.raises(PermissionError, match="5 calls are all"):
            await poor[-1]
        return rich

    with Endpoint(Reply("x", delay=0.01)) as endpoint:
        assert values(with_dispatcher(endpoint, use, max_concurrency=4)) == ["x"] * 30
        assert endpoint.calls == 30


def test_budget_held_by_reservations_is_waited_for() -> None:
    with Endpoint(Reply("x", delay=0.01)) as endpoint:
        assert values(statement(endpoint, numbered(20), payer=Purse(at_once=2))) == ["x"] * 20
    assert endpoint.max_in_flight == 2


def test_first_who_asked_pays_and_the_others_have_it_cached() -> None:
    async def use(dispatcher: Dispatcher) -> tuple[list[bool], list[bool], int]:
        first, second = Purse(), Purse()
        one, other = await asyncio.gather(
            answered(dispatcher.open(first, Kept()), numbered(8)),
            answered(dispatcher.open(second, Kept()), numbered(8)),
        )
        return [p.cached for p in one], [p.cached for p in other], second.reserved

    with Endpoint("x") as endpoint:
        assert with_dispatcher(endpoint, use) == ([False] * 8, [True] * 8, 0)


def test_answer_that_is_no_use_is_settled_with_its_price() -> None:
    purse = Purse()
    asked = tasks(spec(labels=("yes", "no")), "a")
    with Endpoint("maybe") as endpoint:
        (prediction,) = statement(endpoint, asked, payer=purse)
    (settled,) = purse.settled
    assert isinstance(prediction.error, BadReply)
    assert settled is not None
    assert settled.usage.completion_tokens > 0


# Cancelling


def test_share_that_is_closed_cancels_what_is_in_flight() -> None:
    async def use(dispatcher: Dispatcher) -> Purse:
        purse = Purse()
        share = dispatcher.open(purse, Kept())
        futures = share.ask(keyed(numbered(100)))
        await until(lambda: endpoint.in_flight == 8)
        assert share.in_flight == 8
        await share.aclose()
        assert await until(lambda: endpoint.in_flight == 0) < 0.1
        assert all(future.cancelled() for future in futures)
        assert dispatcher.load.in_flight == 0
        return purse

    with Endpoint(Reply("late", delay=5)) as endpoint:
        assert with_dispatcher(endpoint, use, max_concurrency=8).settled == [None] * 8
        assert endpoint.calls == 8


def test_call_that_others_wait_for_outlives_who_paid() -> None:
    async def use(dispatcher: Dispatcher) -> list[Prediction]:
        payer = dispatcher.open(Purse(), Kept())
        payer.ask(keyed(numbered(20)))
        await until(lambda: endpoint.in_flight == 4)
        other = asyncio.create_task(answered(dispatcher.open(Purse(), Kept()), numbered(10)))
        await asyncio.sleep(0.02)
        await payer.aclose()
        return await other

    with Endpoint(Reply("x", delay=0.1)) as endpoint:
        predictions = with_dispatcher(endpoint, use, max_concurrency=4)
        assert endpoint.calls == 10
    assert values(predictions) == ["x"] * 10
    assert sum(prediction.cached for prediction in predictions) == 4


def test_retired_engine_closes_with_its_last_share() -> None:
    class Closing(Counting):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    async def use() -> list[bool]:
        engine = Closing()
        dispatcher = Dispatcher(engine, limits())
        share = dispatcher.open(Purse(), Kept())
        await dispatcher.retire()
        seen = [engine.closed]
        assert values(await answered(share, numbered(2))) == ["<0>", "<1>"]
        return [*seen, engine.closed]

    assert run(use()) == [False, True]


def test_dispatcher_that_is_closed_leaves_nothing_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def use() -> int:
        async with dispatching(endpoint, limits(8)) as dispatcher:
            share = dispatcher.open(Purse(), Kept())
            futures = share.ask(keyed(numbered(100)))
            await until(lambda: endpoint.in_flight == 8)
        assert all(isinstance(future.exception(), EndpointUnreachable) for future in futures)
        await share.aclose()
        return len(asyncio.all_tasks())

    with Endpoint(Reply("late", delay=5)) as endpoint, caplog.at_level(logging.WARNING):
        assert run(use()) == 1
    assert caplog.messages == []


# Engines of others


class Counting:
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


async def ask_engine(
    engine: Any, asked: Sequence[Task], payer: Purse | None = None, **given: Any
) -> list[Prediction]:
    async with dispatcher_of(engine, limits(engine.max_concurrency)) as dispatcher:
        return await answered(dispatcher.open(payer or Purse(), Kept(), **given), asked)


def test_call_that_the_engine_drops_is_a_failed_row() -> None:
    class Dropping(Counting):
        async def predict(self, task: Task) -> Prediction:
            raise asyncio.CancelledError

    predictions = run(ask_engine(Dropping(), numbered(2)))
    assert [str(p.error) for p in predictions] == ["the engine dropped the call"] * 2


@pytest.mark.parametrize("error", [ValueError("sk-secret"), TimeoutError("mine")])
def test_engine_that_breaks_its_contract_costs_the_row(error: Exception) -> None:
    class Breaking(Counting):
        async def predict(self, task: Task) -> Prediction:
            if task.inputs == ("<1>",):
                raise error
            return await super().predict(task)

    predictions = run(ask_engine(Breaking(), numbered(3)))
    assert values(predictions) == ["<0>", None, "<2>"]
    assert str(predictions[1].error) == f"the engine failed with {type(error).__name__}"


def test_engine_that_says_its_quota_is_used_up_is_left_alone() -> None:
    class Exhausted(Counting):
        async def predict(self, task: Task) -> Prediction:
            await super().predict(task)
            return Prediction("x", quota=Quota(remaining_requests=0, reset_requests=60.0))

    engine = Exhausted()
    predictions = run(ask_engine(engine, numbered(50)))
    assert engine.calls == 4
    assert sum(isinstance(prediction.error, RateLimited) for prediction in predictions) == 46
    assert all(prediction.quota is None for prediction in predictions)


# Packs


class Packing(Counting):
    """Answers with the inputs; `bad` ones only alone, a pack of more than `room` is too long."""

    def __init__(self, bad: Sequence[str] = (), room: int = 100) -> None:
        super().__init__()
        self.bad, self.room = bad, room
        self.packs: list[int] = []

    async def predict_pack(self, asked: Sequence[Task]) -> list[Prediction | EngineError]:
        self.packs.append(len(asked))
        if len(asked) > self.room:
            raise ContextOverflow("too long", status=400)
        return [
            BadReply("no such key")
            if task.inputs[0] in self.bad
            else Prediction(task.inputs[0], Usage(10, 2))
            for task in asked
        ]


def test_rows_share_calls() -> None:
    engine = Packing()
    asked = numbered(23, rows_per_prompt=10)
    assert values(run(ask_engine(engine, asked))) == [f"<{n}>" for n in range(23)]
    assert (sorted(engine.packs), engine.calls) == ([3, 10, 10], 0)


def test_rows_that_join_a_call_are_reserved_as_such() -> None:
    purse = Purse()
    run(ask_engine(Packing(), numbered(23, rows_per_prompt=10), payer=purse))
    assert (purse.reserved, purse.joined, len(purse.settled)) == (23, 20, 23)


def test_row_that_came_back_wrong_is_asked_again_alone() -> None:
    engine = Packing(bad=["<3>", "<7>"])
    asked = numbered(10, rows_per_prompt=10)
    assert values(run(ask_engine(engine, asked))) == [f"<{n}>" for n in range(10)]
    assert (engine.packs, engine.calls) == ([10], 2)


def test_pack_that_is_too_long_is_asked_in_two() -> None:
    engine = Packing(room=3)
    asked = numbered(8, rows_per_prompt=8)
    assert values(run(ask_engine(engine, asked))) == [f"<{n}>" for n in range(8)]
    assert engine.packs == [8, 4, 4, 2, 2, 2, 2]


def test_budget_that_ends_in_the_middle_of_a_pack_is_given_back() -> None:
    purse = Purse(calls=13)

    async def use() -> None:
        async with dispatcher_of(Packing(), limits(1)) as dispatcher:
            share = dispatcher.open(purse, Kept())
            with pytest.raises(PermissionError):
                await answered(share, numbered(40, rows_per_prompt=10))

    run(use())
    assert purse.in_flight == 0


def test_engine_that_cannot_pack_is_asked_one_by_one() -> None:
    engine = Counting()
    assert len(run(ask_engine(engine, numbered(6, rows_per_prompt=3)))) == 6
    assert engine.calls == 6


# Prefix order


class Listening(Counting):
    """Remembers the order in which it was asked, one call at a time."""

    max_concurrency = 1

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    async def predict(self, task: Task) -> Prediction:
        self.heard.append(task.inputs[0] or "")
        return await super().predict(task)


def test_prompts_that_begin_alike_go_together() -> None:
    engine = Listening()
    asked = [f"{document * 200}{question}" for question in "123" for document in "ab"]
    run(ask_engine(engine, tasks(spec(), *asked)))
    assert engine.heard[0] == asked[0]
    assert engine.heard[1:] == sorted(asked[1:])


@pytest.mark.parametrize("keep_order", [True, False])
def test_rows_stay_in_order_where_nothing_is_gained(keep_order: bool) -> None:
    engine = Listening()
    length = 200 if keep_order else 20
    asked = [f"{document * length}{question}" for question in "123" for document in "ba"]
    run(ask_engine(engine, tasks(spec(), *asked), keep_order=keep_order))
    assert engine.heard == asked
