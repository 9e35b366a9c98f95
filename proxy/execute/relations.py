"""The SQL of the executor's own temporary tables. All names in it are the planner's.

Rows reach DuckDB as one JSON text: it reads that a hundred times faster than a list of parameters.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.sources.kind import quoted
from proxy.execute.flow import Flow
from proxy.plan.nodes import Output, Predict, Snapshot
from proxy.result import Row

_MOST_TEXT = 2 * 1024 * 1024
"""Characters, about, of one such text: DuckDB takes many times as many bytes to read it."""

_ROWS = "(SELECT unnest(from_json($1, '[[\"VARCHAR\"]]')) AS row)"


_LOCAL_ROWS = 36_028_797_018_960_000
"""Where DuckDB 1.5's numbers begin of rows that an open transaction has added (its MAX_ROW_ID;
tests/slt/functions.test has the row of a failed UPDATE)."""

NUMBER, FIRST_ROW = "__n", "__first_row"
"""What a gathering's prompts start with: their number, and the number of their first row."""


def everything(name: str) -> str:
    """All rows of a relation."""
    return f'SELECT * FROM "{name}"'


def count(name: str) -> str:
    """How many rows a relation has."""
    return f'SELECT count(*) FROM "{name}"'


def count_of(query: str) -> str:
    """How many rows a query has."""
    return f"SELECT count(*) FROM ({query})"


def snapshot(node: Snapshot) -> str:
    """Make the relation of a Snapshot; $1 are its rows as JSON, if it has any."""
    if not node.rows:
        columns = ", ".join(f"{quoted(column.name)} {column.type}" for column in node.columns)
        return f'CREATE OR REPLACE TEMP TABLE "{node.name}" ({columns})'
    items = ", ".join(
        f"CAST(row[{n}] AS {column.type}) AS {quoted(column.name)}"
        for n, column in enumerate(node.columns, 1)
    )
    return f'CREATE OR REPLACE TEMP TABLE "{node.name}" AS SELECT {items} FROM {_ROWS}'


def text_in(row: Row) -> int:
    """The characters of a row."""
    return sum(len(cell) for cell in row if cell is not None)


def portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in portions that one JSON text each may hold."""
    portion: list[Row] = []
    text = 0
    for row in rows:
        size = text_in(row)
        if portion and text + size > _MOST_TEXT:
            yield portion
            portion, text = [], 0
        portion.append(row)
        text += size
    if portion:
        yield portion


@dataclass(frozen=True, slots=True)
class Gathering:
    """What is needed to make `relation`, the rows of a flow's Scan with its predictions: the
    distinct prompts, numbered in the order of their first rows, and the answers by those numbers.
    """

    flow: Flow
    relation: str

    @property
    def tables(self) -> tuple[str, str, str]:
        """The prompts, the answers, and the relation itself."""
        return f"{self.relation}_prompts", f"{self.relation}_answers", self.relation

    @property
    def _in_order(self) -> bool:
        """Whether each row is a prompt of its own."""
        return any(isinstance(step, Predict) and step.in_order for step in self.flow.steps)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The columns that predictions add."""
        predicts = (step for step in self.flow.steps if isinstance(step, Predict))
        return tuple(output for step in predicts for output in step.outputs)

    def prepare(self) -> list[tuple[str, tuple[()]]]:
        """Make the prompts, and the answers, empty."""
        prompts, answers, _ = self.tables
        row = "rowid" if self._in_order else "min(rowid)"
        grouped = "" if self._in_order else " GROUP BY ALL"
        items = ", ".join(f'CAST("{name}" AS TEXT) AS "{name}"' for name in self.flow.items)
        made = "".join(f', "{output.name}" {output.type}' for output in self.outputs)
        return [
            (
                f'CREATE OR REPLACE TEMP TABLE "{prompts}" AS SELECT '
                "CAST(row_number() OVER (ORDER BY first_row) - 1 AS INTEGER) AS n, * FROM (SELECT "
                f"{row} % {_LOCAL_ROWS} + 1 AS first_row, {items} "
                f'FROM "{self.flow.scan.name}"{grouped})',
                (),
            ),
            (f'CREATE OR REPLACE TEMP TABLE "{answers}" (n INTEGER{made})', ()),
        ]

    def prompts(self) -> str:
        """The prompts from number $1 to below $2: number, first row, then the flow's items."""
        items = "".join(f', "{name}"' for name in self.flow.items)
        return (
            f"SELECT CAST(n AS TEXT), CAST(first_row AS TEXT){items} "
            f'FROM "{self.tables[0]}" WHERE n >= $1 AND n < $2 ORDER BY n'
        )

    def add(self) -> str:
        """Add answers: $1 are rows of a number and the outputs, as JSON."""
        made = "".join(
            f", CAST(row[{n}] AS {output.type})" for n, output in enumerate(self.outputs, 2)
        )
        return f'INSERT INTO "{self.tables[1]}" SELECT CAST(row[1] AS INTEGER){made} FROM {_ROWS}'

    def join(self) -> str:
        """Make the relation: what the flow left out has no answer, and is left out."""
        prompts, answers, relation = self.tables
        same = "s.rowid + 1 = p.first_row"
        if not self._in_order:
            same = " AND ".join(
                f'CAST(s."{name}" AS TEXT) IS NOT DISTINCT FROM p."{name}"'
                for name in self.flow.items
            )
        return (
            f'CREATE OR REPLACE TEMP TABLE "{relation}" AS SELECT s.*, a.* EXCLUDE (n) '
            f'FROM "{self.flow.scan.name}" AS s JOIN "{prompts}" AS p ON {same} '
            f'JOIN "{answers}" AS a ON a.n = p.n ORDER BY s.rowid'
        )
