"""How an endpoint can be held to a JSON schema: found out once for each of its models.

It steps down a ladder from a schema that is kept to the mere words of the prompt; what is asked is
not its business. https://docs.vllm.ai/en/latest/features/structured_outputs.html
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from engines.chat.schema import Schema, plain
from engines.errors import EndpointFailed
from engines.http.reply import Completion


class Rung(IntEnum):
    """A way to constrain an answer, best first."""

    STRICT = 0
    """response_format with all of the schema."""
    PLAIN = 1
    """The same without the keywords that OpenAI's fine-tuned models refuse."""
    STRUCTURED = 2
    """vLLM's structured_outputs."""
    GUIDED = 3
    """Older vLLM's guided_json."""
    OBJECT = 4
    """response_format of type json_object: any object."""
    WORDS = 5
    """No constraint but what the prompt says."""


OBJECTS: Final = tuple(Rung)
LABELS: Final = (Rung.STRICT, Rung.WORDS)
"""A bare label is asked for in words where no schema is taken."""

_PATIENCE: Final = 0.25
"""Seconds that calls wait for the first one's constraint to be taken: a refusal comes at once, and
an answer may take as long as it likes."""
_NAMED: Final = re.compile(
    r"response_format|json_schema|json_object|structured.?output|guided|schema"
)
_KEYWORD: Final = re.compile(r"""['"`](?:minimum|maximum|pattern|anyof)['"`]""")
_VAGUE: Final = re.compile(
    r"unsupported|not (?:supported|permitted|allowed)|unknown|unrecogni[sz]ed|unexpected|extra"
)


@dataclass(slots=True)
class _Model:
    """What is known of one model: `rung` is the best that it may take, `proven` what it took."""

    rung: Rung = Rung.STRICT
    proven: set[Rung] = field(default_factory=set)
    scout: "asyncio.Future[None] | None" = None

    def best(self, rungs: tuple[Rung, ...]) -> Rung:
        return next(rung for rung in rungs if rung >= self.rung)

    def is_sure(self, rungs: tuple[Rung, ...]) -> bool:
        best = self.best(rungs)
        return best in self.proven or best is rungs[-1]


@dataclass(frozen=True, slots=True)
class Held:
    """A completion, and what it was held by."""

    completion: Completion
    rung: Rung


class Ladder:
    """What one endpoint's models take, remembered by their names."""

    def __init__(self) -> None:
        self._models: dict[str, _Model] = {}

    async def climb(
        self, name: str, rungs: tuple[Rung, ...], call: Callable[[Rung], Awaitable[Completion]]
    ) -> Held:
        """Make `call` on the best of `rungs` that the model takes.

        The first call of a model finds out which that is, and the others wait for it, for a moment
        at most: so there are no more refused calls than rungs, unless the endpoint is slow to
        refuse. Raises what `call` raises but for such refusals. May be cancelled.
        """
        model = self._models.setdefault(name, _Model())
        if model.is_sure(rungs):
            return await _down(model, rungs, call)
        if model.scout is not None:
            await asyncio.wait([model.scout], timeout=_PATIENCE)
            return await _down(model, rungs, call)
        model.scout = scout = asyncio.get_running_loop().create_future()
        try:
            return await _down(model, rungs, call)
        finally:
            model.scout = None
            scout.set_result(None)

    def ignored(self, name: str, held: Held) -> None:
        """Take note of an answer that is none: prose shows that the endpoint ignores what it was
        held by, so the next rung is tried."""
        model = self._models.setdefault(name, _Model())
        if "{" not in held.completion.text and model.rung is held.rung and held.rung < Rung.WORDS:
            model.rung = _next(held.rung)


def constraint(rung: Rung, response_format: Schema) -> Mapping[str, object]:
    """Return the fields of a request that hold it to the schema of `response_format`."""
    told = response_format["json_schema"]
    assert isinstance(told, dict)
    match rung:
        case Rung.STRICT:
            return {"response_format": response_format}
        case Rung.PLAIN:
            return {"response_format": plain(response_format)}
        case Rung.STRUCTURED:
            return {"structured_outputs": {"json": told["schema"]}}
        case Rung.GUIDED:
            return {"guided_json": told["schema"]}
        case Rung.OBJECT:
            return {"response_format": {"type": "json_object"}}
        case Rung.WORDS:
            return {}


async def _down(
    model: _Model, rungs: tuple[Rung, ...], call: Callable[[Rung], Awaitable[Completion]]
) -> Held:
    """Call from the model's rung downwards until one is taken.

    Others go by a refusal at once; it is forgotten where no lower rung is taken either, as then it
    was about something else.
    """
    before = model.rung
    while True:
        rung = model.best(rungs)
        try:
            completion = await call(rung)
        except EndpointFailed as error:
            if rung is not rungs[-1] and _refuses(error, is_proven=rung in model.proven):
                model.rung = max(model.rung, _below(rung, str(error).lower()))
                continue
            if model.best(rungs) not in model.proven:
                model.rung = before
            raise
        model.proven.add(rung)
        return Held(completion, rung)


def _below(rung: Rung, said: str) -> Rung:
    """The rung to try after a refusal: the last where it names nothing of a constraint."""
    if rung is Rung.STRICT and _KEYWORD.search(said):
        return Rung.PLAIN
    return _next(rung) if _NAMED.search(said) else Rung.WORDS


def _next(rung: Rung) -> Rung:
    """The plain schema is tried only where a keyword was refused."""
    return Rung.STRUCTURED if rung < Rung.STRUCTURED else Rung(rung + 1)


def _refuses(error: EndpointFailed, *, is_proven: bool) -> bool:
    """Whether an error is about the constraint; it has to say so where one was taken before."""
    if type(error) is not EndpointFailed or error.status not in (400, 422):
        return False
    said = str(error).lower()
    words = (_NAMED, _KEYWORD) if is_proven else (_NAMED, _KEYWORD, _VAGUE)
    return any(each.search(said) is not None for each in words)
