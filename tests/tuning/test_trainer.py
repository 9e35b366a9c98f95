import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from engines.base import FineTuning, Trainer
from engines.errors import (
    AuthenticationFailed,
    EndpointFailed,
    EndpointUnreachable,
    JobUnknown,
    NotTunable,
)
from engines.http.lanes import Address
from engines.local.engine import LocalEngine
from engines.openai import OpenAIEngine
from engines.tuning.job import Job, JobOrder
from tests.support.endpoint import Endpoint
from tests.tuning.datasets import said

LINE = said(("user", "Hi"), ("assistant", "Hello")).encode() + b"\n"
KEY = "sk-very-secret"
T = TypeVar("T")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(key=KEY) as endpoint:
        yield endpoint


def tried(endpoint: Endpoint, use: Callable[[Trainer], Awaitable[T]], key: str = KEY) -> T:
    async def session() -> T:
        headers = {"Authorization": f"Bearer {key}"}
        engine = OpenAIEngine(Address(endpoint.url, headers, secrets=(key,), timeout=5))
        assert isinstance(engine, FineTuning)
        try:
            return await use(engine.trainer)
        finally:
            await engine.aclose()

    return asyncio.run(session())


async def ordered(trainer: Trainer, **more: object) -> Job:
    files = [await trainer.upload(f"{name}.jsonl", LINE * 3) for name in ("training", "validation")]
    return await trainer.start_job(JobOrder("llama", *files, **more))  # type: ignore[arg-type]


def test_a_file_is_sent_as_it_is_with_its_name_and_purpose(endpoint: Endpoint) -> None:
    assert tried(endpoint, lambda trainer: trainer.upload("training.jsonl", LINE * 3)) == "file-1"
    (upload,) = endpoint.tuning.uploads
    assert (upload.name, upload.purpose) == ("training.jsonl", "fine-tune")
    assert len(upload.chats) == 3


def test_an_upload_waits_until_the_file_is_read(endpoint: Endpoint) -> None:
    endpoint.tuning.file_polls = 2
    tried(endpoint, lambda trainer: trainer.upload("training.jsonl", LINE))
    assert endpoint.tuning.file_looks == 2


def test_an_upload_that_found_the_endpoint_busy_is_tried_again(endpoint: Endpoint) -> None:
    endpoint.tuning.upload_troubles = 2
    assert tried(endpoint, lambda trainer: trainer.upload("training.jsonl", LINE)) == "file-1"
    assert len(endpoint.tuning.uploads) == 1


def test_a_file_that_is_no_data_set_is_refused_in_the_endpoints_words(endpoint: Endpoint) -> None:
    with pytest.raises(EndpointFailed, match="Invalid file format"):
        tried(endpoint, lambda trainer: trainer.upload("training.jsonl", b"{}\n"))


def test_an_order_names_files_hyperparameters_suffix_and_seed(endpoint: Endpoint) -> None:
    given = (("context_length", 512), ("n_epochs", 3))
    job = tried(endpoint, lambda t: ordered(t, hyperparameters=given, suffix="mood", seed=7))
    assert (job.id, job.status, job.error) == ("ftjob-1", "queued", None)
    assert endpoint.tuning.orders == [
        {
            "model": "llama",
            "training_file": "file-1",
            "validation_file": "file-2",
            "hyperparameters": {"context_length": 512, "n_epochs": 3},
            "suffix": "mood",
            "seed": 7,
        }
    ]


def test_an_order_without_options_leaves_them_to_the_endpoint(endpoint: Endpoint) -> None:
    tried(endpoint, ordered)
    (order,) = endpoint.tuning.orders
    assert order.keys() == {"model", "training_file", "validation_file"}


def test_hyperparameters_go_into_the_method_where_the_endpoint_wants_them_there(
    endpoint: Endpoint,
) -> None:
    endpoint.tuning.form = "method"
    endpoint.tuning.knows_context_length = False
    given = (("context_length", 512), ("n_epochs", 3))
    tried(endpoint, lambda trainer: ordered(trainer, hyperparameters=given))
    (order,) = endpoint.tuning.orders
    assert order["method"] == {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 3}},
    }
    assert "hyperparameters" not in order


def test_a_value_that_is_refused_is_not_asked_without(endpoint: Endpoint) -> None:
    endpoint.tuning.refusal = "context_length 512 is not supported for llama"
    with pytest.raises(EndpointFailed, match="context_length 512 is not supported"):
        tried(endpoint, lambda t: ordered(t, hyperparameters=(("context_length", 512),)))
    assert endpoint.tuning.orders == []


@pytest.mark.parametrize("listed", [True, False])
def test_a_base_model_that_is_not_offered_is_told_with_those_that_are(
    endpoint: Endpoint, listed: bool
) -> None:
    endpoint.tuning.base_models = ("mistral-7b", "llama-3-8b")
    endpoint.tuning.lists_base_models = listed
    with pytest.raises(NotTunable) as refused:
        tried(endpoint, ordered)
    assert str(refused.value) == (
        "the endpoint does not fine-tune 'llama': Model llama cannot be fine-tuned."
        + ("; it fine-tunes mistral-7b, llama-3-8b" if listed else "")
    )


