"""The nodes of one SELECT over models, built from its sorted parts.

Below the models columns are named c0, c1, … (of tables), i0_0 … (inputs of model 0) and t0, …
(targets; t0_1 is the second one of model 0), so that no two can clash whatever the client's names
are.
"""

from dataclasses import dataclass, field

from sqlglot import exp

from catalog.records import ModelRecord
from proxy.plan.context import Context
from proxy.plan.inputs import Mapping
from proxy.plan.nodes import Node, Output, Part, Predict, Residual, Scan
from proxy.plan.scope import EXTRA, Expr, Source, aliases_in, columns_in, conjunction
from proxy.plan.types import duckdb_type

_CHILD = "__p"


@dataclass(slots=True)
class Stages:
    """`early` sources are joined in the Scan, `late` ones in the Residual, `models` in order."""

    context: Context
    early: list[Source]
    late: list[Source]
    models: list[Mapping]
    _columns: dict[tuple[str, str], str] = field(default_factory=dict)

    def scan_from(self, where: list[Expr]) -> exp.Select:
        """FROM and WHERE of the Scan; its select list comes with build."""
        scan = exp.Select()
        _join(scan, self.early)
        if where:
            scan = scan.where(conjunction(where), copy=False)
        return scan

    def build(  # noqa: PLR0913, PLR0917 (the parts of one SELECT)
        self,
        select: exp.Select,
        name: str,
        below: tuple[Node, ...],
        scan: exp.Select,
        kept: list[Expr],
        clauses: list[Expr],
    ) -> Residual:
        """Scan, then for each model a filter where it saves calls and the Predict, then the
        Residual named `name`. `kept` are the conjuncts that need predictions."""
        feeds = [e for m in self.models if self._waits(m) for e in m.inputs.values()]
        self._number([*clauses, *kept, *feeds, *(c for s in self.late for c in s.on)])
        scan.set("expressions", self._scan_items())
        node: Scan | Predict | Residual = Scan(
            self.context.name(), self.context.with_ctes(scan), below
        )
        ready: set[str] = set()
        for mapping in self.models:
            decided = [c for c in kept if ready and aliases_in(c) <= ready | self._reach()]
            kept = [c for c in kept if c not in decided]
            if decided or self._waits(mapping):
                node = self._between(node, mapping, decided)
            inputs = tuple(self._input_names(mapping))
            node = Predict(
                self.context.name(), node, mapping.record, inputs, self._outputs(mapping)
            )
            ready.add(mapping.alias)
        return Residual(name, node, self._above(select, node.name, kept))

    def _number(self, expressions: list[Expr]) -> None:
        aliases = {s.alias for s in self.early}
        columns = [(c.table, c.name) for e in expressions for c in columns_in(e)]
        for key in columns:
            if key[0] in aliases:
                self._columns.setdefault(key, f"c{len(self._columns)}")
        for mapping in self.models:
            for alias, name in columns:
                if alias == mapping.alias:
                    self._columns.setdefault((alias, name), self._made(mapping, name))
        self.context.names.update({name: column for (_, column), name in self._columns.items()})

    def _reach(self) -> set[str]:
        return {s.alias for s in self.early} | {""}

    def _scan_items(self) -> list[Expr]:
        aliases = {s.alias: s for s in self.early}
        items: list[Expr] = [
            exp.alias_(aliases[alias].reference(column), name, quoted=True, copy=False)
            for (alias, column), name in self._columns.items()
            if alias in aliases
        ]
        for mapping in self.models:
            if not self._waits(mapping):
                items += self._input_items(mapping)
        return items or [exp.alias_(exp.null(), "c0", quoted=True)]

    def _waits(self, mapping: Mapping) -> bool:
        """Whether an input of this model is made of another's prediction."""
        predicted = {m.alias for m in self.models}
        return any(aliases_in(e) & predicted for e in mapping.inputs.values())

    def _input_items(self, mapping: Mapping) -> list[Expr]:
        values = [mapping.inputs[name] for name in mapping.record.inputs]
        return [
            exp.alias_(exp.cast(value, exp.DType.TEXT), name, quoted=True, copy=False)
            for value, name in zip(values, self._input_names(mapping), strict=True)
        ]

    def _input_names(self, mapping: Mapping) -> list[str]:
        number = self.models.index(mapping)
        return [f"i{number}_{n}" for n in range(len(mapping.record.inputs))]

    def _made(self, mapping: Mapping, name: str) -> str:
        """What a column of a model's predictions is called: t0, t0_1, t0_error."""
        first = f"t{self.models.index(mapping)}"
        names = mapping.record.target_names
        if name not in names:
            return f"{first}_{name.removeprefix(EXTRA)}"
        return first if name == names[0] else f"{first}_{names.index(name)}"

    def _outputs(self, mapping: Mapping) -> tuple[Output, ...]:
        """What is read of a model's predictions."""
        return tuple(
            _output(mapping.record, name, made)
            for (alias, name), made in self._columns.items()
            if alias == mapping.alias
        )

    def _between(
        self, node: Scan | Predict | Residual, mapping: Mapping, decided: list[Expr]
    ) -> Residual:
        """Between two models: drop the rows that predictions so far rule out, and make the inputs
        that are made of them."""
        star = exp.Column(this=exp.Star(), table=exp.to_identifier(_CHILD, quoted=True))
        items = self._input_items(mapping) if self._waits(mapping) else []
        sql = exp.select(star, *items).from_(_child(node.name))
        if decided:
            sql = sql.where(conjunction(decided), copy=False)
        return Residual(self.context.name(), node, self.context.with_ctes(self._pointed(sql)))

    def _above(self, select: exp.Select, child: str, kept: list[Expr]) -> exp.Select:
        """The SELECT itself over the predicted rows."""
        sql = select.copy()
        sql.set("with_", None)
        sql.set("from_", exp.From(this=_child(child)))
        sql.set("joins", None)
        sql.set("where", None)
        _join(sql, self.late)
        if kept:
            sql = sql.where(conjunction(kept), copy=False)
        return self.context.with_ctes(self._pointed(sql))

    def _pointed(self, sql: exp.Select) -> exp.Select:
        """Point the columns of early sources and models at the child's columns."""
        labelled = {
            output.name
            for mapping in self.models
            for output in self._outputs(mapping)
            if output.type.startswith("ENUM(")
        }
        for column in list(columns_in(sql)):
            name = self._columns.get((column.table, column.name))
            if name is not None:
                column.set("this", exp.to_identifier(name, quoted=True))
                column.set("table", exp.to_identifier(_CHILD, quoted=True))
                if name in labelled and _wants_text(column):
                    column.replace(exp.cast(column.copy(), exp.DType.TEXT, copy=False))
        return sql


