"""The arguments of an ML engine as the catalog has them: what may be shown, and what is sealed.

A key by reference is no secret: its text is kept and shown, its value is nowhere here.
"""

from collections.abc import Mapping
from typing import Any

from catalog.records import EngineRecord
from engines.base import Handler
from engines.secrets import SecretReference, parse_reference

_MASK = "******"


def sorted_out(
    handler: Handler, options: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What may be shown, and what may not. An object with both, such as headers, is in both, each
    with its part of the members."""
    secret = _secret_names(handler)
    shown: dict[str, Any] = {}
    sealed: dict[str, Any] = {}
    for name, value in options.items():
        if name not in secret:
            shown[name] = value
        elif isinstance(value, SecretReference):
            shown[name] = str(value)
        elif isinstance(value, dict):
            references, rest = _parted(value)
            if references:
                shown[name] = references
            if rest or not references:
                sealed[name] = rest
        else:
            sealed[name] = value
    return shown, sealed


def arguments_of(record: EngineRecord, handler: Handler) -> dict[str, Any]:
    """The options that `sorted_out` was given: for a handler to open the engine with."""
    secret = _secret_names(handler)
    shown = {
        name: _referring(value) if name in secret else value
        for name, value in record.arguments.items()
    }
    return _merged(shown, record.secrets)


def shown_arguments(record: EngineRecord) -> dict[str, Any]:
    """The options for anybody to see: references as they were written, secrets masked."""
    masked = {
        name: dict.fromkeys(value, _MASK) if name in record.arguments else _MASK
        for name, value in record.secrets.items()
    }
    return _merged(record.arguments, masked)


def _secret_names(handler: Handler) -> set[str]:
    return {option.name for option in handler.engine_options if option.secret}


def _parted(members: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    references = {k: str(v) for k, v in members.items() if isinstance(v, SecretReference)}
    return references, {k: v for k, v in members.items() if k not in references}


def _referring(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _referring(member) for key, member in value.items()}
    return (parse_reference(value) if isinstance(value, str) else None) or value


def _merged(shown: Mapping[str, Any], sealed: Mapping[str, Any]) -> dict[str, Any]:
    """Both together; a name that is in both is an object's."""
    both = {name: {**shown[name], **sealed[name]} for name in shown.keys() & sealed.keys()}
    return {**shown, **sealed, **both}
