"""Fine-tuning as statements and the server know it: who may begin, who is told to end.

One for the server; the rows and options of a statement are finetune.py's.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from catalog.errors import InUse, TuningUnknown
from catalog.records import ModelRecord
from catalog.store import Store
from catalog.tunings import TuningRecord, TuningStore
from catalog.whole import whole
from engines.base import Trainer
from engines.tuning.job import JobOrder
from proxy.execute.engine_pool import EnginePool
from proxy.tuning.jobs import Jobs
from proxy.tuning.watch import Pace, Watch

_CANCEL_SECONDS = 5.0


class Workshop:
    """All fine-tuning of one server. To be closed before its engines and its catalog."""

    def __init__(self, store: Store, tunings: TuningStore, engines: EnginePool, pace: Pace) -> None:
        self.tunings = tunings
        self._jobs = Jobs(store, tunings, engines)
        self._watch = Watch(self._jobs, pace)
        self._beginning: set[tuple[str, str]] = set()

    def resume(self) -> None:
        """Go on with the jobs that have not ended. Needs a running loop."""
        for tuning in self.tunings.open:
            self._watch.start(tuning.number)

    async def close(self) -> None:
        """Look after nothing more; the jobs go on at their endpoints. Idempotent."""
        await self._watch.close()

    def trainer(self, engine: str) -> Trainer:
        """Who trains for that engine, see Jobs.trainer."""
        return self._jobs.trainer(engine)

    @asynccontextmanager
    async def beginning(self, model: ModelRecord) -> AsyncIterator[None]:
        """Hold the one place for a job of that model. Raises InUse where it is taken."""
        name = f"{model.project}.{model.name}"
        key = model.project.casefold(), model.name.casefold()
        under_way = self._jobs.of(model)
        if under_way is not None or key in self._beginning:
            job = f" (job {under_way.job_id})" if under_way and under_way.job_id else ""
            raise InUse(
                f"Model '{name}' is being fine-tuned already{job}: "
                f"CANCEL FINETUNE {model.name} ends that"
            )
        self._beginning.add(key)
        try:
            yield
        finally:
            self._beginning.discard(key)

    @whole
    async def order(self, record: TuningRecord, order: JobOrder) -> TuningRecord:
        """Have a job made and looked after, see Jobs.order. No cancel point: a job that nobody
        knows would be paid all the same."""
        tuning = await self._jobs.order(record, order)
        self._watch.start(tuning.number)
        return tuning

    async def cancel(self, model: ModelRecord) -> None:
        """Have the job of a model ended. Raises TuningUnknown where there is none; EngineError
        where the endpoint does not end it: then it goes on."""
        tuning = self._jobs.of(model)
        if tuning is None or tuning.job_id is None:
            raise TuningUnknown(
                f"No fine-tuning of model '{model.project}.{model.name}' is running"
            )
        await self._jobs.cancel(tuning.number)
        self._watch.wake(tuning.number)

    async def let_go(self) -> None:
        """Cancel the jobs whose versions are dropped: at once where their endpoints answer soon,
        else in the background."""
        gone = [t.number for t in self.tunings.open if self._jobs.is_dropped(t.number)]
        with suppress(TimeoutError):
            async with asyncio.timeout(_CANCEL_SECONDS):
                await asyncio.gather(*map(self._watch.look, gone))
        for number in gone:
            self._watch.wake(number)

    def require_unused(self, engine: str) -> None:
        """Raises InUse while a job of that engine is under way, be it of a model that is gone."""
        for tuning in self.tunings.open:
            if tuning.engine.casefold() == engine.casefold():
                raise InUse(
                    f"Cannot drop ML engine '{tuning.engine}': fine-tuning job {tuning.job_id} "
                    f"of model '{tuning.project}.{tuning.model}' has not ended"
                )
