"""The version of a model that a fine-tuning job makes: begun, found again, finished.

Pure: records in, records out.
"""

from collections.abc import Sequence
from dataclasses import replace

from catalog.records import ModelRecord
from catalog.tunings import TuningRecord
from engines.tuning.job import Job

_UNNAMED = "the job has succeeded, but the endpoint names no fine-tuned model"


def begun(base: ModelRecord, tuning: TuningRecord) -> ModelRecord:
    """What the version is while the job runs; it cannot be asked. Its number is the store's, its
    examples and their query are those of `base`."""
    return replace(
        base,
        created_at=tuning.created_at,
        training_seconds=0.0,
        status="training",
        error=None,
    )


def found(tuning: TuningRecord, versions: Sequence[ModelRecord]) -> ModelRecord | None:
    """The version among these, whatever its model is called by now; None once it is dropped."""
    return next((version for version in versions if _is_of(version, tuning)), None)


def finished(version: ModelRecord, tuning: TuningRecord) -> ModelRecord:
    """What becomes of the version when the job has ended."""
    assert tuning.finished_at is not None
    seconds = (tuning.finished_at - tuning.created_at).total_seconds()
    changed = replace(version, training_seconds=round(seconds, 3))
    match tuning.status:
        case "succeeded":
            options = {**version.options, "model_name": tuning.fine_tuned_model}
            return replace(changed, status="complete", options=options, error=None)
        case "cancelled":
            return replace(changed, status="cancelled", error=tuning.error)
        case _:
            return replace(changed, status="error", error=tuning.error)


def told(tuning: TuningRecord, job: Job) -> TuningRecord:
    """The record of a job with what the endpoint says of it now."""
    named = job.status != "succeeded" or job.fine_tuned_model is not None
    return replace(
        tuning,
        job_id=job.id,
        status=job.status if named else "failed",
        progress=tuning.progress if job.progress is None else job.progress,
        trained_tokens=job.trained_tokens or tuning.trained_tokens,
        metrics={**tuning.metrics, **job.metrics},
        fine_tuned_model=job.fine_tuned_model,
        error=_why(job) if named else _UNNAMED,
    )


def _is_of(version: ModelRecord, tuning: TuningRecord) -> bool:
    made = (version.created_at, version.project.casefold())
    if made != (tuning.created_at, tuning.project.casefold()):
        return False
    if tuning.version is None:
        return version.status == "training"
    return version.version == tuning.version


def _why(job: Job) -> str | None:
    """Some endpoints fail a job without a word."""
    return job.error or ("the endpoint does not say why" if job.status == "failed" else None)
