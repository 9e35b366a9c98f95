"""An engine over any OpenAI-compatible API.

Labelled targets go out with a JSON schema; where the endpoint does not take one, as an instruction
with one repair. Retries of failed calls are the scheduler's.
"""

from difflib import get_close_matches

from engines import prompt
from engines.endpoint import Endpoint
from engines.errors import BadReply, EndpointFailed, ModelNotServed
from engines.http_lanes import Address
from engines.http_reply import Completion
from engines.task import ModelSpec, Prediction, Target, Task, Usage

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
            completion = await self._complete(task.spec, chat)
            return Prediction(
                prompt.parse_reply(task.spec.target, completion.text), completion.usage
            )
        return await self._classify(task.spec, chat)

    async def aclose(self) -> None:
        """Close the connections. Idempotent."""
        await self._endpoint.aclose()

    async def _classify(self, spec: ModelSpec, chat: list[prompt.Message]) -> Prediction:
        completion = await self._choose(spec, chat)
        _refuse_truncated(spec.target, completion)
        try:
            return Prediction(prompt.parse_reply(spec.target, completion.text), completion.usage)
        except BadReply as error:
            self._notice_ignored_schema(spec, completion)
            again = prompt.repaired(chat, completion.text, error, spec.target)
        repair = await self._choose(spec, again)
        _refuse_truncated(spec.target, repair)
        value = prompt.parse_reply(spec.target, repair.text)
        return Prediction(value, _sum(completion.usage, repair.usage))

    async def _choose(self, spec: ModelSpec, chat: list[prompt.Message]) -> Completion:
        """Ask for a label: by schema, or by instruction where the model takes no schema."""
        if spec.model_name not in self._without_schema:
            try:
                return await self._complete(
                    spec, chat, response_format=prompt.response_format(spec.target)
                )
            except EndpointFailed as error:
                if not _refuses_schema(error):
                    raise
        completion = await self._complete(spec, prompt.instructed(chat, spec.target))
        self._without_schema.add(spec.model_name)
        return completion

    async def _complete(
        self, spec: ModelSpec, chat: list[prompt.Message], **extra: object
    ) -> Completion:
        body = {"model": spec.model_name, "messages": chat, **dict(spec.parameters), **extra}
        return await self._endpoint.complete(body)

    def _notice_ignored_schema(self, spec: ModelSpec, completion: Completion) -> None:
        """Remember a model that was given a schema and wrote prose: an endpoint that ignores it."""
        if "{" not in completion.text:
            self._without_schema.add(spec.model_name)


def _refuse_truncated(target: Target, completion: Completion) -> None:
    """A label that was cut off may be the start of another; asking again would be cut off too."""
    if completion.finish_reason == "length":
        raise BadReply(f"the answer for '{target.name}' was cut off: give it more max_tokens")


def _refuses_schema(error: EndpointFailed) -> bool:
    said = str(error).lower()
    return error.status in (400, 422) and any(word in said for word in _SCHEMA_REFUSED)


def _sum(first: Usage, second: Usage) -> Usage:
    return Usage(
        first.prompt_tokens + second.prompt_tokens,
        first.completion_tokens + second.completion_tokens,
    )


def _not_listed(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=_NEAR_NAMES, cutoff=0.4)
    if near:
        return f"the endpoint does not serve '{name}': near names are {', '.join(near)}"
    more = ", …" if len(names) > _NEAR_NAMES else ""
    served = ", ".join(sorted(names)[:_NEAR_NAMES]) or "nothing"
    return f"the endpoint does not serve '{name}': it serves {served}{more}"
