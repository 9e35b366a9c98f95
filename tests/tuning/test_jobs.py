from base64 import b64encode

import pytest

from engines.errors import BadReply, OptionError
from engines.task import Value
from engines.tuning.job import Job, read_job
from engines.tuning.metrics import with_events, with_results
from engines.tuning.options import read_tuning_options

RUNNING = Job("j", "running")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("validating_files", "queued"),
        ("pending", "queued"),
        ("running", "running"),
        ("a word of tomorrow", "running"),
        ("SUCCEEDED", "succeeded"),
        ("completed", "succeeded"),
        ("failed", "failed"),
        ("canceled", "cancelled"),
    ],
)
def test_the_words_of_all_endpoints_are_five_statuses(said: str, status: str) -> None:
    assert read_job({"id": "j", "status": said}).status == status


@pytest.mark.parametrize("value", [None, [], {}, {"id": 1}, {"id": ""}, "job"])
def test_what_has_no_id_is_no_job(value: Value) -> None:
    with pytest.raises(BadReply):
        read_job(value)


@pytest.mark.parametrize(
    ("error", "text"),
    [(None, None), ({}, None), ({"code": "x", "message": "No"}, "No"), ("No", "No"), ("", None)],
)
def test_an_error_is_a_text_or_none(error: Value, text: str | None) -> None:
    assert read_job({"id": "j", "status": "failed", "error": error}).error == text


def test_anyscales_job_is_read() -> None:
    job = read_job(
        {
            "id": "eftjob_1",
            "status": "pending",
            "fine_tuned_model": "meta-llama/Llama-2-7b:me:x",
            "hyperparameters": {"n_epochs": None},
            "result_files": [{"id": "file_9"}],
            "trained_tokens": None,
            "error": None,
        }
    )
    assert job == Job("eftjob_1", "queued", "meta-llama/Llama-2-7b:me:x", result_file="file_9")


@pytest.mark.parametrize(
    ("events", "progress"),
    [
        ([], None),
        ([{"message": "Step 31/124: training loss=0.10"}], 0.25),
        ([{"data": {"step": 3, "total_steps": 4}}, {"data": {"step": 2, "total_steps": 4}}], 0.75),
        ([{"data": {"step": 9, "total_steps": 4}}], 1.0),
        ([{"data": {"step": 9, "total_steps": 0}}], None),
        ([None, {"data": "x", "message": None}], None),
    ],
)
def test_progress_is_the_share_of_the_newest_step(events: list[Value], progress: float) -> None:
    assert with_events(RUNNING, {"data": events}).progress == progress


@pytest.mark.parametrize(
    "content",
    [
        b"step,train_loss,valid_loss\n1,2.0,1.5\n2,0.5,\n",
        b64encode(b"step,train_loss,valid_loss\n1,2.0,1.5\n2,0.5,\n"),
        b'{"step": 1, "train_loss": 2, "valid_loss": 1.5}\n{"step": 2, "train_loss": 0.5}\n',
    ],
)
def test_results_are_the_last_figure_of_each_column(content: bytes) -> None:
    assert with_results(RUNNING, content).metrics == {
        "step": 2,
        "train_loss": 0.5,
        "valid_loss": 1.5,
    }


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"<html>", b"[1, 2", b"{}\n[]\nx"])
def test_results_that_cannot_be_read_are_no_figures(content: bytes) -> None:
    assert with_results(RUNNING, content).metrics == {}


def test_hyperparameters_are_what_was_given_and_nothing_else() -> None:
    options = read_tuning_options({"n_epochs": 3, "active": False, "suffix": "s"}, "FINETUNE")
    assert options.hyperparameters == (("n_epochs", 3),)
    assert (options.active, options.suffix, options.context_length) == (False, "s", None)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"epochs": 3}, "unknown option 'epochs' of m: did you mean 'n_epochs'?"),
        ({"n_epochs": 0}, "option 'n_epochs' of m takes 1 to 1,000, not 0"),
        ({"n_epochs": "3"}, "option 'n_epochs' of m takes a whole number, not '3'"),
        ({"suffix": "x" * 65}, "option 'suffix' of m takes 1 to 64 characters"),
    ],
)
def test_an_option_that_is_wrong_is_told(given: dict[str, Value], told: str) -> None:
    with pytest.raises(OptionError) as wrong:
        read_tuning_options(given, "m")
    assert str(wrong.value) == told