def _output(model: ModelRecord, name: str, made: str) -> Output:
    if name not in model.target_names:
        part = Part(name.removeprefix(EXTRA))
        return Output(made, part, part.type)
    number = model.target_names.index(name)
    return Output(made, Part.VALUE, duckdb_type(model.targets[number].type), number)


def _wants_text(enum: Expr) -> bool:
    """Whether an ENUM is looked at as text where it stands: MIN and MAX compare its labels so, and
    the default of LAG need be none of them."""
    around = enum.parent
    if isinstance(around, exp.Lag | exp.Lead):
        return around.args.get("default") is not None
    return isinstance(around, exp.Min | exp.Max)


def _child(name: str) -> exp.Expr:
    return exp.to_table(name).as_(_CHILD)


def _join(select: exp.Select, sources: list[Source]) -> None:
    """Join the sources onto what the SELECT reads, the first one as FROM if it reads nothing."""
    for source in sources:
        on = conjunction([c.copy() for c in source.on])
        if select.args.get("from_") is None:
            select.set("from_", exp.From(this=source.node.copy()))
            if on is not None:
                select.where(on, copy=False)
            continue
        join = exp.Join(this=source.node.copy())
        join.set("side", source.side or None)
        if on is None and source.side:
            on = exp.true()
        join.set("on", on)
        join.set("kind", "CROSS" if on is None else None)
        select.append("joins", join)
