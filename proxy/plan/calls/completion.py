"""AI_COMPLETE(engine or model, prompt [, model_name]): a model that stands in no catalog.

It makes the model's record; an endpoint's list of models is for others to ask for.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from catalog.errors import EngineUnknown
from catalog.records import EngineRecord, ModelRecord, TargetRecord
from catalog.suggest import did_you_mean
from engines.errors import OptionError
from engines.model import GENERATION_OPTIONS, MODEL_OPTIONS
from engines.policy import POLICY_OPTIONS
from engines.registry import find_handler
from proxy.errors import Unsupported, WrongArgumentCount
from proxy.plan.scope import Expr

_INPUT, _TARGET = "prompt", "answer"
_UNNAMED = "?"
_FEWEST, _MOST = 2, 3
_KEPT = frozenset({"model_name", *(o.name for o in (*GENERATION_OPTIONS, *POLICY_OPTIONS))})
"""What a model lends to a prompt of somebody else's, besides a handler's own options."""


def asked_by(arguments: list[Expr]) -> tuple[tuple[str, ...], Expr, str | None]:
    """What the arguments of AI_COMPLETE name, in parts, the prompt, and the model's name at the
    endpoint. Raises WrongArgumentCount, Unsupported."""
    if not _FEWEST <= len(arguments) <= _MOST:
        raise WrongArgumentCount(
            "Incorrect parameter count in the call to AI_COMPLETE: "
            f"it takes (engine or model, prompt [, model_name]), not {len(arguments)}"
        )
    named, prompt, *rest = arguments
    return _parts(named), prompt, _text(rest[0]) if rest else None


def of_model(model: ModelRecord, engine: EngineRecord, model_name: str | None) -> ModelRecord:
    """The model with the prompt as its only input: its engine and parameters, nothing of its own
    prompt, targets and examples."""
    handler = find_handler(engine.handler)
    known = {option.name for option in MODEL_OPTIONS}
    own = {option.name for option in handler.model_options if option.name not in known}
    options = {name: value for name, value in model.options.items() if name in _KEPT | own}
    if model_name is not None:
        options["model_name"] = model_name
    return replace(_untyped(model), options={**options, **_template()})


def of_engine(engine: EngineRecord, project: str, model_name: str | None) -> ModelRecord:
    """A model of an engine's: `model_name`, else the handler's usual one; see `needs_name`."""
    usual = find_handler(engine.handler).default_model_name
    record = ModelRecord(
        project=project,
        name=engine.name,
        version=1,
        engine=engine.name,
        targets=(TargetRecord(_TARGET),),
        inputs=(_INPUT,),
        options={"model_name": _UNNAMED, **_template()},
        created_at=engine.created_at,
    )
    name = model_name or usual
    return record if name is None else _named(record, name)


def needs_name(record: ModelRecord) -> bool:
    """Whether the endpoint is to be asked what it serves."""
    return record.options.get("model_name") == _UNNAMED


def only_one(record: ModelRecord, served: Sequence[str] | None) -> ModelRecord:
    """The record with the one model that the endpoint serves. Raises OptionError."""
    if served is not None and len(served) == 1:
        return _named(record, served[0])
    most = 5
    more = ", …" if served and len(served) > most else ""
    known = f": the endpoint serves {', '.join(sorted(served)[:most])}{more}" if served else ""
    raise OptionError(
        f"AI_COMPLETE({record.engine}, …) needs the name of a model as its third argument{known}"
    )


def unknown(name: str, near: Sequence[str]) -> EngineUnknown:
    """The error for a name that is neither a model's nor an engine's."""
    return EngineUnknown(f"Unknown ML engine or model '{name}'{did_you_mean(name, near)}")


def _named(record: ModelRecord, model_name: str) -> ModelRecord:
    """The model by its name at the endpoint, by which usage tells it from others."""
    options = {**record.options, "model_name": model_name}
    return replace(record, name=f"{record.engine}/{model_name}", options=options)


def _untyped(model: ModelRecord) -> ModelRecord:
    return replace(
        model, targets=(TargetRecord(_TARGET),), inputs=(_INPUT,), optional=(), examples=()
    )


def _template() -> dict[str, str]:
    return {"prompt_template": f"{{{{{_INPUT}}}}}"}


def _parts(named: Expr) -> tuple[str, ...]:
    if isinstance(named, exp.Column) and not isinstance(named.this, exp.Star):
        return tuple(part.name for part in named.parts)
    return (_text(named),)


def _text(value: Expr) -> str:
    if isinstance(value, exp.Literal) and value.is_string:
        return str(value.name)
    raise Unsupported(f"AI_COMPLETE takes a name here, not {value.sql('mysql')}")
