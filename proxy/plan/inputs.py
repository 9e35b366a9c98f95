"""Where a model's inputs come from: ON, WHERE, columns of the same name, or given constants.

An ON mapping always wins; then an equality with a column in WHERE; then a column of the same name;
then the constants of WHERE.
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

    @property
    def missing(self) -> list[str]:
        """The inputs that nothing feeds yet."""
        return [name for name in self.record.inputs if name not in self.inputs]

    @property
    def needed(self) -> list[str]:
        """Those of them that have no default."""
        return [name for name in self.missing if name not in self.record.optional]


def map_inputs(
    sources: list[Source], where: list[Expr], *, open_inputs: bool = False
) -> list[Mapping]:
    """Find an expression for each input of each model among `sources`, NULL for the others with
    `open_inputs`. Conjuncts of ON and `where` that only map are taken out of their lists. Raises
    MissingInput, AmbiguousColumn."""
    mappings = [Mapping(source) for source in sources if source.model]
    joins = [c for c in where if _joins(c)]
    where[:] = [c for c in where if not _joins(c)]
    _take_equalities(mappings, sources, joins)
    for mapping in mappings:
        _take_same_names(mapping, sources, _free(mapping, mappings, sources))
    where[:0] = joins
    _take_equalities(mappings, sources, where)
    for mapping in mappings:
        _take_constants(mapping, where)
    _take_equalities(mappings, sources, where)
    for mapping in mappings:
        _take_same_names(mapping, sources, mapping.missing)
    alone = all(source.model for source in sources)
    given = any(mapping.inputs for mapping in mappings)
    for mapping in mappings:
        mentioned = any(_mentions_input(mapping.model, condition) for condition in where)
        if open_inputs:
            text = exp.cast(exp.null(), exp.DataType.Type.TEXT)
            mapping.inputs |= {name: text.copy() for name in mapping.missing}
        if mapping.needed and (given or mentioned or not alone):
            name, model = mapping.needed[0], mapping.record.name
            raise MissingInput(
                f"Input '{name}' of model '{model}' has no value: give it in ON or "
                f"WHERE ({mapping.alias}.{name} = …), or a column of that name"
            )
        if not mapping.needed:
            mapping.inputs |= dict.fromkeys(mapping.missing, exp.null())
    return mappings


def _take_equalities(mappings: list[Mapping], sources: list[Source], where: list[Expr]) -> None:
    """`m.input = expression`, either way round, of ON (its own first) and WHERE; again, as long as
    one model's input makes another's known."""
    progress = True
    while progress:
        progress = False
        for mapping in mappings:
            others = [source.on for source in sources if source is not mapping.model]
            for conditions in (mapping.model.on, *others, where):
                progress |= _take_from(conditions, mapping, mappings)


def _take_from(conditions: list[Expr], mapping: Mapping, mappings: list[Mapping]) -> bool:
    known = len(mapping.inputs)
    for condition in list(conditions):
        for side, other in _equal_sides(condition):
            name = _input_name(mapping.model, side)
            if name and name not in mapping.inputs and _is_known(other, mapping, mappings):
                mapping.inputs[name] = other.copy()
                conditions.remove(condition)
                break
    return len(mapping.inputs) > known


def _equal_sides(condition: Expr) -> tuple[tuple[Expr, Expr], ...]:
    if not isinstance(condition, exp.EQ):
        return ()
    left, right = condition.left, condition.right
    return (left, right), (right, left)


def _joins(condition: Expr) -> bool:
    """Whether it is an equality between columns, as in ON; one with a constant maps an input only
    if no column has its name."""
    sides = _equal_sides(condition)
    return bool(sides) and all(any(columns_in(side)) for side, _ in sides)


def _is_known(expression: Expr, mapping: Mapping, mappings: list[Mapping]) -> bool:
    """Whether the expression reads neither the model itself nor an input that has no value yet."""
    if mapping.alias in aliases_in(expression):
        return False
    return not any(
        _input_name(other.model, column) in other.missing
        for other in mappings
        for column in columns_in(expression)
    )


def _free(mapping: Mapping, mappings: list[Mapping], sources: list[Source]) -> list[str]:
    """The missing inputs that no ON ties to another model's input, which may get its value yet."""
    tied = {
        _input_name(mapping.model, side)
        for source in sources
        for condition in source.on
        for side, other in _equal_sides(condition)
        if any(_mentions_input(m.model, other) for m in mappings if m is not mapping)
    }
    return [name for name in mapping.missing if name not in tied]


def _input_name(model: Source, side: Expr) -> str | None:
    side = side.unnest()
    is_input = isinstance(side, exp.Column) and side.table == model.alias
    return side.name if is_input and side.name in model.inputs else None


def _mentions_input(model: Source, condition: Expr) -> bool:
    return any(_input_name(model, column) for column in columns_in(condition))


def _take_same_names(mapping: Mapping, sources: list[Source], names: list[str]) -> None:
    """A column of the input's name: of a table, else the target of another model."""
    others = [source for source in sources if source is not mapping.model]
    for name in names:
        column = _column_for(mapping.record, name)
        plain = [s for s in others if s.model is None and s.column(column)]
        targets = [s for s in others if s.model and s.predicts(name)]
        found = [s for s in plain if s.shows(column)] or plain or targets
        if len(found) > 1:
            raise AmbiguousColumn(
                f"Column '{name}' in 'on clause' is ambiguous: "
                f"say which one feeds {mapping.model.alias}.{name}"
            )
        if found:
            fed = column if found[0].model is None else name
            mapping.inputs[name] = found[0].reference(found[0].column(fed) or fed)


def _column_for(model: ModelRecord, name: str) -> str:
    """The column that feeds an input by its name: `answer` feeds `given_answer` where the model
    predicts an `answer`, too, and takes those that a conversation has already."""
    given = model.options.get("assistant_column")
    return str(given) if given and name == f"given_{given}" else name


def _take_constants(mapping: Mapping, where: list[Expr]) -> None:
    """IN lists, IN subqueries, ORs of equalities: each input's values become a source, and WHERE
    stays to pick among their combinations."""
    for name in mapping.missing:
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
        branches = [_constants(model, name, part) for part in condition.flatten()]
        return None if None in branches else [v for branch in branches for v in branch or ()]
    if isinstance(condition, exp.And):
        found = [_constants(model, name, part) for part in conjuncts(condition)]
        return next((values for values in found if values is not None), None)
    if isinstance(condition, exp.In) and _input_name(model, condition.this) == name:
        return _if_constant(condition.expressions)
    if isinstance(condition, exp.EQ):
        for side, other in _equal_sides(condition):
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
