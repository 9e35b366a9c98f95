"""What can go wrong between the proxy and a language model.

No MySQL codes here: proxy/errors.py maps each class to one.
"""


class EngineError(Exception):
    """Root of this room's errors.

    EngineError
    ├── HandlerUnknown          no handler of that name is installed
    ├── HandlerUnavailable      the handler is known, but what it needs is not installed
    ├── OptionError             an option is unknown, missing or has a wrong value
    ├── EndpointUnreachable     no connection to the endpoint
    ├── EndpointTimeout         connected, but no answer in time
    ├── RateLimited             the endpoint refuses more calls for now
    └── EndpointFailed          the endpoint answered, but not with a prediction
        ├── AuthenticationFailed    it does not accept the key
        ├── ModelNotServed          it does not serve that model
        └── BadReply                its answer is not what was asked for

    The text names the thing and what was expected; it never holds a key.
    `transient` tells the scheduler that the same call may succeed a moment later.
    """

    transient: bool = False


class HandlerUnknown(EngineError):
    """No handler of that name is installed."""


class HandlerUnavailable(EngineError):
    """The handler is known, but what it needs is not installed."""


class OptionError(EngineError):
    """An option is unknown, missing or has a wrong value."""


class EndpointUnreachable(EngineError):
    """No connection to the endpoint could be made."""

    transient = True


class EndpointTimeout(EngineError):
    """The endpoint took the request and did not answer in time."""

    transient = True


class RateLimited(EngineError):
    """The endpoint refuses more calls for now (HTTP 429).

    `retry_after` is the wait in seconds that the endpoint asks for, None where it names none.
    """

    transient = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


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


class BadReply(EndpointFailed):
    """The endpoint's answer is not what was asked for."""
