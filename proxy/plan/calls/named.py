"""Which functions of a statement are models: `m(x)`, `db.m(x)`, `PREDICT(m, x)`, AI_COMPLETE.

A function of MySQL's goes before a model of its name, a model before any other function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from catalog.errors import FunctionUnknown, TableUnknown
from catalog.records import ModelRecord
from catalog.suggest import did_you_mean
from proxy.errors import NoDatabase, UnknownColumn, Unsupported, WrongArgumentCount
from proxy.plan.calls.call import is_call, mark, model_of
from proxy.plan.scope import EXTRAS, Expr
from proxy.sql.called import PREFIX

_PREDICT, _COMPLETE = "PREDICT", "AI_COMPLETE"
_NO_VALUES = (exp.Star, exp.Distinct, exp.Order, exp.Ordered)


class Names(Protocol):
    """What the names of a statement mean."""

    def model(self, parts: Sequence[str]) -> ModelRecord | None:
        """The model, or version of it, of that name in one or more parts. Raises NoDatabase."""

    def completion(self, arguments: list[Expr]) -> tuple[ModelRecord, Expr]:
        """The model that AI_COMPLETE asks, and its prompt."""

    @property
    def model_names(self) -> list[str]:
        """The names of the current database's models."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A function call as written: the node, its name's parts, its arguments."""

    node: Expr
    function: exp.Anonymous
    parts: tuple[str, ...]
    arguments: list[Expr]
    is_named: bool = False
    """Whether it can be nothing but a model's."""


def bind_call(node: Expr, names: Names, models: dict[str, ModelRecord]) -> bool:
    """If the node calls a model, mark it and add the model to `models`; whether it does.

    Raises TableUnknown for PREDICT of an unknown model, FunctionUnknown for db.f(x) where f is no
    model, UnknownColumn for an unknown target, WrongArgumentCount of AI_COMPLETE, OptionError,
    Unsupported.
    """
    written = _written(node)
    if written is None:
        return False
    if written.parts[0].upper() == _COMPLETE and not written.is_named:
        model, prompt = names.completion(written.arguments)
        key = f"{_COMPLETE} {_key(model)} {model.options.get('model_name')}"
        record = models.setdefault(key, model)
        target, arguments = record.target, [prompt]
    else:
        known = _found(written, names)
        if known is None:
            return _leave(written, names)
        (record, target), arguments = known, written.arguments
        key = _key(record)
    _check(record, arguments, written)
    models[key] = record
    _label(written.node)
    mark(written.function, key, target, arguments)
    if written.function is not written.node:
        written.node.replace(written.function)
    return True


def _key(record: ModelRecord) -> str:
    return f"{record.project}.{record.name}.{record.version}"


def _written(node: Expr) -> _Written | None:
    if isinstance(node, exp.Anonymous) and not is_call(node):
        prefixed = node.name.startswith(PREFIX)
        if prefixed:
            node.set("this", node.name.removeprefix(PREFIX))
        if prefixed and node.name.upper() == _PREDICT:
            return _predict(node)
        return _Written(node, node, (node.name,), node.expressions)
    if not isinstance(node, exp.Dot):
        return None
    leaves = _leaves(node)
    functions = [leaf for leaf in leaves if isinstance(leaf, exp.Anonymous)]
    if len(functions) != 1 or any(is_call(function) for function in functions):
        return None
    if not all(isinstance(leaf, exp.Anonymous | exp.Identifier) for leaf in leaves):
        return None
    function = functions[0]
    parts = tuple(leaf.name.removeprefix(PREFIX) for leaf in leaves)
    return _Written(node, function, parts, function.expressions, is_named=leaves[0] != function)


