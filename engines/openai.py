"""An engine over any OpenAI-compatible API.

Labelled targets go out with a JSON schema; where the endpoint does not take one, as an instruction
with one repair. Retries of failed calls are the dispatcher's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TypeAlias

from engines.answer import prediction
from engines.chat import pack, prompt
from engines.errors import BadReply, EndpointFailed, EngineError, ModelNotServed
from engines.http.endpoint import Endpoint
from engines.http.lanes import Address
from engines.http.reply import Completion
from engines.task import ModelSpec, Prediction, Task, Value

Body: TypeAlias = Mapping[str, object]

_NEAR_NAMES = 5
_SCHEMA_REFUSED = ("response_format", "json_schema", "structured output", "unsupported", "guided")


class OpenAIEngine:
    """One endpoint, its connections shared by all models of the engine."""

    def __init__(self, address: Address) -> None:
        self.max_concurrency = address.max_concurrency
        self._endpoint = Endpoint(address)
        self._without_schema: set[str] = set()

    def __repr__(self) -> str:
        return f"OpenAIEngine({self._endpoint!r})"

    async def check(self, spec: ModelSpec | None) -> None:
        """See that the endpoint answers, accepts the key and lists the model, see Engine.check.

        An endpoint that has no list of models is taken at its word.
        """
        names = await self._endpoint.model_names()
        if spec is not None and names is not None and spec.model_name not in names:
            raise ModelNotServed(_not_listed(spec.model_name, names), status=404)

    async def predict(self, task: Task) -> Prediction:
        """Make one call, and one more where the reply is none of the labels, see Engine.predict."""
        chat = prompt.messages(task)
        if not task.spec.target.labels:
            body = _body(task.spec, chat, dict(task.spec.parameters))
            return prediction(task.spec.target, await self._endpoint.complete(body))
        return await self._classify(task.spec, chat)

    async def predict_pack(self, tasks: Sequence[Task]) -> list[Prediction | EngineError]:
        """Make one call for all of `tasks`, see Packing.predict_pack."""
        spec, count = tasks[0].spec, len(tasks)
        chat = pack.messages(tasks)
        completion = await self._constrained(
            _body(spec, chat, pack.parameters(spec, count)), pack.response_format(spec, count), chat
        )
        return pack.predictions(spec, completion, count)

    async def aclose(self) -> None:
        """Close the connections. Idempotent."""
        await self._endpoint.aclose()

    async def _classify(self, spec: ModelSpec, chat: list[prompt.Message]) -> Prediction:
        completion = await self._choose(spec, chat)
        try:
            return prediction(spec.target, completion)
        except BadReply as error:
            if completion.finish_reason == "length":
                raise  # a second answer would be cut off too
            self._notice_ignored_schema(spec, completion)
            again = prompt.repaired(chat, completion.text, error, spec.target)
        try:
            repaired = prediction(spec.target, await self._choose(spec, again))
        except BadReply as error:
            error.usage += completion.usage
            raise
        return replace(repaired, usage=completion.usage + repaired.usage)

    async def _choose(self, spec: ModelSpec, chat: list[prompt.Message]) -> Completion:
        """Ask for a label: by schema, or by instruction where the model takes no schema."""
        return await self._constrained(
            _body(spec, chat, dict(spec.parameters)),
            prompt.response_format(spec.target),
            prompt.instructed(chat, spec.target),
        )

    async def _constrained(
        self, body: Body, response_format: Value, instructed: list[prompt.Message]
    ) -> Completion:
        """Ask `body` by schema, or as `instructed` where its model takes no schema."""
        model = str(body["model"])
        if model not in self._without_schema:
            try:
                return await self._endpoint.complete({**body, "response_format": response_format})
            except EndpointFailed as error:
                if not _refuses_schema(error):
                    raise
        completion = await self._endpoint.complete({**body, "messages": instructed})
        self._without_schema.add(model)
        return completion

    def _notice_ignored_schema(self, spec: ModelSpec, completion: Completion) -> None:
        """Remember a model that was given a schema and wrote prose: an endpoint that ignores it."""
        if "{" not in completion.text:
            self._without_schema.add(spec.model_name)


def _body(spec: ModelSpec, chat: list[prompt.Message], parameters: Body) -> Body:
    return {"model": spec.model_name, "messages": chat, **parameters}


def _refuses_schema(error: EndpointFailed) -> bool:
    said = str(error).lower()
    return error.status in (400, 422) and any(word in said for word in _SCHEMA_REFUSED)


def _not_listed(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=_NEAR_NAMES, cutoff=0.4)
    if near:
        return f"the endpoint does not serve '{name}': near names are {', '.join(near)}"
    more = ", …" if len(names) > _NEAR_NAMES else ""
    served = ", ".join(sorted(names)[:_NEAR_NAMES]) or "nothing"
    return f"the endpoint does not serve '{name}': it serves {served}{more}"
