"""How one statement asks models: who pays, from which cache, and what a failure means.

It joins the engines' dispatcher with the catalog's answers; rows are not its business.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import cast

from catalog.answers import Answer, AnswerStore
from catalog.records import ModelRecord
from engines.dispatch.share import CacheMode, Share
from engines.errors import AnswerCutOff, EngineError
from engines.task import Prediction, Usage
from proxy.errors import text_of
from proxy.execute.engine_pool import EnginePool, LiveModel
from proxy.money.account import Account, ModelAccount
from proxy.sql.statements import PredictionOptions

_CUT_OFF = "the answer was cut off and is not stored: give the model more max_tokens"
_SHOWN = 60
"""Characters of an input in a warning."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One statement's way to ask. `options` are those that hold for it; `warn` takes the error of a
    row and the text that tells which row it was."""

    engines: EnginePool
    answers: AnswerStore
    account: Account
    options: PredictionOptions
    warn: Callable[[EngineError, str], None]
    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @property
    def deadline(self) -> float | None:
        """The loop's time after which rows get no answers."""
        seconds = self.options.max_seconds
        return None if seconds is None else self.began + seconds

    def of(self, record: ModelRecord) -> "Asked":
        """Make ready to ask a model. Raises EngineError."""
        model = self.engines.model(record)
        return Asked(self, model, self.account.payer(model, model.policy, model.gauge))


@dataclass(frozen=True, slots=True)
class Asked:
    """A model that a statement asks."""

    asking: Asking
    model: LiveModel
    account: ModelAccount

    @property
    def cache(self) -> CacheMode:
        """What the statement makes of cached answers; where it says nothing, the model says."""
        usual = "on" if self.model.policy.cache else "off"
        return cast(CacheMode, self.asking.options.cache or usual)

    @property
    def window(self) -> int:
        """Calls that may be in flight now."""
        return self.model.dispatcher.load.window

    @asynccontextmanager
    async def open(self, *, keep_order: bool = False) -> AsyncIterator[Share]:
        """A share of the engine while the context lasts; calls that nobody else waits for end with
        it."""
        share = self.model.dispatcher.open(
            self.account,
            ModelAnswers(self.asking.answers, self.model),
            self.cache,
            self.asking.deadline,
            keep_order=keep_order,
        )
        try:
            yield share
        finally:
            await share.aclose()

    async def cached(self, keys: Sequence[bytes]) -> Mapping[bytes, Prediction]:
        """The answers that no call is needed for."""
        if self.cache not in ("on", "only"):
            return {}
        return await ModelAnswers(self.asking.answers, self.model).find(keys)

    def told(self, prediction: Prediction, number: int, inputs: Sequence[str]) -> None:
        """Take note of the answer to a prompt, first read for row `number`: what failed or was cut
        off is warned of. Raises its error, with the row in its text, where one failed row is to
        fail the statement."""
        if prediction.cached:
            self.account.found(prediction)
        error = prediction.error or (AnswerCutOff(_CUT_OFF) if prediction.truncated else None)
        if error is None:
            return
        text = f"{self._row(number, inputs)}: {text_of(error)}"
        on_error = self.asking.options.on_error or self.model.policy.on_error
        if on_error == "fail" and prediction.error is not None:
            raise _saying(text, prediction.error)
        self.asking.warn(error, text)

    def _row(self, number: int, inputs: Sequence[str]) -> str:
        given = ", ".join(
            f"{name} = '{value[:_SHOWN]}{'…' if len(value) > _SHOWN else ''}'"
            for name, value in zip(self.model.record.inputs, inputs, strict=True)
        )
        return f"{self.model.record.name}, row {number} ({given})"


@dataclass(frozen=True, slots=True)
class ModelAnswers:
    """The dispatcher's Answers: a model's part of the answer cache."""

    store: AnswerStore
    model: LiveModel

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Prediction]:
        """The answers that are there and young enough."""
        found = await self.store.find(keys, max_age=self.model.policy.cache_ttl)
        return {key: _prediction(answer) for key, answer in found.items()}

    def keep(self, key: bytes, prediction: Prediction) -> None:
        """Remember a good answer; one that was cut off is none."""
        if prediction.value is not None and not prediction.truncated:
            usage = prediction.usage
            answer = Answer(
                prediction.value,
                usage.prompt_tokens,
                usage.completion_tokens,
                prediction.latency,
            )
            most = self.model.policy.cache_max_answers
            self.store.keep(self.model.name, key, answer, most=most)


def _saying(text: str, error: EngineError) -> EngineError:
    """An error of the same kind with that text; others may wait for the same call."""
    said = copy(error)
    said.args = (text,)
    return said


def _prediction(answer: Answer) -> Prediction:
    usage = Usage(answer.prompt_tokens, answer.completion_tokens)
    return Prediction(answer.value, usage, latency=answer.latency, cached=True)