def _predict(node: exp.Anonymous) -> _Written:
    """PREDICT(model, …), PREDICT(model.target, …)."""
    if not node.expressions:
        raise WrongArgumentCount("Incorrect parameter count in the call to PREDICT: name a model")
    named, *arguments = node.expressions
    parts: tuple[str, ...]
    if isinstance(named, exp.Column) and not isinstance(named.this, exp.Star):
        parts = tuple(part.name for part in named.parts)
    elif isinstance(named, exp.Literal) and named.is_string:
        parts = (named.name,)
    else:
        raise Unsupported(f"PREDICT takes the name of a model first, not {named.sql('mysql')}")
    return _Written(node, node, parts, arguments, is_named=True)


def _leaves(node: Expr) -> list[Expr]:
    if isinstance(node, exp.Dot):
        return [*_leaves(node.this), *_leaves(node.expression)]
    return [node]


def _found(written: _Written, names: Names) -> tuple[ModelRecord, str] | None:
    """The model and the target that are named."""
    try:
        whole = names.model(written.parts)
    except NoDatabase:
        if written.is_named:
            raise
        return None  # there are functions without a database
    if whole is not None:
        return whole, whole.target
    model = names.model(written.parts[:-1]) if len(written.parts) > 1 else None
    if model is None:
        return None
    wanted = written.parts[-1]
    known = {name.casefold(): name for name in (*model.target_names, *EXTRAS)}
    if wanted.casefold() not in known:
        hint = did_you_mean(wanted, known.values())
        raise UnknownColumn(f"Model '{model.name}' predicts no '{wanted}'{hint}")
    return model, known[wanted.casefold()]


def _leave(written: _Written, names: Names) -> bool:
    """No model: what it is then is for DuckDB to say, but for a name that only a model can have."""
    name = ".".join(written.parts)
    hint = _near(written.parts, names)
    if written.function.name.upper() == _PREDICT and written.function is written.node:
        raise TableUnknown(f"Model '{name}' doesn't exist{hint}")
    if written.is_named:
        raise FunctionUnknown(f"FUNCTION {name} does not exist{hint}")
    return False


def _near(parts: Sequence[str], names: Names) -> str:
    hints = (did_you_mean(part, names.model_names) for part in reversed(parts))
    return next((hint for hint in hints if hint), "")


def _check(record: ModelRecord, arguments: list[Expr], written: _Written) -> None:
    if isinstance(written.node.parent, exp.Window) and written.node.arg_key == "this":
        raise Unsupported(f"Model '{record.name}' is no window function")
    for argument in arguments:
        inner = argument.this if isinstance(argument, exp.Column) else argument
        if isinstance(inner, _NO_VALUES):
            raise Unsupported(f"Model '{record.name}' takes values, not {argument.sql('mysql')}")


def check_counts(tree: Expr, models: Mapping[str, ModelRecord]) -> None:
    """See that each call of a bound tree gives its model as many arguments as it takes; how many
    these are, the statement's options may have changed. Raises WrongArgumentCount."""
    for node in tree.find_all(exp.Anonymous):
        if is_call(node):
            _check_count(models[model_of(node)], node.expressions)


def _check_count(record: ModelRecord, arguments: list[Expr]) -> None:
    needed = [n for n, name in enumerate(record.inputs, 1) if name not in record.optional]
    if not max(needed, default=0) <= len(arguments) <= len(record.inputs):
        takes = ", ".join(
            f"[{name}]" if name in record.optional else name for name in record.inputs
        )
        raise WrongArgumentCount(
            f"Incorrect parameter count in the call to model '{record.name}': "
            f"it takes ({takes}), not {len(arguments)}"
        )


def _label(node: Expr) -> None:
    """A select item without a name is named by its text, as long as that is what was written."""
    item = node
    while item.parent is not None and not isinstance(item.parent, exp.Query):
        item = item.parent
    listed = isinstance(item.parent, exp.Select) and item.arg_key == "expressions"
    if not listed or isinstance(item, exp.Alias):
        return
    text = item.sql("mysql", normalize_functions=False).replace(PREFIX, "")
    alias = exp.Alias(alias=exp.to_identifier(text, quoted=True))
    item.replace(alias)
    alias.set("this", item)
