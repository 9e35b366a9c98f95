"""The fine-tuning jobs of an OpenAI-compatible endpoint: ordered, looked at, cancelled.

Endpoints differ in what they take and tell: what one refuses as unknown is asked without it. What a
data set has to be, and when to look again, is for others.
https://platform.openai.com/docs/api-reference/fine-tuning
"""

from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote

from engines.errors import EngineError, JobUnknown, NotTunable
from engines.http.endpoint import Endpoint
from engines.http.files import Files
from engines.http.reply import HttpReply, json_of, refuses_route, succeeded
from engines.task import Value
from engines.tuning.job import Job, JobOrder, read_job
from engines.tuning.metrics import with_events, with_results
from engines.tuning.order import Dialect, offered, order_body, other_dialect, refuses_model

_JOBS = "/fine_tuning/jobs"
_EVENTS = 50
_LISTED_JOBS = 100


class TuningApi:
    """The Trainer of engines/base.py over one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._files = Files(endpoint)
        self._dialect = Dialect()
        self._has_events = True

    async def upload(self, name: str, lines: bytes) -> str:
        """Leave a file with the endpoint, see Trainer.upload."""
        return await self._files.upload(name, lines)

    async def delete_file(self, file_id: str) -> None:
        """Have the endpoint forget a file, see Trainer.delete_file."""
        await self._files.delete(file_id)

    async def start_job(self, order: JobOrder) -> Job:
        """Order a job, see Trainer.start_job."""
        dialect: Dialect | None = self._dialect
        while dialect is not None:
            reply = await self._endpoint.ask("POST", _JOBS, order_body(order, dialect))
            if succeeded(reply):
                self._dialect = dialect
                return self._job(json_of(reply))
            dialect = other_dialect(dialect, reply.status, self._endpoint.said(reply))
        raise self._refused(reply, order.model_name)

    async def find_job(self, training_file: str) -> Job | None:
        """Find the job of a file, see Trainer.find_job."""
        reply = await self._endpoint.ask("GET", f"{_JOBS}?limit={_LISTED_JOBS}")
        if refuses_route(reply):
            return None
        listed = self._checked(reply)
        jobs = listed.get("data") if isinstance(listed, dict) else listed
        for job in jobs if isinstance(jobs, list) else ():
            if isinstance(job, dict) and job.get("training_file") == training_file:
                return self._job(job)
        return None

    async def job(self, job_id: str) -> Job:
        """Look at a job, with its figures, see Trainer.job."""
        job = await self._found(job_id)
        if job.status == "running" or job.done:
            with suppress(EngineError):  # what a job has come to does not wait for its figures
                job = await self._with_events(job)
                job = await self._with_results(job)
        return job

    async def cancel_job(self, job_id: str) -> Job:
        """Have a job ended, see Trainer.cancel_job."""
        reply = await self._endpoint.ask("POST", f"{_path(job_id)}/cancel")
        if succeeded(reply):
            return self._job(json_of(reply))
        job = await self._found(job_id)
        if not job.done:
            raise self._endpoint.error(reply)
        return job

    async def _found(self, job_id: str) -> Job:
        reply = await self._endpoint.ask("GET", _path(job_id))
        if reply.status == 404:
            said = self._endpoint.said(reply)
            raise JobUnknown(f"the endpoint has no job '{job_id}': {said}", status=404)
        return self._job(self._checked(reply))

    async def _with_events(self, job: Job) -> Job:
        """Without a list of events, as at Anyscale Endpoints, there are no figures till the end."""
        if not self._has_events:
            return job
        reply = await self._endpoint.ask("GET", f"{_path(job.id)}/events?limit={_EVENTS}")
        self._has_events = not refuses_route(reply)
        return with_events(job, json_of(reply)) if succeeded(reply) else job

    async def _with_results(self, job: Job) -> Job:
        if job.status != "succeeded" or job.result_file is None:
            return job
        content = await self._files.content(job.result_file)
        return job if content is None else with_results(job, content)

    def _checked(self, reply: HttpReply) -> Value:
        if not succeeded(reply):
            raise self._endpoint.error(reply)
        return json_of(reply)

    def _job(self, value: Value) -> Job:
        job = read_job(value)
        return replace(job, error=job.error and self._endpoint.redacted(job.error))

    def _refused(self, reply: HttpReply, model: str) -> EngineError:
        said = self._endpoint.said(reply)
        if refuses_route(reply) and model not in said:
            told = f"the endpoint has no fine-tuning jobs: {said}"
            return NotTunable(told, status=reply.status)
        if not refuses_model(reply.status, said):
            return self._endpoint.error(reply, model)
        names = ", ".join(name for name in offered(reply.body) if name not in said)
        listed = self._endpoint.redacted(f"; it fine-tunes {names}") if names else ""
        told = f"the endpoint does not fine-tune '{model}': {said}{listed}"
        return NotTunable(told, status=reply.status)


def _path(job_id: str) -> str:
    return f"{_JOBS}/{quote(job_id, safe='')}"
