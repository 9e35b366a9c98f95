"""The order of a job as JSON, in the dialect of the endpoint, and what its refusal means.

Pure: statuses and words in, values out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from engines.tuning.job import JobOrder

_UNKNOWN_FIELD = re.compile(r"unknown|unrecogni[sz]ed|unexpected|extra |not permitted|additional")
_OLD_FIELD = re.compile(r"deprecated|use ['\"`]?method|method['\"`]? is required")
_TUNING = re.compile(r"fine[- _]?tun|base model|supported models?|not available|does not exist")
_REFUSALS = (400, 403, 404, 405, 422, 501)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an endpoint wants hyperparameters: OpenAI has moved them into `method`, and knows no
    context_length."""

    in_method: bool = False
    context_length: bool = True


def order_body(order: JobOrder, dialect: Dialect) -> Mapping[str, object]:
    """Return what is POSTed; what was not given is left to the endpoint."""
    given = {
        name: value
        for name, value in order.hyperparameters
        if dialect.context_length or name != "context_length"
    }
    body: dict[str, object] = {
        "model": order.model_name,
        "training_file": order.training_file,
        "validation_file": order.validation_file,
    }
    if given and dialect.in_method:
        body["method"] = {"type": "supervised", "supervised": {"hyperparameters": given}}
    elif given:
        body["hyperparameters"] = given
    optional = (("suffix", order.suffix), ("seed", order.seed))
    return body | {name: value for name, value in optional if value is not None}


def other_dialect(dialect: Dialect, status: int, said: str) -> Dialect | None:
    """Return the way to ask again where it was a field's name that was refused, not its value;
    None where there is none."""
    said = said.lower()
    if status not in (400, 422):
        return None
    unknown = _UNKNOWN_FIELD.search(said) is not None
    if unknown and "context_length" in said and dialect.context_length:
        return replace(dialect, context_length=False)
    moved = "hyperparameters" in said and (unknown or _OLD_FIELD.search(said) is not None)
    return replace(dialect, in_method=True) if moved and not dialect.in_method else None


def refuses_model(status: int, said: str) -> bool:
    """Whether an order was refused because of what it would train."""
    return status in _REFUSALS and _TUNING.search(said.lower()) is not None


def offered(body: bytes) -> list[str]:
    """Return the models that a refusal lists beside its message."""
    try:
        return _names(json.loads(body))
    except (ValueError, RecursionError):
        return []


def _names(value: object) -> list[str]:
    """The first list of texts under a name that speaks of models."""
    if not isinstance(value, dict):
        return []
    for key, member in value.items():
        if "model" in key.lower() and isinstance(member, list):
            return [name for name in member if isinstance(name, str)]
    return next((names for member in value.values() if (names := _names(member))), [])
