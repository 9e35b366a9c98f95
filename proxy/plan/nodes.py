"""The nodes of a plan: frozen data, printed one line each; executor.py runs them.

Every node but the root has a name: the relation that stands for its rows in its parent's SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlglot import exp

from catalog.database import Field
from catalog.records import ModelRecord


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows of the proxy's own (definitions, processes), of the DuckDB types in `columns`."""

    name: str
    columns: tuple[Field, ...]
    rows: Sequence[tuple[str | int | float | None, ...]]

    def __str__(self) -> str:
        return f"Snapshot {self.name}"


@dataclass(frozen=True, slots=True)
class Passthrough:
    """No model in it, or only in its inputs: DuckDB answers."""

    sql: exp.Query
    inputs: tuple["Node", ...] = ()

    def __str__(self) -> str:
        return f"Passthrough {_text(self.sql)}"


@dataclass(frozen=True, slots=True)
class Scan:
    """The part below a model: its columns are named c0, c1, … and, for prompts, i0, i1, …."""

    name: str
    sql: exp.Query
    inputs: tuple["Node", ...] = ()

    def __str__(self) -> str:
        return f"Scan {self.name}: {_text(self.sql)}"


@dataclass(frozen=True, slots=True)
class Predict:
    """The child's rows with one more column, `target`; `inputs` are the child's columns for
    the model's placeholders, in their order. Rows and their order stay."""

    name: str
    child: "Node"
    model: ModelRecord
    inputs: tuple[str, ...]
    target: str

    def __str__(self) -> str:
        call = f"{self.model.project}.{self.model.name}({', '.join(self.inputs)})"
        return f"Predict {self.name}: {self.target} = {call}"


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left to do over predicted rows. At the root, where it is the answer, `name` is ''."""

    name: str
    child: "Node"
    sql: exp.Query
    inputs: tuple["Node", ...] = ()

    def __str__(self) -> str:
        head = f"Residual {self.name}:" if self.name else "Residual"
        return f"{head} {_text(self.sql)}"


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that changes tables, over relations that were planned below it."""

    tree: exp.Expr
    inputs: tuple["Node", ...] = ()

    def __str__(self) -> str:
        return f"Write {_text(self.tree)}"


Node: TypeAlias = Snapshot | Passthrough | Scan | Predict | Residual | Write


def children(node: Node) -> tuple[Node, ...]:
    """What a node reads, in the order in which it is made."""
    match node:
        case Snapshot():
            return ()
        case Predict(child=child):
            return (child,)
        case Residual(child=child, inputs=inputs):
            return (child, *inputs)
        case Passthrough(inputs=inputs) | Scan(inputs=inputs) | Write(inputs=inputs):
            return inputs


def explain(node: Node) -> list[str]:
    """The plan as indented lines, the root first."""
    lines = [str(node)]
    for child in children(node):
        lines += ["  " + line for line in explain(child)]
    return lines


def _text(tree: exp.Expr) -> str:
    return tree.sql(dialect="duckdb", comments=False)