def test_an_endpoint_without_files_fine_tunes_no_model(endpoint: Endpoint) -> None:
    endpoint.tuning.files = False
    with pytest.raises(NotTunable, match="takes no files, so it fine-tunes no model"):
        tried(endpoint, ordered)


def test_a_wrong_key_is_told_and_not_shown(endpoint: Endpoint) -> None:
    with pytest.raises(AuthenticationFailed) as refused:
        tried(endpoint, ordered, key="sk-wrong-one")
    assert "sk-wrong-one" not in str(refused.value)


def test_nobody_at_home_is_told(endpoint: Endpoint) -> None:
    endpoint.stop()
    with pytest.raises(EndpointUnreachable):
        tried(endpoint, ordered)


def test_a_job_tells_its_progress_then_its_model_and_the_figures_of_its_results(
    endpoint: Endpoint,
) -> None:
    async def watched(trainer: Trainer) -> list[Job]:
        job = await ordered(trainer)
        return [await trainer.job(job.id) for _ in range(2)]

    running, done = tried(endpoint, watched)
    assert (running.status, running.progress, running.done) == ("running", 0.75, False)
    assert running.metrics == {"step": 75, "total_steps": 100, "train_loss": 1}
    assert (done.status, done.progress, done.done) == ("succeeded", 1.0, True)
    assert (done.fine_tuned_model, done.trained_tokens) == ("ft:llama:me:ftjob-1", 1234)
    assert done.metrics == {
        "step": 100,
        "total_steps": 100,
        "train_loss": 0.25,
        "valid_loss": 0.75,
        "valid_mean_token_accuracy": 0.875,
    }


def test_an_endpoint_without_events_is_not_asked_for_them_again(endpoint: Endpoint) -> None:
    endpoint.tuning.events = False
    endpoint.tuning.outcome = "never"

    async def watched(trainer: Trainer) -> Job:
        job = await ordered(trainer)
        return [await trainer.job(job.id) for _ in range(3)][-1]

    job = tried(endpoint, watched)
    assert (job.status, job.progress, job.metrics) == ("running", None, {})
    assert endpoint.tuning.event_looks == 1


def test_figures_that_cannot_be_read_do_not_hide_that_the_job_is_done(endpoint: Endpoint) -> None:
    endpoint.tuning.garbled = True
    endpoint.tuning.polls = 1

    async def watched(trainer: Trainer) -> Job:
        return await trainer.job((await ordered(trainer)).id)

    job = tried(endpoint, watched)
    assert (job.status, job.fine_tuned_model, job.metrics) == (
        "succeeded",
        "ft:llama:me:ftjob-1",
        {},
    )


def test_an_endpoint_that_has_files_and_no_jobs_fine_tunes_no_model(endpoint: Endpoint) -> None:
    endpoint.tuning.jobs = False
    with pytest.raises(NotTunable, match="has no fine-tuning jobs: Not Found"):
        tried(endpoint, ordered)


def test_a_job_that_failed_says_why(endpoint: Endpoint) -> None:
    endpoint.tuning.outcome = "failed"
    endpoint.tuning.polls = 1

    async def watched(trainer: Trainer) -> Job:
        return await trainer.job((await ordered(trainer)).id)

    job = tried(endpoint, watched)
    assert (job.status, job.error) == ("failed", "The training data has no signal")


def test_a_job_is_cancelled(endpoint: Endpoint) -> None:
    async def cancelled(trainer: Trainer) -> Job:
        return await trainer.cancel_job((await ordered(trainer)).id)

    assert tried(endpoint, cancelled).status == "cancelled"
    assert endpoint.tuning.cancels == ["ftjob-1"]


def test_a_job_that_is_done_cannot_be_cancelled_and_stays_done(endpoint: Endpoint) -> None:
    endpoint.tuning.polls = 1

    async def too_late(trainer: Trainer) -> Job:
        job = await ordered(trainer)
        await trainer.job(job.id)
        return await trainer.cancel_job(job.id)

    assert tried(endpoint, too_late).status == "succeeded"


def test_a_job_that_nobody_knows_is_told(endpoint: Endpoint) -> None:
    with pytest.raises(JobUnknown, match="ftjob-9"):
        tried(endpoint, lambda trainer: trainer.job("ftjob-9"))


def test_a_job_is_found_by_its_file(endpoint: Endpoint) -> None:
    async def found(trainer: Trainer) -> list[str | None]:
        await ordered(trainer)
        jobs = [await trainer.find_job(f"file-{n}") for n in (1, 9)]
        return [job and job.id for job in jobs]

    assert tried(endpoint, found) == ["ftjob-1", None]


def test_a_file_is_deleted(endpoint: Endpoint) -> None:
    tried(endpoint, lambda trainer: trainer.delete_file("file-1"))
    assert endpoint.tuning.deleted == ["file-1"]


def test_the_embedded_model_is_no_engine_that_fine_tunes() -> None:
    assert not issubclass(LocalEngine, OpenAIEngine)
    assert not hasattr(LocalEngine, "trainer")
