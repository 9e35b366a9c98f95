"""How the rows of a Scan flow through Predicts and Residuals: who needs which column, and where it
stands in a row.

What is needed later is carried as text, in DuckDB's form, and what is computed of it is DuckDB's
to do. This module asks nobody and runs nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from catalog.database import Field
from proxy.execute.columns import is_mysql_text, text_of
from proxy.plan.nodes import Predict, Residual, Scan, chain
from proxy.plan.row_local import bound

CHILD = "__p"
"""The alias under which a Residual reads the rows below it."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A row-local SELECT over a row's columns `reads`, with their DuckDB types; `makes` are the
    names of its items. It reads from `relation`, as CHILD."""

    sql: exp.Select
    relation: str
    reads: tuple[Field, ...]
    makes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """`items` are what the Scan gives, over CHILD, by their names in a row; then each step adds
    columns of its own, or leaves the row out."""

    scan: Scan
    items: Mapping[str, exp.Expr]
    steps: tuple[Predict | Computed, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names in a row that has passed all steps."""
        return (*self.items, *(name for step in self.steps for name in _made_by(step)))


@dataclass(frozen=True, slots=True)
class Stream:
    """A flow whose rows are an answer. `answer` names its columns in a row, in their order."""

    flow: Flow
    answer: tuple[str, ...]
    offset: int
    limit: int | None


def scan_of(root: Residual) -> Scan:
    """The Scan at the bottom of the chain below a Residual."""
    steps = chain(root)
    node = steps[0].child if steps else root.child
    assert isinstance(node, Scan)
    return node


def flow_of(root: Residual, scanned: Iterable[Field]) -> Flow:
    """The flow up to below `root`; `scanned` are the Scan's columns."""
    types = _types(root, scanned)
    steps = tuple(_step(node, types) for node in chain(root))
    return Flow(scan_of(root), _carried(steps), steps)


def stream_of(root: Residual, scanned: Iterable[Field], answered: Sequence[Field]) -> Stream:
    """The flow to the answer of a root that streams; `answered` are the answer's columns."""
    types = _types(root, scanned)
    flow = flow_of(root, scanned)
    parts = _Parts({name for step in flow.steps for name in _made_by(step)})
    for item, shape in zip(root.sql.expressions, answered, strict=True):
        parts.place(item.unalias(), shape.type, types)
    steps = (*flow.steps, *_last(root, parts.above, types))
    limit = bound(root.sql, "limit")
    return Stream(
        Flow(flow.scan, {**_carried(steps), **parts.below}, steps),
        tuple(parts.answer),
        max(0, bound(root.sql, "offset") or 0),
        None if limit is None or limit < 0 else limit,
    )


@dataclass(slots=True)
class _Parts:
    """The items of an answer, sorted by where they are made; `made` are the names above the Scan.
    What no prediction is in, the Scan makes, and a prediction whose text is MySQL's already needs
    no making."""

    made: set[str]
    below: dict[str, exp.Expr] = field(default_factory=dict)
    above: dict[str, exp.Expr] = field(default_factory=dict)
    answer: list[str] = field(default_factory=list)

    def place(self, value: exp.Expr, type_: str, types: Mapping[str, str]) -> None:
        name = f"o{len(self.answer)}"
        if not self.made & _columns(value):
            self.below[name] = text_of(value, type_)
        elif isinstance(value, exp.Column) and _is_ready(types[value.name]):
            name = value.name
        else:
            self.above[name] = text_of(value, type_)
        self.answer.append(name)


def _is_ready(type_: str) -> bool:
    """Whether the text that an engine answers for such a target is MySQL's. One with a time of day
    may end in zeros that DuckDB does not write; an engine's DATE is always finite."""
    return type_ in ("TEXT", "DATE") or (is_mysql_text(type_) and type_ != "TIME")


def _last(
    root: Residual, items: Mapping[str, exp.Expr], types: Mapping[str, str]
) -> list[Computed]:
    """The SELECT over predictions that is left to the end, if there is any."""
    where = root.sql.args.get("where")
    if not items and where is None:
        return []
    named = [exp.alias_(item, name, quoted=True) for name, item in items.items()]
    sql = exp.select(*named).from_(root.sql.args["from_"].this.copy())
    sql.set("where", where and where.copy())
    return [_computed(sql, root, types)]


def _step(node: Predict | Residual, types: Mapping[str, str]) -> Predict | Computed:
    if isinstance(node, Predict):
        return node
    sql = node.sql.copy()
    sql.set("expressions", [item for item in sql.expressions if not item.is_star])
    return _computed(sql, node, types)


def _computed(sql: exp.Select, node: Residual, types: Mapping[str, str]) -> Computed:
    assert isinstance(node.child, Scan | Predict | Residual)
    reads = tuple(Field(name, types[name]) for name in sorted(_columns(sql)))
    return Computed(sql, node.child.name, reads, tuple(item.alias for item in sql.expressions))


def _types(root: Residual, scanned: Iterable[Field]) -> dict[str, str]:
    """DuckDB's type of every column of the chain, whoever makes it."""
    types = {column.name: column.type for column in scanned}
    for node in chain(root):
        if isinstance(node, Predict):
            types.update({output.name: output.type for output in node.outputs})
        else:
            types.update({item.alias: "TEXT" for item in node.sql.expressions if item.alias})
    return types


def _carried(steps: Sequence[Predict | Computed]) -> dict[str, exp.Expr]:
    """The Scan's columns that steps read, as text."""
    made = {name for step in steps for name in _made_by(step)}
    read = dict.fromkeys(name for step in steps for name in _read_by(step) if name not in made)
    return {name: exp.cast(_child(name), exp.DType.TEXT, copy=False) for name in read}


def _child(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier(CHILD))


def _columns(tree: exp.Expr) -> set[str]:
    return {
        column.name
        for column in tree.find_all(exp.Column)
        if column.table == CHILD and not isinstance(column.this, exp.Star)
    }


def _made_by(step: Predict | Computed) -> Iterable[str]:
    return (o.name for o in step.outputs) if isinstance(step, Predict) else step.makes


def _read_by(step: Predict | Computed) -> Iterable[str]:
    return step.inputs if isinstance(step, Predict) else (field.name for field in step.reads)
