"""What a statement lends the dispatcher: a cache of answers, and somebody who pays for calls.

Contracts alone: proxy/ fulfils them.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from engines.task import Prediction, Task


class Answers(Protocol):
    """A model's cached answers. What `keep` was given is visible to `find` at once."""

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Prediction]:
        """Return the answers there are. May be cancelled."""

    def keep(self, key: bytes, prediction: Prediction) -> None:
        """Remember a good answer. Never blocks."""


class Payer(Protocol):
    """Who pays for the calls of one share. Each try of a task is a call of its own."""

    def reserve(self, task: Task, *, joins: bool = False) -> bool:
        """Say before a call whether it may start; False: not now, ask again when one settles.

        With `joins` the task goes along in a call that this payer has just reserved for another.
        What it raises is given to all that the share still waits for.
        """

    def settle(self, task: Task, prediction: Prediction | None) -> None:
        """Learn what a call brought; None: it was cancelled, nothing is known."""
