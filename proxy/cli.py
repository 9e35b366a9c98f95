"""The command line: `modelwire serve`. Flags are made of the settings: none is forgotten."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from catalog.errors import CatalogError
from proxy.memory import keep_little
from proxy.server import serve
from proxy.settings import Settings, what_is_wrong
from proxy.variables import VERSION

new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
if find_spec("uvloop"):  # it is not made for every platform
    new_event_loop = import_module("uvloop").new_event_loop


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the process's exit status."""
    keep_little()
    given = vars(_parser().parse_args(arguments))
    given.pop("command")
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
        logging.basicConfig(
            level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s"
        )
        # Their lines of every request would drown ours.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(settings))
    except ValidationError as error:
        return _refuse(*what_is_wrong(error))
    except (CatalogError, OSError, ValueError) as error:
        return _refuse(f"cannot start: {error}")
    except asyncio.CancelledError:
        return 1
    return 0


def _refuse(*reasons: str) -> int:
    for reason in reasons:
        print(f"modelwire: {reason}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="modelwire", description="A MySQL server whose tables are language models."
    )
    parser.add_argument("--version", action="version", version=f"modelwire {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    secrets = [_line(name, field) for name, field in _fields() if _is_secret(field)]
    command = commands.add_parser(
        "serve",
        help="serve MySQL clients",
        description="Serve MySQL clients until SIGINT or SIGTERM.",
        epilog="Only in the environment, because command lines are visible:\n" + "\n".join(secrets),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, field in _fields():
        if not _is_secret(field):
            command.add_argument(
                f"--{name.replace('_', '-')}",
                metavar="VALUE",
                help=f"{field.description} [MODELWIRE_{name.upper()}; {_default(field)}]",
            )
    return parser


def _fields() -> list[tuple[str, FieldInfo]]:
    return list(Settings.model_fields.items())


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation == SecretStr | None


def _line(name: str, field: FieldInfo) -> str:
    return f"  MODELWIRE_{name.upper()}: {field.description}"


def _default(field: FieldInfo) -> str:
    return "not set" if field.default is None else f"{field.default}"


if __name__ == "__main__":
    sys.exit(main())
