"""The calls of one resolved SELECT as models beside its tables, each fed by its arguments.

Equal calls share a model; a call's place in the SELECT becomes a column of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from catalog.records import ModelRecord
from proxy.plan.calls.call import is_call, model_of, own_calls, target_of
from proxy.plan.calls.guards import Step, either, guarded, steps_to
from proxy.plan.context import Context
from proxy.plan.inputs import Mapping
from proxy.plan.scope import Expr, Source, aliases_in

_ALIAS = "__call_"


@dataclass(slots=True)
class _Called:
    """A model that is called, with its arguments in the order of its inputs, each in a holder.
    `places` are where its answer is read: in a tree, by its root, and maybe in an argument of
    another."""

    record: ModelRecord
    alias: str
    holders: list[exp.Paren]
    places: list[tuple[Expr, Expr, "_Called | None"]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def reads(self) -> set[str]:
        """The aliases of what the arguments are made of."""
        return {alias for holder in self.holders for alias in aliases_in(holder)}

    def mapping(self) -> Mapping:
        """The model as one of FROM's, its inputs NULL where the steps need no answer."""
        names = self.record.inputs
        values = [guarded(holder.this, self.steps) for holder in self.holders]
        nulls = [exp.null() for _ in names[len(values) :]]
        source = Source(self.alias, exp.null(), self.record, columns=self.record.target_names)
        return Mapping(source, dict(zip(names, [*values, *nulls], strict=True)))


class Calls:
    """Takes the calls out of the parts of one SELECT over `sources`; `around` are the aliases, in
    lower case, of the queries around it. Conditions come first, then all else, then mappings."""

    def __init__(self, context: Context, sources: list[Source], around: frozenset[str]) -> None:
        self._models = context.models
        self._around = around | {source.alias.casefold() for source in sources}
        self._called: dict[tuple[str, ...], _Called] = {}
        self._filters = 0

    @property
    def aliases(self) -> set[str]:
        """The aliases of the models that are called; no client's table has such a one."""
        return {called.alias for called in self._called.values()}

    def take_conditions(self, conditions: list[Expr]) -> None:
        """Put columns in the places of the calls in conjuncts of WHERE or ON, changing the list."""
        holders = [exp.Paren(this=condition) for condition in conditions]
        self.take(holders)
        conditions[:] = [holder.this for holder in holders]
        self._filters = len(self._called)

    def take(self, parts: Iterable[Expr], inside: _Called | None = None) -> None:
        """Put columns in the places of the calls in these parts of the SELECT; `inside` is the
        call whose arguments they are."""
        for part in parts:
            for call in own_calls(part, self._around):
                column = self._column(call)
                call.replace(column)
                self._model(call).places.append((column, part, inside))

    def mappings(
        self, joined: list[Mapping], plain: list[Source], where: list[Expr]
    ) -> list[Mapping]:
        """All models in the order in which they are asked: those that conditions call, as these
        rule out rows, those in FROM, `joined`, and the rest."""
        called = list(self._called.values())
        late = _late(plain, where, self.aliases | {mapping.alias for mapping in joined})
        free = {source.alias for source in plain} - late
        if not self._filters:
            free |= {mapping.alias for mapping in joined}  # else such a call may feed them
        for at, each in reversed(list(enumerate(called))):
            known = free | each.reads | {before.alias for before in called[:at]}
            each.steps = _steps(each, known)
        own = [each.mapping() for each in called]
        return [*own[: self._filters], *joined, *own[self._filters :]]

    def _column(self, call: Expr) -> exp.Column:
        return exp.column(
            exp.to_identifier(target_of(call), quoted=True),
            table=exp.to_identifier(self._model(call).alias, quoted=True),
        )

    def _model(self, call: Expr) -> _Called:
        """The model of a call, the same for equal ones; those in its arguments come before it."""
        key = _key(call)
        if key not in self._called:
            record = self._models[model_of(call)]
            holders = [exp.Paren(this=argument.copy()) for argument in call.expressions]
            called = _Called(record, "", holders)
            self.take(holders, called)
            called.alias = f"{_ALIAS}{len(self._called)}"
            self._called[key] = called
        return self._called[key]


def _key(call: Expr) -> tuple[str, ...]:
    """What equal calls share: model and arguments, and the models of calls within these."""
    within = [model_of(node) for node in call.walk() if is_call(node)]
    return (*within, *(argument.sql() for argument in call.expressions))


def _steps(called: _Called, known: set[str]) -> list[Step]:
    """The steps to all places of a call, as far as they are made of what is known before it."""
    ways = []
    for place, root, inside in called.places:
        steps = [*steps_to(place, root), *(inside.steps if inside else [])]
        ways.append([step for step in steps if step.reads <= known])
    return either(ways)


def _late(plain: list[Source], where: list[Expr], predicted: set[str]) -> set[str]:
    """The tables that a prediction, or such a table, is joined with, which wiring.py may join
    above: one that feeds a model it has to join below."""
    late: set[str] = set()
    for source in plain[1:]:
        conditions = [*source.on, *(c for c in where if source.alias in aliases_in(c))]
        if any(aliases_in(condition) & (predicted | late) for condition in conditions):
            late.add(source.alias)
    return late
