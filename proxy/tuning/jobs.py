"""What becomes of one job: ordered, looked at, cancelled, ended, with the version that it makes.

Every change is written down before the next is begun, so that whoever starts anew can go on. When
a job is looked at is for watch.py.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from catalog.errors import CatalogError, TableUnknown, VersionUnknown
from catalog.records import ModelRecord
from catalog.store import Store
from catalog.tunings import TuningRecord, TuningStore
from catalog.whole import whole
from engines.base import FineTuning, Trainer
from engines.errors import EngineError, JobUnknown
from engines.tuning.job import Job, JobOrder
from proxy.errors import Unsupported
from proxy.execute.engine_pool import EnginePool
from proxy.tuning import versions


class Jobs:
    """All jobs of one server, each looked at by one at a time."""

    def __init__(self, store: Store, tunings: TuningStore, engines: EnginePool) -> None:
        self.tunings = tunings
        self._store = store
        self._engines = engines
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def trainer(self, engine: str) -> Trainer:
        """Who trains for that engine. Raises EngineUnknown, EngineError, Unsupported for an engine
        that fine-tunes no model."""
        record = self._store.engine(engine)
        live = self._engines.engine(record)
        if not isinstance(live, FineTuning):
            raise Unsupported(
                f"Engine '{record.name}' fine-tunes no model: its handler '{record.handler}' "
                "has no fine-tuning"
            )
        return live.trainer

    def of(self, model: ModelRecord) -> TuningRecord | None:
        """The job that trains a model, whatever the model is called by now."""
        named = (model.project.casefold(), model.name.casefold())
        for tuning in self.tunings.open:
            known = self.version(tuning) or tuning
            name = known.name if isinstance(known, ModelRecord) else known.model
            if (known.project.casefold(), name.casefold()) == named:
                return tuning
        return None

    def is_dropped(self, number: int) -> bool:
        """Whether the version that a job makes was dropped before the job has ended."""
        tuning = self.tunings.find_open(number)
        return tuning is not None and tuning.job_id is not None and self.version(tuning) is None

    def version(self, tuning: TuningRecord) -> ModelRecord | None:
        """The version that a job makes, None where there is none yet, or no more."""
        return versions.found(tuning, self._store.all_versions)

    async def order(self, record: TuningRecord, order: JobOrder) -> TuningRecord:
        """Have a job made of uploaded files, and a version of it. To be carried to its end.

        It is written down before the endpoint is asked: who finds it without a job's id looks
        there for the job of its file. Raises EngineError, CatalogError; then there is nothing, the
        files are forgotten, too.
        """
        trainer = self.trainer(record.engine)
        tuning = await self.tunings.add(record)
        try:
            job = await _started(trainer, order)
            return await self._accepted(tuning, job)
        except BaseException:
            await self.tunings.forget(tuning.number)
            await forget_files(trainer, tuning.training_file, tuning.validation_file)
            raise

    async def look(self, number: int) -> None:
        """See what has become of a job: one whose version was dropped is cancelled. Raises
        EngineError, CatalogError; then it is as it was."""
        async with self._locks[number]:
            tuning = self.tunings.find_open(number)
            if tuning is not None:
                await self._look(tuning, self.trainer(tuning.engine))

    async def cancel(self, number: int) -> None:
        """Have a job ended. Raises as `look`."""
        async with self._locks[number]:
            tuning = self.tunings.find_open(number)
            if tuning is not None and tuning.job_id is not None:
                job = await self.trainer(tuning.engine).cancel_job(tuning.job_id)
                await self._told(tuning, job)

    async def give_up(self, number: int) -> None:
        """Let go of a job that cannot be cancelled, or found; the trouble stays with it."""
        async with self._locks[number]:
            tuning = self.tunings.find_open(number)
            if tuning is not None:
                status = "cancelled" if self.version(tuning) is None else "failed"
                await self._ended(replace(tuning, status=status))

    async def note(self, number: int, trouble: str) -> None:
        """Write down what the last look met. Raises CatalogError."""
        tuning = self.tunings.find_open(number)
        if tuning is not None and tuning.error != trouble:
            await self.tunings.put(replace(tuning, error=trouble))

    async def _look(self, tuning: TuningRecord, trainer: Trainer) -> None:
        if tuning.job_id is None:
            await self._settle(tuning, trainer)
            return
        version = self.version(tuning)
        try:
            if version is None:
                job = await trainer.cancel_job(tuning.job_id)
            else:
                job = await trainer.job(tuning.job_id)
                tuning = replace(tuning, project=version.project, model=version.name)
        except JobUnknown:
            if version is not None:
                raise
            await self._ended(replace(tuning, status="cancelled"))
            return
        await self._told(tuning, job)

    async def _settle(self, tuning: TuningRecord, trainer: Trainer) -> None:
        """Of a server that died while it ordered: the endpoint has the job, or nobody has."""
        job = await trainer.find_job(tuning.training_file)
        if job is not None:
            await self._accepted(tuning, job)
            return
        await forget_files(trainer, tuning.training_file, tuning.validation_file)
        await self.tunings.forget(tuning.number)

    async def _accepted(self, tuning: TuningRecord, job: Job) -> TuningRecord:
        version = self.version(tuning)
        if version is None:
            try:
                base = self._store.version(tuning.project, tuning.model, tuning.base_version)
                version = await self._store.add_version(
                    versions.begun(base, tuning), activate=False
                )
            except CatalogError:  # the model was dropped meanwhile
                await self.trainer(tuning.engine).cancel_job(job.id)
                await self.tunings.forget(tuning.number)
                raise
        queued = replace(tuning, version=version.version, job_id=job.id, status="queued")
        await self.tunings.put(queued)
        return queued

    async def _told(self, tuning: TuningRecord, job: Job) -> None:
        now = versions.told(tuning, job)
        if now.ended:
            await self._ended(now)
        elif now != self.tunings.find_open(tuning.number):
            await self.tunings.put(now)

    @whole
    async def _ended(self, tuning: TuningRecord) -> None:
        """The version first: a server that dies before the job is done with finds it again."""
        tuning = replace(tuning, finished_at=datetime.now(UTC).replace(tzinfo=None))
        version = self.version(tuning)
        if version is not None:
            with suppress(TableUnknown, VersionUnknown):  # it was dropped in this very moment
                await self._store.put_version(versions.finished(version, tuning))
                if tuning.status == "succeeded" and tuning.active:
                    await self._store.activate(version.project, version.name, version.version)
        await self.tunings.put(tuning)


@whole
async def forget_files(trainer: Trainer, *files: str) -> None:
    """Have uploads forgotten that no job came of, if the endpoint can be asked."""
    for file in files:
        with suppress(EngineError):
            await trainer.delete_file(file)


async def _started(trainer: Trainer, order: JobOrder) -> Job:
    """Order a job; one that the endpoint made without an answer is found by its file."""
    try:
        return await trainer.start_job(order)
    except EngineError as error:
        job = None
        if error.transient:
            with suppress(EngineError):
                job = await trainer.find_job(order.training_file)
        if job is None:
            raise
        return job
