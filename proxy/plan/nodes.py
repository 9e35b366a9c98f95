"""The nodes of a plan: frozen data, printed one line each; executor.py runs them.

Every node but the root has a name: the relation that stands for its rows in its parent's SQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from sqlglot import exp

from catalog.database import Field
from catalog.records import ModelRecord, SourceRecord
from proxy.plan.row_local import is_row_local


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


class Part(StrEnum):
    """What a prediction tells: its value, or what it took to get it."""

    VALUE = "value"
    ERROR = "error"
    LATENCY_MS = "latency_ms"
    TOKENS = "tokens"
    CACHED = "cached"

    @property
    def type(self) -> str:
        """DuckDB's type of its column; a value's is its target's."""
        return {"latency_ms": "DOUBLE", "tokens": "BIGINT", "cached": "BOOLEAN"}.get(self, "TEXT")


@dataclass(frozen=True, slots=True)
class Output:
    """A column that a Predict adds, of that DuckDB type: a part of the prediction; for the value,
    that of the model's target of number `target`."""

    name: str
    part: Part
    type: str
    target: int = 0


@dataclass(frozen=True, slots=True)
class Remote:
    """Rows that a data source is asked for in its own words, `native`; `columns` are theirs, of
    DuckDB's types."""

    name: str
    source: SourceRecord
    native: str
    columns: tuple[Field, ...] = ()
    streams: bool = False
    """Whether they are read once, as they come; else they become a temporary table."""

    def __str__(self) -> str:
        return f"Remote {self.name}: {self.source.engine} '{self.source.name}': {self.native}"


@dataclass(frozen=True, slots=True)
class Predict:
    """The child's rows with more columns, `outputs`; `inputs` are the child's columns for the
    model's placeholders, in their order. Rows and their order stay."""

    name: str
    child: "Node"
    model: ModelRecord
    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]

    @property
    def in_order(self) -> bool:
        """Whether the rows are one conversation: each is asked for itself, after those before it,
        however often it says the same."""
        return str(self.model.options.get("mode", "")).lower().startswith("conversational")

    def __str__(self) -> str:
        made = ", ".join(output.name for output in self.outputs)
        version = f".{self.model.version}" if self.model.version > 1 else ""
        call = f"{self.model.full_name}{version}({', '.join(self.inputs)})"
        return f"Predict {self.name}: {made} = {call}"


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left to do over predicted rows. At the root, where it is the answer, `name` is ''."""

    name: str
    child: "Node"
    sql: exp.Select
    inputs: tuple["Node", ...] = ()

    @property
    def streams(self) -> bool:
        """Whether the rows of the answer can go out as predictions land."""
        return not self.name and all(is_row_local(node.sql) for node in (self, *between(self)))

    def __str__(self) -> str:
        head = f"Residual {self.name}:" if self.name else "Residual"
        return f"{head}{' streams:' if self.streams else ''} {_text(self.sql)}"


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that changes tables, over relations that were planned below it."""

    tree: exp.Expr
    inputs: tuple["Node", ...] = ()

    def __str__(self) -> str:
        return f"Write {_text(self.tree)}"


Node: TypeAlias = Snapshot | Passthrough | Remote | Scan | Predict | Residual | Write


def between(root: Residual) -> list[Residual]:
    """The Residuals between the models below `root`."""
    return [node for node in chain(root) if isinstance(node, Residual)]


def chain(root: Residual) -> list["Predict | Residual"]:
    """The nodes from the Scan, itself left out, up to below `root`, in the order of their work."""
    node: Node = root.child
    found: list[Predict | Residual] = []
    while isinstance(node, Predict | Residual):
        found.append(node)
        node = node.child
    return found[::-1]


def roots(node: Node) -> list[Residual]:
    """All SELECTs over models in a plan: those inside others first."""
    inner = chain(node)[0].child if isinstance(node, Residual) and chain(node) else None
    below = children(inner) if inner is not None else children(node)
    found = [root for child in below for root in roots(child)]
    return [*found, node] if isinstance(node, Residual) else found


def predicts(node: Node) -> list[Predict]:
    """All Predicts of a plan, each after those that it reads."""
    found = [predict for child in children(node) for predict in predicts(child)]
    return [*found, node] if isinstance(node, Predict) else found


def children(node: Node) -> tuple[Node, ...]:
    """What a node reads, in the order in which it is made."""
    match node:
        case Snapshot() | Remote():
            return ()
        case Predict(child=child):
            return (child,)
        case Residual(child=child, inputs=inputs):
            return (child, *inputs)
        case Passthrough(inputs=inputs) | Scan(inputs=inputs) | Write(inputs=inputs):
            return inputs


def explain(node: Node, notes: Mapping[str, object] | None = None) -> list[str]:
    """The plan as indented lines, the root first; `notes` stand below the nodes that they name."""
    lines = [str(node)]
    if isinstance(node, Predict) and notes and node.name in notes:
        lines.append(f"    {notes[node.name]}")
    for child in children(node):
        lines += ["  " + line for line in explain(child, notes)]
    return lines


def _text(tree: exp.Expr) -> str:
    return tree.sql(dialect="duckdb", comments=False)
