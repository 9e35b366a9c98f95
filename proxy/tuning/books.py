"""What information_schema shows of fine-tuning: every job, and what a model's row says of its own.

It asks no endpoint: what is shown is what the last look at a job has found.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from catalog.records import ModelRecord
from catalog.tunings import TuningRecord
from proxy.variables import Value

FINE_TUNINGS = (
    "JOB_ID, PROJECT, MODEL, VERSION BIGINT, STATUS, PROGRESS DOUBLE, TRAINED_TOKENS BIGINT, "
    "METRICS JSON, ERROR, ENGINE, BASE_MODEL, FINE_TUNED_MODEL, TRAINING_OPTIONS JSON, "
    "TRAINING_FILE, VALIDATION_FILE, SELECT_DATA_QUERY, CREATED_AT TIMESTAMP_S, "
    "FINISHED_AT TIMESTAMP_S"
)

_ACCURACIES = (
    "full_valid_mean_token_accuracy",
    "valid_mean_token_accuracy",
    "validation_token_accuracy",
    "valid_accuracy",
    "eval_accuracy",
)
"""OpenAI's, its older names, and those of the usual trainers; the best founded first."""


def tuning_rows(records: Sequence[TuningRecord]) -> list[tuple[Value, ...]]:
    """The rows of FINE_TUNINGS, the newest first; PROGRESS is a share, 0 to 1."""
    return [
        (
            record.job_id,
            record.project,
            record.model,
            record.version,
            record.status,
            record.progress,
            record.trained_tokens,
            json.dumps(dict(record.metrics)),
            record.error,
            record.engine,
            record.base_model,
            record.fine_tuned_model,
            json.dumps(dict(record.options), ensure_ascii=False),
            record.training_file,
            record.validation_file,
            record.query,
            _second(record.created_at),
            _second(record.finished_at),
        )
        for record in reversed(records)
    ]


def called_now(
    records: Sequence[TuningRecord], versions: Sequence[ModelRecord]
) -> list[TuningRecord]:
    """The jobs under the names that their models have among all versions: a job learns of another
    name only when it is looked at, or never once it has ended."""
    made = {_version(version): version.name for version in versions}
    return [
        replace(record, model=made.get(_version_made(record), record.model)) for record in records
    ]


def update_status(model: ModelRecord, under_way: Sequence[TuningRecord]) -> str:
    """UPDATE_STATUS of a model: up_to_date, or how far the job is that trains it."""
    tuning = next((t for t in under_way if _name(t.project, t.model) == _named(model)), None)
    if tuning is None:
        return "up_to_date"
    return "updating" if tuning.progress is None else f"updating {tuning.progress:.0%}"


def accuracy(model: ModelRecord, records: Sequence[TuningRecord]) -> float | None:
    """ACCURACY of a version that a job made: the share of right tokens that the endpoint found when
    it validated, None where it told none."""
    tuning = _tuning_of(model, records)
    metrics = {} if tuning is None else tuning.metrics
    return next((float(metrics[name]) for name in _ACCURACIES if name in metrics), None)


def select_data_query(model: ModelRecord, records: Sequence[TuningRecord]) -> str | None:
    """SELECT_DATA_QUERY of a version: of the rows that it was trained with, else of those that it
    keeps as examples."""
    tuning = _tuning_of(model, records)
    return model.select_data_query if tuning is None else tuning.query


def _tuning_of(model: ModelRecord, records: Sequence[TuningRecord]) -> TuningRecord | None:
    return next((record for record in records if _version_made(record) == _version(model)), None)


def _version_made(record: TuningRecord) -> tuple[datetime, str, int | None]:
    return record.created_at, record.project.casefold(), record.version


def _version(version: ModelRecord) -> tuple[datetime, str, int | None]:
    return version.created_at, version.project.casefold(), version.version


def _named(model: ModelRecord) -> tuple[str, str]:
    return _name(model.project, model.name)


def _name(project: str, model: str) -> tuple[str, str]:
    return project.casefold(), model.casefold()


def _second(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
