"""An engine over any OpenAI-compatible API.

Labels and typed targets go out with a JSON schema; where the endpoint does not take one, by what it
takes instead, with one repair. Retries of failed calls are the dispatcher's.
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeAlias

from engines import embedding
from engines.answer import prediction
from engines.chat import objects, pack, prompt
from engines.chat.schema import Schema
from engines.constraint import LABELS, OBJECTS, Held, Ladder, Rung, constraint
from engines.errors import EngineError, ModelNotServed
from engines.http.endpoint import Endpoint
from engines.http.lanes import Address
from engines.http.reply import Completion
from engines.http.tuning import TuningApi
from engines.repair import Mistake, ask_twice
from engines.task import ModelSpec, Prediction, Task

Body: TypeAlias = Mapping[str, object]

_NEAR_NAMES = 5


class OpenAIEngine:
    """One endpoint, its connections shared by all models of the engine."""

    def __init__(self, address: Address) -> None:
        self.max_concurrency = address.max_concurrency
        self._endpoint = Endpoint(address)
        self._ladder = Ladder()
        self.trainer = TuningApi(self._endpoint)

    def __repr__(self) -> str:
        return f"OpenAIEngine({self._endpoint!r})"

    async def check(self, spec: ModelSpec | None) -> None:
        """See that the endpoint answers, accepts the key and lists the model, see Engine.check.

        An endpoint that has no list of models is taken at its word.
        """
        names = await self._endpoint.model_names()
        if spec is not None and names is not None and spec.model_name not in names:
            raise ModelNotServed(_not_listed(spec.model_name, names), status=404)

    async def model_names(self) -> list[str] | None:
        """The models that the endpoint lists, see Listing.model_names."""
        return await self._endpoint.model_names()

    async def predict(self, task: Task) -> Prediction:
        """Make one call, and one more where the reply is not what was asked for, see
        Engine.predict."""
        spec = task.spec
        if spec.mode == "embedding":
            (vector,) = await self._embedded([task])
            return vector
        if spec.is_labelled or spec.is_object:
            return await self._held(task)
        body = _body(spec, prompt.messages(task), dict(spec.parameters))
        return prediction(spec, await self._endpoint.complete(body))

    async def predict_pack(self, tasks: Sequence[Task]) -> list[Prediction | EngineError]:
        """Make one call for all of `tasks`, see Packing.predict_pack."""
        spec, count = tasks[0].spec, len(tasks)
        if spec.mode == "embedding":
            return list(await self._embedded(tasks))
        body = _body(spec, pack.messages(tasks), pack.parameters(spec, count))
        held = await self._climb(
            spec.model_name, lambda _: body, OBJECTS, pack.response_format(spec, count)
        )
        return pack.predictions(spec, held.completion, count)

    async def aclose(self) -> None:
        """Close the connections. Idempotent."""
        await self._endpoint.aclose()

    async def _embedded(self, tasks: Sequence[Task]) -> list[Prediction]:
        return embedding.predictions(tasks, await self._endpoint.embed(embedding.body(tasks)))

    async def _held(self, task: Task) -> Prediction:
        """Ask for a label or an object."""
        spec = task.spec
        rungs = LABELS if spec.is_labelled else OBJECTS
        wanted = objects.asked_format(spec)
        held: Held | None = None

        async def ask(mistake: Mistake | None) -> Completion:
            nonlocal held
            if held is not None:
                self._ladder.ignored(spec.model_name, held)

            def body(rung: Rung) -> Body:
                return _body(spec, _chat(task, rung, mistake), dict(spec.parameters))

            held = await self._climb(spec.model_name, body, rungs, wanted)
            return held.completion

        return await ask_twice(spec, ask)

    async def _climb(
        self, model: str, body: Callable[[Rung], Body], rungs: tuple[Rung, ...], wanted: Schema
    ) -> Held:
        """Ask `body`, held to `wanted` in the best way that its model takes."""

        async def call(rung: Rung) -> Completion:
            return await self._endpoint.complete({**body(rung), **constraint(rung, wanted)})

        return await self._ladder.climb(model, rungs, call)


def _chat(task: Task, rung: Rung, mistake: Mistake | None) -> list[prompt.Message]:
    """The chat of a task; a label that nothing holds the model to is asked for in words."""
    bare = task.spec.is_labelled and rung is Rung.WORDS
    instruction = prompt.instruction(task.spec)
    chat = prompt.messages(task, bare=bare)
    if mistake is not None:
        chat = prompt.repaired(chat, mistake.completion.text, mistake.error, instruction)
    return prompt.instructed(chat, instruction) if bare else chat


def _body(spec: ModelSpec, chat: list[prompt.Message], parameters: Body) -> Body:
    return {"model": spec.model_name, "messages": chat, **parameters}


def _not_listed(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=_NEAR_NAMES, cutoff=0.4)
    if near:
        return f"the endpoint does not serve '{name}': near names are {', '.join(near)}"
    more = ", …" if len(names) > _NEAR_NAMES else ""
    served = ", ".join(sorted(names)[:_NEAR_NAMES]) or "nothing"
    return f"the endpoint does not serve '{name}': it serves {served}{more}"
