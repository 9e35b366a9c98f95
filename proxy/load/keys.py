"""The keys of a table, as DuckDB's SQL that finds the rows which meet in one.

What becomes of these rows is the table's business.
"""

from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Key:
    """A primary or unique key of a table, by MySQL's name."""

    name: str
    columns: tuple[str, ...]

    @property
    def listed(self) -> str:
        """Its columns."""
        return ", ".join(map(quoted, self.columns))

    @property
    def whole(self) -> str:
        """Whether a row has a key: none with NULL in it is like another."""
        return " AND ".join(f"{quoted(column)} IS NOT NULL" for column in self.columns)

    @property
    def same(self) -> str:
        """Whether the row __r has the key of the row __t of the table."""
        return " AND ".join(f"__t.{column} = __r.{column}" for column in map(quoted, self.columns))

    def seconds(self, relation: str, *, last: bool = False) -> str:
        """The numbers `__n` of the rows of a relation whose key came before, or comes again if the
        `last` of them is to stay."""
        order = "__n DESC" if last else "__n"
        return (
            f"SELECT __n FROM {relation} WHERE {self.whole} "
            f"QUALIFY row_number() OVER (PARTITION BY {self.listed} ORDER BY {order}) > 1"
        )


def quoted(name: str) -> str:
    """A name as DuckDB's SQL has it, whatever is in it."""
    return exp.to_identifier(name, quoted=True).sql("duckdb")
