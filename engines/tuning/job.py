"""A fine-tuning job: what is ordered, and what an endpoint says of it, read.

Pure: values of JSON in, a Job out. https://platform.openai.com/docs/api-reference/fine-tuning
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from engines.errors import BadReply
from engines.task import Value

JobStatus: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]

_STATUSES: Mapping[str, JobStatus] = {
    **dict.fromkeys(("validating_files", "pending", "queued", "created", "submitted"), "queued"),
    **dict.fromkeys(("succeeded", "success", "completed", "complete"), "succeeded"),
    **dict.fromkeys(("failed", "error", "errored", "expired"), "failed"),
    **dict.fromkeys(("cancelled", "canceled", "stopped"), "cancelled"),
}


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What is to be trained: the base model as the endpoint names it, and uploaded files' ids."""

    model_name: str
    training_file: str
    validation_file: str
    hyperparameters: tuple[tuple[str, Value], ...] = ()
    suffix: str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stood when it was looked at.

    `progress` is the share that is done, 0 to 1, None where the endpoint does not tell; `metrics`
    are its newest figures. `fine_tuned_model` may be known before the job is done.
    """

    id: str
    status: JobStatus
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: str | None = None
    progress: float | None = None
    metrics: Mapping[str, Value] = field(default_factory=dict)
    result_file: str | None = None

    @property
    def done(self) -> bool:
        """Whether it has come to its end, whatever that is."""
        return self.status not in ("queued", "running")


def read_job(value: Value) -> Job:
    """Read a job. A status that nobody has heard of is taken for a running job's. Raises BadReply
    for what is no job."""
    job_id = value.get("id") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(job_id, str) or not job_id:
        raise BadReply("the endpoint's answer is not a fine-tuning job")
    tokens = value.get("trained_tokens")
    status = _STATUSES.get(str(value.get("status")).lower(), "running")
    return Job(
        id=job_id,
        status=status,
        fine_tuned_model=_text(value.get("fine_tuned_model")),
        trained_tokens=tokens if isinstance(tokens, int) else None,
        error=_error(value.get("error")),
        progress=1.0 if status == "succeeded" else _share(value.get("progress")),
        result_file=_first_file(value.get("result_files")),
    )


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) and value else None


def _error(value: Value) -> str | None:
    """OpenAI's is an object, {} where there is none; others say it in a word."""
    return _text(value.get("message")) if isinstance(value, dict) else _text(value)


def _share(value: Value) -> float | None:
    """Some endpoints say 0 to 1, some 0 to 100."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return value / 100 if value > 1 else float(value)


def _first_file(value: Value) -> str | None:
    """A list of ids, or of the files themselves."""
    first = value[0] if isinstance(value, list) and value else None
    return _text(first.get("id")) if isinstance(first, dict) else _text(first)
