"""The sources of one SELECT and the columns that its expressions mean by their names.

It knows names only; where a column's values come from is the planner's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from catalog.records import ModelRecord
from catalog.suggest import did_you_mean
from proxy.errors import AmbiguousColumn, UnknownColumn, Unsupported

Expr = exp.Expr

EXTRA = "prediction_"
EXTRAS = tuple(EXTRA + part for part in ("error", "latency_ms", "tokens", "cached"))
"""The columns of every model beside its inputs and its target: by name only, never in a star."""

MERGED = "merged"
"""Marks a view over models that merging.py makes part of the SELECT that reads it."""


@dataclass(slots=True)
class Source:
    """One item of FROM. For a model `columns` are its inputs and then its targets, `extras` what is
    not in a star. `hidden` are the columns, in lower case, that an unqualified name or a star finds
    on the other side of a join."""

    alias: str
    node: Expr
    model: ModelRecord | None = None
    side: str = ""
    on: list[Expr] = field(default_factory=list)
    using: list[str] = field(default_factory=list)
    natural: bool = False
    columns: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    hidden: set[str] = field(default_factory=set)

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that a name may mean."""
        return (*self.columns, *self.extras)

    def column(self, name: str) -> str | None:
        """The column's name as the source spells it, or None."""
        key = name.casefold()
        return next((c for c in self.named if c.casefold() == key), None)

    def shows(self, name: str) -> bool:
        """Whether an unqualified name may mean a column of this source."""
        return self.column(name) is not None and name.casefold() not in self.hidden

    def reference(self, name: str) -> exp.Column:
        """A column of this source, as an expression."""
        return exp.column(
            exp.to_identifier(name, quoted=True), table=exp.to_identifier(self.alias, quoted=True)
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that a model has to be given; none for a table."""
        return self.model.inputs if self.model else ()

    def predicts(self, name: str) -> bool:
        """Whether a model predicts a column of that name."""
        targets = self.model.target_names if self.model else ()
        return name.casefold() in {target.casefold() for target in targets}


def sources_of(select: exp.Select, models: dict[str, ModelRecord]) -> list[Source]:
    """The items of FROM in their order. `models` maps the key that the binder left in a table's
    meta to its record. Raises Unsupported for FULL JOIN."""
    from_ = select.args.get("from_")
    sources = [] if from_ is None else [_source(from_.this, models)]
    for join in select.args.get("joins") or ():
        source = _source(join.this, models)
        source.side = str(join.args.get("side") or "").upper()
        source.natural = str(join.args.get("method") or "").upper() == "NATURAL"
        source.using = [name.name for name in join.args.get("using") or ()]
        source.on = conjuncts(join.args.get("on"))
        if source.side == "FULL":
            raise Unsupported("FULL JOIN with a model is not supported")
        sources.append(_turned(source, sources))
    return sources


def _turned(source: Source, before: list[Source]) -> Source:
    """RIGHT JOIN as LEFT JOIN: a model has no rows of its own that an outer join could keep."""
    if source.side == "RIGHT" and source.model is not None:
        source.side = ""
    elif source.side == "RIGHT" and all(s.model for s in before):
        for model in before:
            model.side = "LEFT"
        before[-1].on += source.on
        source.on, source.side = [], ""
    return source


def join_by_names(sources: list[Source]) -> None:
    """Write USING and NATURAL as the equalities that they stand for, once columns are known.

    Raises UnknownColumn, AmbiguousColumn."""
    for at, source in enumerate(sources):
        before = sources[:at]
        shared = [c for c in source.columns if any(s.shows(c) for s in before)]
        for name in shared if source.natural else source.using:
            left, right = _owner(before, name), _owner([source], name)
            sides = (s.reference(s.column(name) or name) for s in (left, right))
            source.on.append(exp.EQ(this=next(sides), expression=next(sides)))
            (left if source.side == "RIGHT" else right).hidden.add(name.casefold())


def _owner(sources: list[Source], name: str) -> Source:
    found = _owners(sources, name)
    if not found:
        raise UnknownColumn(f"Unknown column '{name}' in 'from clause'")
    if len(found) > 1:
        raise AmbiguousColumn(f"Column '{name}' in 'from clause' is ambiguous")
    return found[0]


def _owners(sources: list[Source], name: str) -> list[Source]:
    """The sources that an unqualified name may mean: a model's input or extra is not meant beside a
    table's column or a prediction of that name."""
    found = [s for s in sources if s.shows(name)]
    lesser = [s for s in found if s.model and not s.predicts(name)]
    return [s for s in found if s not in lesser] or found


def _source(node: Expr, models: dict[str, ModelRecord]) -> Source:
    key = node.meta.get("model") if isinstance(node, exp.Table) else None
    model = models[key] if key else None
    columns = (*model.inputs, *model.target_names) if model else ()
    extras = EXTRAS if model else ()
    return Source(node.alias_or_name, node, model, columns=columns, extras=extras)


def reads_model(select: Expr) -> bool:
    """Whether a model is an item of the SELECT's FROM, or is about to be."""
    return any(i.meta.get("model") or i.meta.get(MERGED) for i in items_of(select))


def items_of(select: Expr) -> list[Expr]:
    """The items of a SELECT's FROM, in their order."""
    from_ = select.args.get("from_")
    first = [from_.this] if from_ is not None else []
    return first + [join.this for join in select.args.get("joins") or ()]


def aliases_around(select: exp.Select) -> frozenset[str]:
    """The aliases of the queries that a SELECT stands in, in lower case."""
    aliases: set[str] = set()
    outer = select.find_ancestor(exp.Select)
    while outer is not None:
        items = [outer.args.get("from_"), *(outer.args.get("joins") or ())]
        aliases |= {item.this.alias_or_name.casefold() for item in items if item is not None}
        outer = outer.find_ancestor(exp.Select)
    return frozenset(aliases)


def conjuncts(condition: Expr | None) -> list[Expr]:
    """The parts of a condition that AND connects."""
    if condition is None:
        return []
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        parts = list(condition.flatten())
        return [part for p in parts for part in (conjuncts(p) if isinstance(p, exp.Paren) else [p])]
    return [condition]


def conjunction(parts: list[Expr]) -> Expr | None:
    """The parts connected by AND, or None."""
    return exp.and_(*parts) if parts else None


def where_of(select: exp.Select) -> list[Expr]:
    """The conjuncts of a SELECT's WHERE."""
    where = select.args.get("where")
    return conjuncts(where.this) if where is not None else []


def set_where(select: exp.Select, conditions: list[Expr]) -> None:
    """Let a SELECT's WHERE be copies of these conjuncts."""
    both = conjunction(conditions)
    select.set("where", None if both is None else exp.Where(this=both))


def columns_in(expression: Expr) -> Iterator[exp.Column]:
    """Every column that an expression mentions, those of its subqueries too, unless they are of the
    subquery's own sources: an inner alias hides an outer one."""
    return (c for c in expression.find_all(exp.Column) if not _is_local(c, expression))


def _is_local(column: exp.Column, root: Expr) -> bool:
    node: Expr | None = column
    while column.table and node is not None and node is not root:
        node = node.parent
        if isinstance(node, exp.Select) and column.table.casefold() in aliases_of(node):
            return True
    return False


def aliases_of(select: exp.Select) -> frozenset[str]:
    """The aliases, in lower case, of the items of a SELECT's FROM."""
    return frozenset(item.alias_or_name.casefold() for item in items_of(select))


def aliases_in(expression: Expr) -> set[str]:
    """The source aliases that a resolved expression reads."""
    return {column.table for column in columns_in(expression)}


class Scope:
    """Resolves the columns of one SELECT: afterwards each names its source's alias. `outer` are the
    aliases, in lower case, of the queries around it."""

    def __init__(self, sources: list[Source], outer: frozenset[str] = frozenset()) -> None:
        self.sources = sources
        self._outer = outer
        self._by_alias: dict[str, Source] = {}
        for source in sources:
            key = source.alias.casefold()
            if key in self._by_alias:
                raise AmbiguousColumn(f"Not unique table/alias: '{source.alias}'")
            self._by_alias[key] = source

    def resolve(self, expression: Expr, clause: str, labels: frozenset[str] = frozenset()) -> None:
        """Qualify the columns of an expression in place. `labels` are select-list aliases that
        an unqualified name may mean; `clause` is MySQL's name of the place, for errors."""
        for column in list(columns_in(expression)):
            if isinstance(column.this, exp.Star):
                continue
            nested = _is_nested(column, expression)
            if column.table:
                self._qualified(column, clause, nested)
            elif not nested and column.name.casefold() not in labels:
                self._unqualified(column, clause)

    def is_column(self, name: str) -> bool:
        """Whether an unqualified name means one column, and no other."""
        return len(_owners(self.sources, name)) == 1

    def named(self, alias: str) -> Source:
        """The source of that alias. Raises UnknownColumn, as MySQL does for `x.*`."""
        source = self._by_alias.get(alias.casefold())
        if source is None:
            raise UnknownColumn(f"Unknown table '{alias}'")
        return source

    def _qualified(self, column: exp.Column, clause: str, nested: bool) -> None:
        source = self._by_alias.get(column.table.casefold())
        name = source.column(column.name) if source else None
        if source is None or name is None:
            if nested:
                return
            if source is None and column.table.casefold() in self._outer:
                raise Unsupported(
                    f"A model in a subquery that reads '{column.sql()}' of the query around it is "
                    "not supported: join the model there"
                )
            hint = did_you_mean(column.name, source.named) if source else ""
            raise UnknownColumn(f"Unknown column '{column.sql()}' in '{clause}'{hint}")
        _point(column, source, name)

    def _unqualified(self, column: exp.Column, clause: str) -> None:
        candidates = _owners(self.sources, column.name)
        if not candidates:
            known = [c for s in self.sources for c in s.named]
            hint = did_you_mean(column.name, known)
            raise UnknownColumn(f"Unknown column '{column.name}' in '{clause}'{hint}")
        if len(candidates) > 1:
            raise AmbiguousColumn(f"Column '{column.name}' in '{clause}' is ambiguous")
        source = candidates[0]
        _point(column, source, source.column(column.name) or column.name)


def _point(column: exp.Column, source: Source, name: str) -> None:
    column.set("this", exp.to_identifier(name, quoted=True))
    column.set("table", exp.to_identifier(source.alias, quoted=True))
    column.set("db", None)
    column.set("catalog", None)


def _is_nested(column: exp.Column, root: Expr) -> bool:
    node: Expr | None = column
    while node is not None and node is not root:
        if isinstance(node, exp.Query) and not isinstance(node, exp.Subquery):
            return True
        node = node.parent
    return isinstance(root, exp.Query)
