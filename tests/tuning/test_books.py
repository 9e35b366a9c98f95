"""What information_schema.models says of fine-tuning, from records alone."""

from dataclasses import replace
from datetime import datetime

import pytest

from catalog.records import ModelRecord, TargetRecord
from catalog.tunings import TuningRecord
from proxy.tuning.books import accuracy, update_status

BEGUN = datetime(2026, 3, 1)
TUNING = TuningRecord(
    "shop", "Mood", 1, "e", "llama", "f1", "f2", {}, True, None, "SELECT 1", BEGUN, version=2
)
BASE = ModelRecord("shop", "mood", 1, "e", (TargetRecord("m"),), (), {}, datetime(2026, 1, 1))
MADE = replace(BASE, version=2, created_at=BEGUN)


@pytest.mark.parametrize(
    ("tuning", "shown"),
    [
        (TUNING, "updating"),
        (replace(TUNING, progress=0.0), "updating 0%"),
        (replace(TUNING, progress=0.426), "updating 43%"),
        (replace(TUNING, model="other"), "up_to_date"),
        (replace(TUNING, project="other"), "up_to_date"),
    ],
)
def test_a_model_in_training_shows_its_progress(tuning: TuningRecord, shown: str) -> None:
    assert update_status(BASE, [tuning]) == shown


@pytest.mark.parametrize(
    ("metrics", "shown"),
    [
        ({}, None),
        ({"train_loss": 1, "train_accuracy": 1}, None),
        ({"valid_mean_token_accuracy": 0.5}, 0.5),
        ({"valid_mean_token_accuracy": 0.5, "full_valid_mean_token_accuracy": 1}, 1.0),
    ],
)
def test_the_accuracy_of_a_version_is_that_of_validation(
    metrics: dict[str, float], shown: float | None
) -> None:
    assert accuracy(MADE, [replace(TUNING, metrics=metrics)]) == shown


def test_a_version_that_no_job_made_has_no_accuracy() -> None:
    assert accuracy(BASE, [replace(TUNING, metrics={"valid_mean_token_accuracy": 1})]) is None
