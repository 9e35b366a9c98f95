"""What the names in a query over one source's tables mean there.

It knows names and DuckDB's types of columns; what can be said of them is the dialects' business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from proxy.plan.remote.tables import RemoteTable


class Unlike(Exception):
    """What means something else in a source than it does to DuckDB, or cannot be said there. It
    leaves this room never: DuckDB does then what the source does not."""


@dataclass(frozen=True, slots=True)
class Output:
    """A column of a query: its name, and DuckDB's type, '' where it is the source's affair."""

    name: str
    type: str = ""
    nullable: bool = True
    native_type: str = ""
    """A column's own type as the source writes it; nothing for what is computed."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of FROM: its alias and its columns, by their names in lower case."""

    alias: str
    columns: Mapping[str, Output]

    def reference(self, output: Output) -> exp.Column:
        """A column of it, named in full."""
        return exp.column(
            exp.to_identifier(output.name, quoted=True),
            table=exp.to_identifier(self.alias, quoted=True),
        )


def item_of(alias: str, outputs: list[Output]) -> Item:
    """An item with these columns. Raises Unlike where two have the same name."""
    columns = {output.name.casefold(): output for output in outputs}
    if len(columns) < len(outputs):
        raise Unlike
    return Item(alias, columns)


@dataclass(slots=True)
class Scope:
    """The names that a SELECT's expressions may use. `labels` are its own items' names, `merged`
    the columns of USING, both in lower case."""

    outer: "Scope | None" = None
    items: dict[str, Item] = field(default_factory=dict)
    ctes: dict[str, Item] = field(default_factory=dict)
    tables: dict[str, RemoteTable] = field(default_factory=dict)
    """Those of the items that are tables of the source, by alias."""
    labels: dict[str, exp.Expr] = field(default_factory=dict)
    merged: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    """The items whose rows an outer join may lack, by alias in lower case."""

    def add(self, item: Item) -> None:
        """One more item of FROM. Raises Unlike for an alias that is taken."""
        if item.alias.casefold() in self.items:
            raise Unlike
        self.items[item.alias.casefold()] = item

    def cte(self, name: str) -> Item | None:
        """The relation of a WITH that is in reach."""
        found = self.ctes.get(name.casefold())
        return found or (self.outer.cte(name) if self.outer is not None else None)

    def column(self, column: exp.Column) -> tuple[Item, Output] | None:
        """The column of an item, here or around, that a name means; None if there is none. Raises
        Unlike where it may mean several."""
        if column.args.get("db"):
            raise Unlike
        found = list(self._meant(column.name.casefold(), column.table.casefold()))
        if len(found) > 1 and column.name.casefold() not in self.merged:
            raise Unlike
        if found:
            return found[0]
        return self.outer.column(column) if self.outer is not None else None

    def may_be_null(self, column: exp.Column) -> bool:
        """Whether a column of this SELECT's, named in full, may be NULL."""
        item = self.items.get(column.table.casefold())
        output = item.columns.get(column.name.casefold()) if item is not None else None
        return output is None or output.nullable or column.table.casefold() in self.optional

    def starred(self, alias: str = "") -> Iterator[exp.Column]:
        """The columns of `*` or, of one item, of `alias.*`. Raises Unlike."""
        if self.merged or (alias and alias.casefold() not in self.items):
            raise Unlike
        for item in [self.items[alias.casefold()]] if alias else self.items.values():
            yield from map(item.reference, item.columns.values())

    def _meant(self, name: str, alias: str) -> Iterator[tuple[Item, Output]]:
        for key, item in self.items.items():
            if alias in {"", key} and name in item.columns:
                yield item, item.columns[name]
