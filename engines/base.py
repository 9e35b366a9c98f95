"""The contract of an engine, the whole of what a plug-in has to offer.

It decides nothing: registry.py finds handlers, dispatcher.py drives engines.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from engines.errors import EngineError
from engines.secrets import ServerSecrets
from engines.task import ModelSpec, Prediction, Task, Value
from engines.tuning.job import Job, JobOrder


@dataclass(frozen=True, slots=True)
class Option:
    """One argument of USING: its name, the types it may have, and what SHOW HANDLERS says of it.

    With `by_reference` its handler also takes a SecretReference, as the text or as a member of the
    object, and reads it from Environment.secrets for the base URL that it goes to.
    """

    name: str
    types: tuple[type, ...]
    description: str
    required: bool = False
    secret: bool = False
    default: Value = None
    by_reference: bool = False


@dataclass(frozen=True, slots=True)
class Environment:
    """What the process around an engine lends it: settings.py fills it, no engine reads os.environ.

    `api_keys` and `api_bases` map a handler's name to the key and the base URL that stand in where
    USING gives none. Such a key is sent to that base URL alone (the handler's own default where
    `api_bases` has none): no statement can have it sent elsewhere.
    `report` takes one line of progress (download, load) for the person who waits.
    """

    data_dir: Path
    api_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_bases: Mapping[str, str] = field(default_factory=dict)
    secrets: ServerSecrets = field(default_factory=ServerSecrets)
    local_model_path: Path | None = None
    local_threads: int = 0
    report: Callable[[str], None] = print


class Engine(Protocol):
    """A live connection to one endpoint, shared by all models and clients that name the engine."""

    max_concurrency: int
    """Calls that may be in flight at once."""

    async def check(self, spec: ModelSpec | None) -> None:
        """See that the endpoint answers, accepts the key and, with a spec, serves its model.

        Raises EndpointUnreachable, EndpointTimeout, AuthenticationFailed, ModelNotServed
        (near names in its text), EndpointFailed. May be cancelled.
        """

    async def predict(self, task: Task) -> Prediction:
        """Make one call, with no retry but the one repair of a reply that breaks the labels.

        Raises EngineError of the kind that tells the dispatcher whether to try again. May be
        cancelled: the request is then closed at once.
        """

    async def aclose(self) -> None:
        """Release connections and processes. Idempotent."""


@runtime_checkable
class Packing(Protocol):
    """An engine that can ask several tasks in one request; one that has no `predict_pack` is asked
    them one by one."""

    async def predict_pack(self, tasks: Sequence[Task]) -> list[Prediction | EngineError]:
        """Make one call for all of `tasks`, which are of one spec; return an answer for each.

        In the place of an answer that is missing or wrong stands an error: it may be asked alone.
        Their usages add up to the request's. Raises as Engine.predict where there is no answer at
        all, ContextOverflow where fewer tasks may fit. May be cancelled, as Engine.predict.
        """


@runtime_checkable
class Listing(Protocol):
    """An engine that knows what its endpoint serves."""

    async def model_names(self) -> list[str] | None:
        """The names of the models that the endpoint lists; None where it has no list.

        Raises EngineError. May be cancelled.
        """


class Trainer(Protocol):
    """Where an endpoint trains models further. All of it raises EngineError and may be cancelled;
    nothing is tried twice but an upload."""

    async def upload(self, name: str, lines: bytes) -> str:
        """Leave a file of JSON lines with the endpoint; return its id once it may be used."""

    async def delete_file(self, file_id: str) -> None:
        """Have the endpoint forget an upload, if it can."""

    async def start_job(self, order: JobOrder) -> Job:
        """Order a job. Raises NotTunable for a base model that is not offered, with those that
        are, as far as the endpoint names them."""

    async def find_job(self, training_file: str) -> Job | None:
        """Find the job that was ordered with that file among the newest, None where there is none
        or the endpoint lists none."""

    async def job(self, job_id: str) -> Job:
        """Look at a job. Raises JobUnknown where the endpoint has none of that id."""

    async def cancel_job(self, job_id: str) -> Job:
        """Have a job ended; one that is done already stays what it is. Raises as `job`."""


@runtime_checkable
class FineTuning(Protocol):
    """An engine whose models can be fine-tuned; others have no `trainer`."""

    @property
    def trainer(self) -> Trainer:
        """The endpoint's, for as long as the engine is not closed."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A kind of engine: `CREATE ML_ENGINE … FROM <name>`.

    A package offers one by an entry point of that very name in the group `modelwire.handlers`.
    All engines have the options of limits.py and policy.py besides `engine_options`.
    `model_options` are engines.model.MODEL_OPTIONS, or some of them, with prompt_template among
    them; prompt.messages and prompt.read do what most engines need.
    """

    name: str
    title: str
    description: str
    version: str
    engine_options: tuple[Option, ...]
    model_options: tuple[Option, ...]
    open: Callable[[Mapping[str, Value], Environment], Engine]
    """Make an engine of checked arguments; makes no connection yet."""
    import_error: str | None = None
    default_model_name: str | None = None
    embeds: bool = False
    """Whether its engines answer tasks of mode 'embedding': one vector each, see Engine.predict."""
