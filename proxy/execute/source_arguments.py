"""The parameters of a data source: what was given, checked and sorted into what may be shown and
what is sealed, and put together again.

A password by reference is no secret: its text is kept and shown, its value goes nowhere but to the
source.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from catalog.errors import CatalogError, OptionRejected
from catalog.records import SourceRecord
from catalog.sources.kind import Kind, Parameter, Value, given
from catalog.sources.kinds import find_kind
from catalog.suggest import did_you_mean
from engines.errors import OptionError
from engines.secrets import SecretReference, ServerSecrets, parse_reference, refers

MASK = "******"
Given: TypeAlias = Value | SecretReference

_TYPE_NAMES: dict[type, str] = {str: "a text", int: "a whole number", bool: "true or false"}
_WORDS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
_INT_DIGITS = 18


def checked(kind: Kind, name: str, options: Mapping[str, Any]) -> dict[str, Given]:
    """The parameters that are given, by their own names, each of its type; one that is None counts
    as not given. Raises OptionRejected, which says all that is wrong with them."""
    values: dict[str, Given] = {}
    wrong = [_put(kind, written, value, values) for written, value in options.items()]
    wrong += [
        f"parameter '{p.name}' is missing ({p.description})"
        for p in kind.parameters
        if p.required and p.name not in values
    ]
    found = [each for each in wrong if each is not None]
    if found:
        raise OptionRejected(f"Data source '{name}' of engine '{kind.name}': {'; '.join(found)}")
    return values


def altered(kind: Kind, record: SourceRecord, options: Mapping[str, Any]) -> dict[str, Given]:
    """The parameters of a source, those that are given in the place of its own; None takes one
    away. Raises OptionRejected."""
    named = ((_named(kind, written), written) for written in options)
    gone = {written if parameter is None else parameter.name for parameter, written in named}
    kept = {name: value for name, value in options_of(record).items() if name not in gone}
    return checked(kind, record.name, {**kept, **options})


def made(name: str, kind: Kind, values: Mapping[str, Given], at: datetime) -> SourceRecord:
    """The definition with these parameters."""
    secret = {p.name for p in kind.parameters if p.secret}
    sealed = {n: v for n, v in values.items() if n in secret and not isinstance(v, SecretReference)}
    shown = {
        n: str(v) if isinstance(v, SecretReference) else v
        for n, v in values.items()
        if n not in sealed
    }
    return SourceRecord(name, kind.name, shown, sealed, at)


def options_of(record: SourceRecord) -> dict[str, Given]:
    """The parameters that `made` was given."""
    return {**record.parameters, **record.secrets, **dict(_references(record))}


def opened(record: SourceRecord, secrets: ServerSecrets) -> SourceRecord:
    """The definition with secrets in the place of references to them, to attach the source with.
    Reads small local files. Raises OptionRejected for a secret that is not there, or not for the
    source's address."""
    references = dict(_references(record))
    if not references:
        return record
    try:
        read = {n: secrets.read(each, address(record)) for n, each in references.items()}
    except OptionError as error:
        raise OptionRejected(f"Data source '{record.name}': {error}") from error
    shown = {n: v for n, v in record.parameters.items() if n not in references}
    return replace(record, parameters=shown, secrets={**record.secrets, **read})


def shown_parameters(record: SourceRecord) -> dict[str, Value]:
    """The parameters for anybody to see, in the order in which their kind declares them:
    references as they were written, secrets masked."""
    values = {**record.parameters, **dict.fromkeys(record.secrets, MASK)}
    order = [p.name for p in _parameters(record)]
    return {name: values[name] for name in [*order, *values] if name in values}


def referring(record: SourceRecord) -> frozenset[str]:
    """The names of those parameters that are references."""
    return frozenset(name for name, _ in _references(record))


def address(record: SourceRecord) -> str:
    """Where a source's secrets go, as the settings write it: `postgres://host:5432`."""
    values = given(record, _parameters(record))
    host = str(values.get("host") or values.get("endpoint") or "").rpartition("://")[2]
    return _joined(record.engine, host, values.get("port"))


def parse_address(text: str) -> str:
    """The address that a setting writes, with the port that is its kind's own where it has none.
    Raises CatalogError for what is none."""
    engine, _, rest = text.strip().partition("://")
    kind = find_kind(engine)
    port = next((p.default for p in kind.parameters if p.name == "port"), None)
    host = rest.rstrip("/")
    if not host or any(sign in host for sign in "/@?# "):
        raise OptionRejected(f"An address of a data source is like {kind.name}://host:port")
    named, colon, number = host.rpartition(":")
    if colon and number.isdecimal():
        return _joined(kind.name, named, number)
    return _joined(kind.name, host, port)


def _joined(engine: str, host: str, port: Value | None) -> str:
    return f"{engine}://{host}{'' if port is None else f':{port}'}".lower()


def _put(kind: Kind, written: str, value: Any, values: dict[str, Given]) -> str | None:
    """Take a parameter; what is wrong with it, never with its value."""
    parameter = _named(kind, written)
    if parameter is None:
        known = [p.name for p in kind.parameters]
        near = did_you_mean(written, known) or f" (there is {', '.join(known)})"
        return f"unknown parameter '{written}'{near}"
    if parameter.name in values:
        return f"parameter '{parameter.name}' is given twice"
    if value is None:
        return None
    if refers(value) and not parameter.secret:
        return f"parameter '{parameter.name}' is no secret: it takes no env(…) and no file(…)"
    typed = value if isinstance(value, SecretReference) else _typed(parameter, value)
    if typed is None:
        wanted = ", ".join(parameter.choices) or _TYPE_NAMES[parameter.value_type]
        return f"parameter '{parameter.name}' takes {wanted}"
    values[parameter.name] = typed
    return None


def _named(kind: Kind, written: str) -> Parameter | None:
    name = written.lower()
    return next((p for p in kind.parameters if name == p.name or name in p.aliases), None)


def _typed(parameter: Parameter, value: Any) -> Value | None:
    """The value as the parameter wants it: numbers and words may stand in quotes, as in URLs."""
    text = str(value).strip()
    if parameter.value_type is bool:
        return _WORDS.get(text.lower())
    if isinstance(value, bool | list | dict | float):
        return None
    if parameter.value_type is int:
        return int(text) if text.isdecimal() and len(text) <= _INT_DIGITS else None
    if parameter.choices:
        return text.lower() if text.lower() in parameter.choices else None
    return str(value)


def _references(record: SourceRecord) -> Iterator[tuple[str, SecretReference]]:
    for parameter in _parameters(record):
        written = record.parameters.get(parameter.name)
        if parameter.secret and isinstance(written, str):
            reference = parse_reference(written)
            if reference is not None:
                yield parameter.name, reference


def _parameters(record: SourceRecord) -> tuple[Parameter, ...]:
    """Those of its kind; none where its kind is no longer known."""
    try:
        return find_kind(record.engine).parameters
    except CatalogError:
        return ()
