"""What planning a SELECT may ask of its surroundings: names, columns, the WITH it stands under."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from sqlglot import exp

from catalog.records import ModelRecord
from proxy.plan.scope import Source

Describe = Callable[[exp.Query], Awaitable[tuple[str, ...]]]
"""The column names of a query that DuckDB could run now."""


@dataclass(frozen=True, slots=True)
class Context:
    """One statement's planning; `ctes` are those in reach of the SELECT at hand. `open_inputs` is
    for a view that is looked at: what feeds a model's input, whoever reads it may say."""

    models: dict[str, ModelRecord]
    describe: Describe
    open_inputs: bool = False
    warnings: list[str] = field(default_factory=list)
    ctes: tuple[exp.CTE, ...] = ()
    relations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """The columns below models (c0, t0) by the client's names, for errors."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def within(self, ctes: Sequence[exp.CTE]) -> "Context":
        """The same planning, in reach of these CTEs."""
        return replace(self, ctes=tuple(cte.copy() for cte in ctes))

    def name(self) -> str:
        """A relation name that no client's table has."""
        return f"__mw_{next(self._numbers)}"

    async def columns(self, source: Source) -> tuple[str, ...]:
        """The column names of a table, subquery or CTE. Relations planned before exist as names
        only, so stand-ins without rows take their place."""
        query = self.with_ctes(exp.select("*").from_(source.node.copy()))
        used = {table.name for table in query.find_all(exp.Table)}
        stubs = [_stub(n, columns) for n, columns in self.relations.items() if n in used]
        if stubs:
            with_ = query.args.get("with_")
            ctes = with_.expressions if with_ is not None else []
            query.set("with_", exp.With(expressions=[*stubs, *ctes]))
        return await self.describe(query)

    def with_ctes(self, query: exp.Select) -> exp.Select:
        """The query with the WITH that its place in the statement gives it, if it needs one."""
        names = {cte.alias.casefold() for cte in self.ctes}
        if any(t.name.casefold() in names and not t.db for t in query.find_all(exp.Table)):
            recursive = any(_reads_itself(cte) for cte in self.ctes)
            ctes = [cte.copy() for cte in self.ctes]
            query.set("with_", exp.With(expressions=ctes, recursive=recursive))
        return query


def _reads_itself(cte: exp.CTE) -> bool:
    name = cte.alias.casefold()
    return any(t.name.casefold() == name and not t.db for t in cte.this.find_all(exp.Table))


def _stub(name: str, columns: tuple[str, ...]) -> exp.CTE:
    nulls = [exp.alias_(exp.null(), column, quoted=True) for column in columns]
    return exp.CTE(
        this=exp.select(*nulls), alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True))
    )
