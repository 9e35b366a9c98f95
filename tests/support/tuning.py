"""The fine-tuning jobs of a real endpoint on loopback: it fails, delays and cancels on demand.

A job goes on when it is looked at, never by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.files import FileDesk, refused

_STEPS = 100


@dataclass(slots=True)
class TuningDesk(FileDesk):
    """All that can be asked of it by a test; `outcome` and `polls` hold for jobs from here on.

    A job is queued when it is made, then running; after `polls` looks at it it comes to its
    `outcome`: succeeded, failed, or never. `base_models` None takes every model. `form` says where
    hyperparameters may stand; without `events` there is no list of them, without `jobs` nothing at
    all; `garbled` figures cannot be read. The next `troubles` looks at a job are answered with the
    status `trouble`, `cancel_troubles` requests to cancel with 503, `answer_troubles` orders with
    502 although they are taken; with a `refusal` orders are answered with that. It `stalls` at an
    `upload`, an `order`, or once that is taken, at its `answer`.
    """

    outcome: str = "succeeded"
    polls: int = 2
    error: str = "The training data has no signal"
    base_models: tuple[str, ...] | None = None
    lists_base_models: bool = True
    form: str = "hyperparameters"
    knows_context_length: bool = True
    jobs: bool = True
    events: bool = True
    troubles: int = 0
    trouble: int = 503
    cancel_troubles: int = 0
    answer_troubles: int = 0
    refusal: str = ""
    orders: list[dict[str, Any]] = field(default_factory=list)
    cancels: list[str] = field(default_factory=list)
    looks: int = 0
    event_looks: int = 0
    _jobs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def become(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Be as a `.test` file writes: names of the above, and their values."""
        for name, text in pairs:
            known = getattr(self, name)
            if isinstance(known, bool):
                setattr(self, name, {"true": True, "false": False}[text])
            elif isinstance(known, int):
                setattr(self, name, int(text))
            else:
                setattr(self, name, tuple(text.split()) if name == "base_models" else text)

    def end(self, job_id: str, outcome: str) -> None:
        """Have a job come to its end at the next look."""
        self._jobs[job_id]["outcome"] = outcome
        self._left[job_id] = 0

    def lose(self, job_id: str) -> None:
        """Know nothing of a job any more."""
        del self._jobs[job_id]

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of it."""
        jobs = "/v1/fine_tuning/jobs"
        return [
            *FileDesk.routes(self),
            web.post(jobs, self._start),
            web.get(jobs, self._list),
            web.get(jobs + "/{id}", self._look),
            web.post(jobs + "/{id}/cancel", self._cancel),
            web.get(jobs + "/{id}/events", self._events),
        ]

    async def _start(self, http: web.Request) -> web.Response:
        order = await http.json()
        if refusal := self._not_admitted(http) or self._refused(order):
            return refusal
        await self._stall("order")
        self.orders.append(order)
        job_id = f"ftjob-{len(self.orders)}"
        self._left[job_id] = self.polls
        self._jobs[job_id] = {
            "id": job_id,
            "object": "fine_tuning.job",
            "model": order["model"],
            "status": "validating_files",
            "fine_tuned_model": None,
            "training_file": order["training_file"],
            "validation_file": order.get("validation_file"),
            "trained_tokens": None,
            "error": {},
            "result_files": [],
            "outcome": self.outcome,
        }
        await self._stall("answer")
        if self.answer_troubles:
            self.answer_troubles -= 1
            return refused(502, "Bad Gateway")
        return self._shown(job_id)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": list(self._jobs.values())[::-1]})

    async def _look(self, http: web.Request) -> web.Response:
        if refusal := self._not_admitted(http):
            return refusal
        self.looks += 1
        job_id = http.match_info["id"]
        if self.troubles:
            self.troubles -= 1
            return refused(self.trouble, "try again")
        if job_id not in self._jobs:
            return refused(404, f"Could not find fine tune: {job_id}")
        if self._jobs[job_id]["status"] in ("validating_files", "running"):
            self._advance(job_id)
        return self._shown(job_id)

    async def _cancel(self, http: web.Request) -> web.Response:
        if self.cancel_troubles:
            self.cancel_troubles -= 1
            return refused(503, "try again")
        job = self._jobs[http.match_info["id"]]
        if job["status"] not in ("validating_files", "running"):
            return refused(400, f"Job has already completed: {job['id']}")
        self.cancels.append(job["id"])
        job["status"] = "cancelled"
        return self._shown(job["id"])

    async def _events(self, http: web.Request) -> web.Response:
        self.event_looks += 1
        if self.garbled:
            return web.Response(text="<html>")
        if not self.events:
            return refused(404, "Not Found")
        step = self._step(http.match_info["id"])
        data = {"step": step, "total_steps": _STEPS, "train_loss": round(2.5 - step / 50, 3)}
        message = f"Step {step}/{_STEPS}: training loss={data['train_loss']}"
        newest = {"type": "metrics", "message": message, "data": data}
        first = {"type": "message", "message": "Created fine-tuning job", "data": {}}
        return web.json_response({"object": "list", "data": [newest, first]})

    def _advance(self, job_id: str) -> None:
        job = self._jobs[job_id]
        self._left[job_id] -= 1
        job["status"] = "running"
        if self._left[job_id] > 0 or job["outcome"] == "never":
            return
        job["status"] = job["outcome"]
        if job["outcome"] == "succeeded":
            suffix = next(o for n, o in enumerate(self.orders, 1) if f"ftjob-{n}" == job_id)
            job["fine_tuned_model"] = f"ft:{job['model']}:{suffix.get('suffix', 'me')}:{job_id}"
            job["trained_tokens"] = 1234
            job["result_files"] = ["file-results"]
        elif job["outcome"] == "failed":
            job["error"] = {"code": "invalid_training_file", "message": self.error}

    def _step(self, job_id: str) -> int:
        if self._jobs[job_id]["outcome"] == "never":
            return _STEPS // 2
        return max(0, min(_STEPS, 25 * (4 - self._left[job_id])))

    def _shown(self, job_id: str) -> web.Response:
        shown = {name: value for name, value in self._jobs[job_id].items() if name != "outcome"}
        return web.json_response(shown)

    def _refused(self, order: dict[str, Any]) -> web.Response | None:
        """The refusal of an order, the first that applies."""
        if not self.jobs:
            return refused(404, "Not Found")
        if self.refusal:
            return refused(400, self.refusal)
        return self._unknown_field(order) or self._unknown_file(order) or self._base_model(order)

    def _unknown_field(self, order: dict[str, Any]) -> web.Response | None:
        given = order.get("hyperparameters", {})
        if "method" in order:
            given = order["method"]["supervised"]["hyperparameters"]
        wrong = "hyperparameters" if self.form == "method" else "method"
        if wrong in order:
            return refused(400, f"Unknown parameter: '{wrong}'.")
        if "context_length" in given and not self.knows_context_length:
            return refused(400, "Unknown parameter: 'hyperparameters.context_length'.")
        return None

    def _unknown_file(self, order: dict[str, Any]) -> web.Response | None:
        known = {upload.id for upload in self.uploads}
        for name in ("training_file", "validation_file"):
            if order.get(name) not in known:
                return refused(400, f"invalid {name}: {order.get(name)}")
        return None

    def _base_model(self, order: dict[str, Any]) -> web.Response | None:
        if self.base_models is None or order["model"] in self.base_models:
            return None
        body: dict[str, Any] = {"message": f"Model {order['model']} cannot be fine-tuned."}
        if self.lists_base_models:
            body["supported_models"] = list(self.base_models)
        return web.json_response({"error": body}, status=400)
