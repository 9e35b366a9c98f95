"""FINETUNE: the rows of its query, checked, uploaded and made a job.

Nothing leaves the server before every row is looked at.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from catalog.errors import InUse
from catalog.records import ModelRecord
from catalog.tunings import TuningRecord
from engines.base import Trainer
from engines.errors import DatasetRejected
from engines.tuning.dataset import MOST_BYTES, Dataset, make_dataset
from engines.tuning.job import JobOrder
from engines.tuning.options import TuningOptions, read_tuning_options
from proxy.source_rows import TextRow, source_rows
from proxy.sql.statements import FineTune
from proxy.state import State
from proxy.tuning.jobs import forget_files


async def fine_tune(statement: FineTune, model: ModelRecord, state: State) -> str:
    """Have a version of a model trained further; the text of a note on what was begun.

    Returns when the endpoint has accepted the job. Raises OptionError, DatasetRejected, InUse,
    Unsupported, what its query raises, and EngineError; then nothing has changed. May be cancelled
    until the job is ordered.
    """
    workshop = state.house.workshop
    _require_complete(model)
    options = read_tuning_options(statement.options, f"FINETUNE {model.name}")
    async with workshop.beginning(model):
        trainer = workshop.trainer(model.engine)
        dataset = await _dataset(statement, options, state)
        order = await _uploaded(trainer, model, dataset, options)
        tuning = await workshop.order(_record(statement, model, order, options), order)
    return (
        f"Job {tuning.job_id} trains version {tuning.version} of '{model.project}.{model.name}': "
        f"{dataset.training_chats} chats to learn from, {dataset.validation_chats} to validate, "
        f"about {dataset.tokens:,} tokens"
    )


def _require_complete(model: ModelRecord) -> None:
    if model.status != "complete":
        name = f"{model.project}.{model.name}"
        raise InUse(
            f"Version {model.version} of model '{name}' cannot be fine-tuned: "
            f"its status is '{model.status}'"
        )


async def _dataset(statement: FineTune, options: TuningOptions, state: State) -> Dataset:
    columns, rows = await source_rows(statement.query, statement.source, state, _refuse_too_many)
    return await asyncio.to_thread(make_dataset, columns, rows, options.context_length)


def _refuse_too_many(_: Sequence[TextRow], size: int) -> None:
    if size > MOST_BYTES:
        raise DatasetRejected(f"the data set is larger than {MOST_BYTES >> 20} MB")


async def _uploaded(
    trainer: Trainer, model: ModelRecord, dataset: Dataset, options: TuningOptions
) -> JobOrder:
    training = await trainer.upload(f"{model.name}-training.jsonl", dataset.training)
    try:
        validation = await trainer.upload(f"{model.name}-validation.jsonl", dataset.validation)
    except BaseException:
        await forget_files(trainer, training)
        raise
    return JobOrder(
        str(model.options["model_name"]),
        training,
        validation,
        options.hyperparameters,
        options.suffix,
        options.seed,
    )


def _record(
    statement: FineTune, model: ModelRecord, order: JobOrder, options: TuningOptions
) -> TuningRecord:
    given = {**dict(options.hyperparameters), "suffix": options.suffix, "seed": options.seed}
    return TuningRecord(
        project=model.project,
        model=model.name,
        base_version=model.version,
        engine=model.engine,
        base_model=order.model_name,
        training_file=order.training_file,
        validation_file=order.validation_file,
        options={name: value for name, value in given.items() if value is not None},
        active=options.active,
        source=statement.source,
        query=statement.query,
        created_at=datetime.now(UTC).replace(tzinfo=None),
    )
