"""Where a model's inputs come from: ON, WHERE, columns of the same name, or given constants.

An ON mapping always wins; then an equality in WHERE; then a column of the same name.
"""

from dataclasses import dataclass, field

from sqlglot import exp

from catalog.records import ModelRecord
from proxy.errors import AmbiguousColumn, MissingInput
from proxy.plan.scope import Expr, Source, aliases_in, columns_in, conjuncts


@dataclass(slots=True)
class Mapping:
    """What feeds one model: an expression for each input, and sources that were made for it."""

    model: Source
    inputs: dict[str, Expr] = field(default_factory=dict)
    made: list[Source] = field(default_factory=list)

    @property
    def alias(self) -> str:
        """The model's alias in FROM."""
        return self.model.alias

    @property
    def record(self) -> ModelRecord:
        """The model itself."""
        assert self.model.model is not None
        return self.model.model


def map_inputs(model: Source, sources: list[Source], where: list[Expr]) -> Mapping:
    """Find an expression for each input of `model`. Conjuncts of ON and `where` that only map
    are taken out of their lists. Raises MissingInput, AmbiguousColumn."""
    mapping = Mapping(model)
    wanted = mapping.record.inputs
    others = [s for s in sources if s is not model]
    for conditions in (model.on, *(s.on for s in others), where):
        _take_equalities(mapping, conditions)
    missing = [i for i in wanted if i not in mapping.inputs]
    _take_same_names(mapping, others, missing)
    missing = [i for i in missing if i not in mapping.inputs]
    _take_constants(mapping, where, missing)
    missing = [i for i in missing if i not in mapping.inputs]
    alone = all(s.model for s in others)
    mentioned = any(_mentions_input(model, condition) for condition in where)
    if missing and (mapping.inputs or mentioned or not alone):
        raise MissingInput(
            f"Input '{missing[0]}' of model '{mapping.record.name}' has no value: give it in ON or "
            f"WHERE ({model.alias}.{missing[0]} = …), or a column of that name"
        )
    return mapping


def _take_equalities(mapping: Mapping, conditions: list[Expr]) -> None:
    """`m.input = expression`, either way round."""
    for condition in list(conditions):
        if not isinstance(condition, exp.EQ):
            continue
        for side, other in (
            (condition.left, condition.right),
            (condition.right, condition.left),
        ):
            name = _input_name(mapping.model, side)
            if name and name not in mapping.inputs and mapping.model.alias not in aliases_in(other):
                mapping.inputs[name] = other.copy()
                conditions.remove(condition)
                break


def _input_name(model: Source, side: Expr) -> str | None:
    side = side.unnest()
    is_input = isinstance(side, exp.Column) and side.table == model.alias
    return side.name if is_input and side.name != model.target else None


def _mentions_input(model: Source, condition: Expr) -> bool:
    return any(_input_name(model, column) for column in columns_in(condition))


def _take_same_names(mapping: Mapping, others: list[Source], missing: list[str]) -> None:
    """A column of the input's name: of a table, else the target of another model."""
    for name in missing:
        plain = [s for s in others if s.model is None and s.column(name)]
        targets = [s for s in others if s.model and s.target.casefold() == name.casefold()]
        found = [s for s in plain if name not in s.using] or plain or targets
        if len(found) > 1:
            raise AmbiguousColumn(
                f"Column '{name}' in 'on clause' is ambiguous: "
                f"say which one feeds {mapping.model.alias}.{name}"
            )
        if found:
            mapping.inputs[name] = found[0].reference(found[0].column(name) or name)


def _take_constants(mapping: Mapping, where: list[Expr], missing: list[str]) -> None:
    """IN lists, IN subqueries, ORs of equalities: each input's values become a source, and WHERE
    stays to pick among their combinations."""
    for name in missing:
        values = _values_for(mapping.model, name, where)
        if values is None:
            continue
        alias = f"__{mapping.model.alias}_{name}"
        made = Source(alias, _relation(values, alias, name), columns=(name,))
        mapping.made.append(made)
        mapping.inputs[name] = made.reference(name)


def _values_for(model: Source, name: str, where: list[Expr]) -> list[Expr] | exp.Query | None:
    for condition in where:
        if isinstance(condition, exp.In) and _input_name(model, condition.this) == name:
            query = condition.args.get("query")
            if query is not None and not aliases_in(query) & {model.alias}:
                subquery = query.unnest()
                assert isinstance(subquery, exp.Query)
                return subquery.copy()
    found: list[list[Expr]] = [v for c in where if (v := _constants(model, name, c)) is not None]
    return min(found, key=len) if found else None


def _constants(model: Source, name: str, condition: Expr) -> list[Expr] | None:
    """The constants that `condition` restricts the input to; None if it does not restrict it."""
    condition = condition.unnest()
    if isinstance(condition, exp.Or):
        left = _constants(model, name, condition.left)
        right = _constants(model, name, condition.right)
        return left + right if left is not None and right is not None else None
    if isinstance(condition, exp.And):
        found = [_constants(model, name, part) for part in conjuncts(condition)]
        return next((values for values in found if values is not None), None)
    if isinstance(condition, exp.In) and _input_name(model, condition.this) == name:
        return _if_constant(condition.expressions)
    if isinstance(condition, exp.EQ):
        for side, other in (
            (condition.left, condition.right),
            (condition.right, condition.left),
        ):
            if _input_name(model, side) == name:
                return _if_constant([other])
    return None


def _if_constant(values: list[Expr]) -> list[Expr] | None:
    constant = values and not any(v.find(exp.Column, exp.Query) for v in values)
    return [v.copy() for v in values] if constant else None


def _relation(values: list[Expr] | exp.Query, alias: str, name: str) -> Expr:
    """The distinct values as a relation with one column of the input's name."""
    column = exp.to_identifier(name, quoted=True)
    table_alias = exp.TableAlias(this=exp.to_identifier(alias, quoted=True), columns=[column])
    if isinstance(values, exp.Query):
        inner: Expr = exp.Subquery(this=values, alias=table_alias)
    else:
        once = {value.sql(): value for value in values}  # literals stay in their order
        rows = [exp.Tuple(expressions=[value]) for value in once.values()]
        inner = exp.Values(expressions=rows, alias=table_alias)
        if all(isinstance(value, exp.Literal) for value in values):
            return inner
    distinct = exp.select(column.copy()).from_(inner).distinct()
    return exp.Subquery(this=distinct, alias=exp.to_identifier(alias, quoted=True))
