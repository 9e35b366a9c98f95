"""Which handlers there are: our own, and those that other distributions bring by entry point.

It makes engines of them; it keeps none.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from engines.anyscale import ANYSCALE, OPENAI
from engines.base import Engine, Environment, Handler
from engines.errors import HandlerUnavailable, HandlerUnknown
from engines.limits import LIMIT_OPTIONS, check_limits
from engines.local.engine import LOCAL
from engines.options import check_options, did_you_mean, with_common
from engines.policy import POLICY_OPTIONS, check_policy
from engines.task import Value

ENTRY_POINTS = "modelwire.handlers"
_COMMON_OPTIONS = (*LIMIT_OPTIONS, *POLICY_OPTIONS)
_BUILT_IN = (ANYSCALE, LOCAL, OPENAI)
_log = logging.getLogger(__name__)


def handlers() -> tuple[Handler, ...]:
    """Return all handlers by name, their engine options with those that all engines have.

    One that cannot be loaded says why in `import_error`.
    """
    return tuple(
        replace(handler, engine_options=with_common(handler.engine_options, _COMMON_OPTIONS))
        for _, handler in sorted(_by_name().items())
    )


def find_handler(name: str) -> Handler:
    """Return the handler of that name, in any case. Raises HandlerUnknown with a near name."""
    known = _by_name()
    if (handler := known.get(name.lower())) is None:
        raise HandlerUnknown(f"unknown handler '{name}'{did_you_mean(name.lower(), known)}")
    return handler


def open_engine(
    name: str, handler: Handler, options: Mapping[str, Value], environment: Environment
) -> Engine:
    """Make the engine `name` of the arguments of CREATE ML_ENGINE; connects to nothing yet.

    A handler is given the options that it declares; those common to all engines (limits.py,
    policy.py) are checked here and read by read_limits and read_policy.

    Raises HandlerUnavailable, OptionError.
    """
    if handler.import_error is not None:
        raise HandlerUnavailable(f"handler '{handler.name}' cannot be used: {handler.import_error}")
    owner = f"engine {name}"
    checked = check_options(with_common(handler.engine_options, _COMMON_OPTIONS), options, owner)
    own = {option.name for option in handler.engine_options}
    common = {option: value for option, value in checked.items() if option not in own}
    check_limits(common, owner)
    check_policy(common, owner)
    given = {option: value for option, value in checked.items() if option in own}
    return handler.open(given, environment)


@cache
def _by_name() -> dict[str, Handler]:
    known = {}
    for point in entry_points(group=ENTRY_POINTS):
        known[point.name.lower()] = _load(point)
    # Built-in names cannot be taken over: keys of the environment are meant for these handlers.
    known.update({handler.name: handler for handler in _BUILT_IN})
    return known


def _load(point: EntryPoint) -> Handler:
    """Load a handler of someone else's; whatever goes wrong in it stays its own."""
    try:
        handler = point.load()
    except Exception as error:
        _log.warning("handler %s cannot be loaded: %s", point.name, error)
        return _broken(point, f"{type(error).__name__}: {error}")
    if not isinstance(handler, Handler):
        return _broken(point, f"{point.value} is not a Handler")
    if handler.name != point.name.lower():
        return _broken(point, f"its Handler is named '{handler.name}', its entry point is not")
    return handler


def _broken(point: EntryPoint, reason: str) -> Handler:
    def unavailable(options: Mapping[str, Value], environment: Environment) -> Engine:
        raise HandlerUnavailable(f"handler '{point.name}' cannot be used: {reason}")

    return Handler(
        name=point.name.lower(),
        title=point.name,
        description="",
        version="",
        engine_options=(),
        model_options=(),
        open=unavailable,
        import_error=reason,
    )
