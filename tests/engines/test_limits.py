import asyncio
from collections.abc import Mapping

import pytest

from engines.dispatch.bucket import Bucket
from engines.dispatch.prefix import by_prefix
from engines.errors import OptionError
from engines.limits import Limits, read_limits
from engines.model import compile_model
from engines.policy import Policy, read_policy
from engines.registry import find_handler, handlers, open_engine
from engines.task import Prediction, Target, Task, Value
from tests.engines.shares import Kept, Purse, answered, dispatcher_of, limits, numbered, statement
from tests.engines.support import environment, run
from tests.support.endpoint import Endpoint


class Sixteen:
    """An engine that makes at most sixteen calls at once."""

    max_concurrency = 16

    async def check(self, spec: object) -> None:
        return None

    async def predict(self, task: Task) -> Prediction:
        return Prediction("x")

    async def aclose(self) -> None:
        return None


def opened(handler: str, **options: Value) -> None:
    given = {"api_base": "http://h", **options} if handler == "openai" else options
    open_engine("e", find_handler(handler), given, environment())


def compiled(handler: str = "openai", **options: Value) -> object:
    given: dict[str, Value] = {"model_name": "m", "prompt_template": "{{text}}", **options}
    return compile_model("shop", [Target("mood")], given, find_handler(handler))


COMMON = (
    "max_concurrency",
    "requests_per_minute",
    "tokens_per_minute",
    "max_retries",
    "retry_deadline",
    "prompt_price",
    "completion_price",
    "cache",
    "cache_ttl",
    "cache_max_answers",
    "on_error",
)


@pytest.mark.parametrize("handler", ["anyscale_endpoints", "local", "openai"])
def test_all_handlers_list_the_common_options_once(handler: str) -> None:
    (found,) = (one for one in handlers() if one.name == handler)
    names = [option.name for option in found.engine_options]
    assert [names.count(name) for name in COMMON] == [1] * len(COMMON)


@pytest.mark.parametrize("handler", ["local", "openai"])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_concurrency", 0),
        ("requests_per_minute", 0),
        ("tokens_per_minute", -1),
        ("max_retries", 101),
        ("retry_deadline", 0),
        ("prompt_price", -0.1),
        ("cache_ttl", 0),
        ("cache_max_answers", 0),
        ("on_error", "ignore"),
        ("cache", "off"),
    ],
)
def test_engine_option_out_of_range_is_refused(handler: str, option: str, value: Value) -> None:
    with pytest.raises(OptionError, match=f"option '{option}'"):
        opened(handler, **{option: value})


@pytest.mark.parametrize("handler", ["local", "openai"])
def test_engines_take_the_common_options(handler: str) -> None:
    opened(handler, requests_per_minute=60, max_retries=0, cache=False, on_error="fail")


def test_near_miss_of_a_common_option_is_named() -> None:
    with pytest.raises(OptionError, match="did you mean 'requests_per_minute'"):
        opened("local", requests_per_minut=60)


@pytest.mark.parametrize(
    ("option", "value"),
    [("rows_per_prompt", 0), ("rows_per_prompt", 101), ("on_error", "x"), ("prompt_price", -1)],
)
def test_model_option_out_of_range_is_refused(option: str, value: Value) -> None:
    with pytest.raises(OptionError, match=f"option '{option}' of model shop takes"):
        compiled(**{option: value})


def test_common_options_of_a_model_are_not_sent() -> None:
    spec = compile_model(
        "shop",
        [Target("mood")],
        {
            "prompt_template": "{{text}}",
            "rows_per_prompt": 8,
            "prompt_price": 1,
            "cache_ttl": 60,
            "on_error": "fail",
            "max_tokens": 5,
        },
        find_handler("local"),
    )
    assert (spec.rows_per_prompt, spec.parameters) == (8, (("max_tokens", 5),))


def test_limits_have_defaults() -> None:
    assert read_limits({}, Sixteen()) == Limits(16, None, None, 9, 300.0)


def test_limits_are_read_among_other_options_in_any_case() -> None:
    given: Mapping[str, Value] = {"api_base": "http://h", "Requests_Per_Minute": 60, "timeout": 1}
    assert read_limits(given, Sixteen()).requests_per_minute == 60.0


@pytest.mark.parametrize(("wanted", "most"), [(4, 4), (64, 16)])
def test_limit_is_never_above_what_the_engine_can_do(wanted: int, most: int) -> None:
    assert read_limits({"max_concurrency": wanted}, Sixteen()).max_concurrency == most


def test_policy_of_a_model_wins_over_its_engines() -> None:
    engine: dict[str, Value] = {"prompt_price": 1, "cache_ttl": 60, "on_error": "fail"}
    model: dict[str, Value] = {"prompt_price": 2.5, "cache": False, "model_name": "m"}
    assert read_policy(engine, model) == Policy(2.5, None, 60.0, 1_000_000, "fail", False)


def test_policy_has_defaults() -> None:
    assert read_policy({}, {}) == Policy()


# Hard bounds


@pytest.mark.parametrize("per_minute", [3, 60, 600, 6000])
def test_no_minute_has_more_than_its_bound(per_minute: int) -> None:
    bucket, now, spent = Bucket(per_minute), 0.0, []
    while now < 300:
        if (delay := bucket.delay(now)) > 0:
            now += delay
            continue
        bucket.spend(now, 1.0)
        spent.append(now)
    most = max(sum(then <= other < then + 59.999 for other in spent) for then in spent[::17])
    assert most <= per_minute
    assert len(spent) >= 0.95 * 5 * per_minute - 1


def test_what_was_estimated_too_high_comes_back() -> None:
    bucket = Bucket(6000)
    bucket.spend(0.0, 1000.0)
    late = bucket.delay(0.0)
    bucket.correct(990.0)
    assert bucket.delay(0.0) < late / 50


def test_requests_per_minute_is_kept() -> None:
    async def use() -> int:
        engine = Sixteen()
        async with dispatcher_of(engine, limits(16, requests_per_minute=600)) as dispatcher:
            share = dispatcher.open(Purse(), Kept())
            futures = share.ask([(str(n).encode(), task) for n, task in enumerate(numbered(100))])
            await asyncio.sleep(1.0)
            await share.aclose()
            return sum(not future.cancelled() for future in futures)

    assert 12 <= run(use()) <= 21


def test_tokens_per_minute_is_kept() -> None:
    """600 a second; each call is estimated at a hundred and some and uses two."""
    with Endpoint("x") as endpoint:
        asked = numbered(12, max_tokens=100)
        statement(endpoint, asked, limits(tokens_per_minute=36_000))
        assert endpoint.max_in_flight < 12


def test_dispatcher_says_its_load() -> None:
    async def use() -> tuple[object, object]:
        async with dispatcher_of(Sixteen(), limits(16, requests_per_minute=6000)) as dispatcher:
            before = dispatcher.load
            await answered(dispatcher.open(Purse(), Kept()), numbered(3))
            return before, dispatcher.load

    before, after = run(use())
    assert (before.window, before.in_flight, before.latency) == (16, 0, None)  # type: ignore[attr-defined]
    assert after.latency is not None  # type: ignore[attr-defined]
    assert 90 < after.rate <= 100  # type: ignore[attr-defined]


# The order of prompts


def test_block_is_sorted_where_neighbours_then_share_more() -> None:
    texts = [document * 100 + question for question in "123" for document in "ba"]
    assert by_prefix(texts, texts) == sorted(texts)


def test_order_is_kept_for_less_than_64_characters() -> None:
    texts = [document * 60 + question for question in "123" for document in "ba"]
    assert by_prefix(texts, texts) == texts
