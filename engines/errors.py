"""What can go wrong between the proxy and a language model.

No MySQL codes here: proxy/errors.py maps each class to one.
"""

from engines.quota import Quota
from engines.usage import NO_USAGE, Usage


class EngineError(Exception):
    """Root of this room's errors.

    EngineError
    ├── HandlerUnknown          no handler of that name is installed
    ├── HandlerUnavailable      the handler is known, but what it needs is not installed
    ├── OptionError             an option is unknown, missing or has a wrong value
    ├── DatasetRejected         rows that no model can be fine-tuned with
    ├── EndpointUnreachable     no connection to the endpoint
    ├── EndpointTimeout         connected, but no answer in time
    ├── RateLimited             the endpoint refuses more calls for now
    ├── NotCached               no answer is cached, and no call was wanted
    ├── AnswerCutOff            the answer is longer than it may be; what there is of it stands
    └── EndpointFailed          the endpoint answered, but not with a prediction
        ├── AuthenticationFailed    it does not accept the key
        ├── ModelNotServed          it does not serve that model
        ├── NotTunable              it does not fine-tune that model, or none at all
        ├── JobUnknown              it has no fine-tuning job of that id
        ├── ContextOverflow         the prompt is longer than the model's context
        └── BadReply                its answer is not what was asked for

    The text names the thing and what was expected; it never holds a key.
    `transient` tells the dispatcher that the same call may succeed a moment later.
    """

    transient: bool = False


class HandlerUnknown(EngineError):
    """No handler of that name is installed."""


class HandlerUnavailable(EngineError):
    """The handler is known, but what it needs is not installed."""


class OptionError(EngineError):
    """An option is unknown, missing or has a wrong value."""


class DatasetRejected(EngineError):
    """Rows that no model can be fine-tuned with; the text names the first bad ones."""


class EndpointUnreachable(EngineError):
    """No connection to the endpoint could be made."""

    transient = True


class EndpointTimeout(EngineError):
    """The endpoint took the request and did not answer in time."""

    transient = True


class RateLimited(EngineError):
    """The endpoint refuses more calls for now (HTTP 429).

    `retry_after` is the wait in seconds that the endpoint asks for, None where it names none;
    `quota` is what it says of its limits.
    """

    transient = True

    def __init__(
        self, message: str, *, retry_after: float | None = None, quota: Quota | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.quota = quota


class NotCached(EngineError):
    """The answer is not in the cache, and the statement wants no call."""


class AnswerCutOff(EngineError):
    """The answer is longer than the most tokens that it may have; what there is of it stands."""


class EndpointFailed(EngineError):
    """The endpoint answered, but not with a prediction.

    `status` is the HTTP status of its answer, None where there is none.
    """

    def __init__(self, message: str, *, status: int | None = None, transient: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.transient = transient


class AuthenticationFailed(EndpointFailed):
    """The endpoint does not accept the key (HTTP 401, 403)."""


class ModelNotServed(EndpointFailed):
    """The endpoint does not serve that model."""


class NotTunable(EndpointFailed):
    """The endpoint does not fine-tune that model, or none at all."""


class JobUnknown(EndpointFailed):
    """The endpoint has no fine-tuning job of that id."""


class ContextOverflow(EndpointFailed):
    """The prompt, with room for its answer, is longer than the model's context."""


class BadReply(EndpointFailed):
    """The endpoint's answer is not what was asked for.

    `usage` is what it cost all the same, as far as the endpoint said so.
    """

    def __init__(self, message: str, *, status: int | None = None, usage: Usage = NO_USAGE) -> None:
        super().__init__(message, status=status)
        self.usage = usage
