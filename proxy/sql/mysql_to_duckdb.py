"""MySQL's SQL as DuckDB's: tree to tree, then text. SQL is never edited as text.

What sqlglot's dialects already translate is left to them; here is the rest.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from catalog.errors import FunctionUnknown
from proxy.errors import Unsupported
from proxy.sql.functions import refuse_unlisted

_DROPPED_PROPERTIES = (
    exp.EngineProperty,
    exp.CharacterSetProperty,
    exp.CollateProperty,
    exp.SchemaCommentProperty,
    exp.AutoIncrementProperty,
    exp.RowFormatProperty,
)
_DROPPED_CONSTRAINTS = (
    exp.OnUpdateColumnConstraint,
    exp.CommentColumnConstraint,
    exp.CharacterSetColumnConstraint,
    exp.CollateColumnConstraint,
)


_LONGEST_TEXT = 64 * 1024 * 1024
_FEW = 65_536
_MOST_VALUES = 1_048_576
_MOST_DIGITS = 30
WITHOUT_PARENTHESES = frozenset(
    {"current_catalog", "current_role", "current_schema", "current_user", "session_user", "user"}
)
_WIDTHLESS = frozenset(
    {
        *exp.DataType.INTEGER_TYPES,
        exp.DType.FLOAT,
        exp.DType.DOUBLE,
        exp.DType.BINARY,
        exp.DType.VARBINARY,
        exp.DType.YEAR,
        exp.DType.SET,
    }
)
_OF_VECTORS = frozenset(
    {
        *("cosine_similarity", "cosine_distance", "distance"),
        *("inner_product", "negative_inner_product", "dot_product", "negative_dot_product"),
    }
)
_OTHER_TYPES = {exp.DType.YEAR: exp.DType.SMALLINT, exp.DType.SET: exp.DType.TEXT}


def to_duckdb(tree: exp.Expr) -> str:
    """DuckDB's text of a bound MySQL tree. Raises Unsupported for what it cannot say, and
    FunctionUnknown for a call of what is not listed."""
    for node in reversed(list(tree.walk())):  # the inner ones first: the outer ones copy them
        rewrite = _REWRITES.get(type(node))
        if rewrite is not None:
            rewrite(node)
    text = tree.sql(dialect="duckdb", comments=False)
    refuse_unlisted(text)
    return text


def _create(node: exp.Create) -> None:
    """Storage clauses say nothing to DuckDB."""
    properties = node.args.get("properties")
    if properties is not None:
        kept = [p for p in properties.expressions if not isinstance(p, _DROPPED_PROPERTIES)]
        node.set("properties", exp.Properties(expressions=kept) if kept else None)


def _column(node: exp.ColumnDef) -> None:
    constraints = node.args.get("constraints") or []
    kinds = [type(c.args.get("kind")) for c in constraints]
    if exp.AutoIncrementColumnConstraint in kinds:
        raise Unsupported(f"AUTO_INCREMENT (column '{node.name}') is not supported yet")
    node.set(
        "constraints",
        [c for c in constraints if not isinstance(c.args.get("kind"), _DROPPED_CONSTRAINTS)],
    )


def _schema(node: exp.Schema) -> None:
    """A plain KEY is a hint to MySQL's planner; DuckDB needs none."""
    kept = [e for e in node.expressions if not isinstance(e, exp.IndexColumnConstraint)]
    node.set("expressions", kept)


def _select(node: exp.Select) -> None:
    """SQL_NO_CACHE, HIGH_PRIORITY and optimizer hints ask for nothing that DuckDB has."""
    node.set("operation_modifiers", None)
    node.set("hint", None)
    node.set("locks", None)


def _type(node: exp.DataType) -> None:
    """Display widths say nothing, and YEAR and SET are not DuckDB's."""
    if node.this in _WIDTHLESS:
        node.set("expressions", [])
    node.set("this", _OTHER_TYPES.get(node.this, node.this))


def _boolean(node: exp.Boolean) -> None:
    """TRUE and FALSE are 1 and 0 to MySQL."""
    node.replace(exp.Literal.number(int(bool(node.this))))


def _join(node: exp.Join) -> None:
    """STRAIGHT_JOIN is an inner join that tells the optimizer its order."""
    if node.args.get("kind") == "STRAIGHT_JOIN":
        node.set("kind", None)


def _unique(node: exp.UniqueColumnConstraint) -> None:
    """A key's name is of no use here."""
    if isinstance(node.this, exp.Schema):
        node.this.set("this", None)


def _introducer(node: exp.Introducer) -> None:
    """_utf8mb4'…': every text is utf8mb4."""
    node.replace(node.expression)


def _collate(node: exp.Collate) -> None:
    """DuckDB compares bytes, which is what most who write COLLATE want."""
    node.replace(node.this)


def _repeat(node: exp.Repeat) -> None:
    """As in MySQL, a text beyond max_allowed_packet is NULL: no REPEAT takes all memory."""
    if _is_small(node.args["times"]):
        return
    size = exp.Mul(
        this=exp.Length(this=exp.Paren(this=node.this.copy())),
        expression=exp.cast(exp.Paren(this=node.args["times"].copy()), exp.DType.BIGINT),
    )
    _bound(node, size)


def _pad(node: exp.Pad) -> None:
    if not _is_small(node.expression):
        _bound(node, exp.Paren(this=node.expression.copy()))


def _space(node: exp.Space) -> None:
    if not _is_small(node.this):
        _bound(node, exp.Paren(this=node.this.copy()))


def _is_small(count: exp.Expr) -> bool:
    return isinstance(count, exp.Literal) and count.is_int and int(count.name) <= _FEW


def _bound(node: exp.Expr, size: exp.Expr) -> None:
    fits = exp.LTE(this=size, expression=exp.Literal.number(_LONGEST_TEXT))
    node.replace(exp.Paren(this=exp.case().when(fits, node.copy())))


def _update(node: exp.Update) -> None:
    """SET takes columns of the one table only, so DuckDB wants them bare."""
    _one_table(node, node.this.args.get("joins"))
    for assignment in node.expressions:
        if isinstance(assignment, exp.EQ) and isinstance(assignment.this, exp.Column):
            assignment.this.set("table", None)


def _delete(node: exp.Delete) -> None:
    _one_table(node, node.args.get("tables"))


def _one_table(node: exp.Expr, others: object) -> None:
    if others:
        raise Unsupported(f"{node.key.upper()} of several tables at once is not supported")
    if node.args.get("limit") or node.args.get("order"):
        raise Unsupported(f"{node.key.upper()} with ORDER BY or LIMIT is not supported yet")


def _drop(node: exp.Drop) -> None:
    if len(node.args.get("tables") or ()) > 1:
        raise Unsupported(f"DROP of several {node.args['kind']}S at once is not supported yet")


def _insert(node: exp.Insert) -> None:
    if node.args.get("ignore"):
        node.set("ignore", None)
        node.set("alternative", "IGNORE")
    if node.args.get("conflict"):
        raise Unsupported("ON DUPLICATE KEY UPDATE is not supported yet")


def _literal(node: exp.Literal) -> None:
    """DuckDB's parser takes NUL for the end of its text."""
    if node.is_string and "\0" in node.name:
        parts = [exp.Literal.string(part) for part in node.name.split("\0")]
        nul = exp.Anonymous(this="chr", expressions=[exp.Literal.number(0)])
        joined: exp.Expr = parts[0]
        for part in parts[1:]:
            joined = exp.DPipe(this=exp.DPipe(this=joined, expression=nul.copy()), expression=part)
        node.replace(exp.Paren(this=joined))


def _anonymous(node: exp.Anonymous) -> None:
    """DuckDB has functions of vectors twice: for lists, and as array_… for arrays of a fixed size,
    which no column here is. A vector may also be written as JSON, in a text or a column."""
    if node.name.lower() == "range":
        _bound_values(node, node.expressions)
    name = node.name.lower().removeprefix("array_").removeprefix("list_")
    if name in _OF_VECTORS and len(node.expressions) == 2:
        node.set("this", f"list_{name}")
        node.set("expressions", [_vector(argument) for argument in node.expressions])


def _series(node: exp.GenerateSeries) -> None:
    bounds = [node.args.get(name) for name in ("start", "end", "step")]
    _bound_values(node, [bound for bound in bounds if bound is not None])


def _bound_values(node: exp.Expr, bounds: list[exp.Expr]) -> None:
    """DuckDB makes the values of a constant beside its memory_limit, at 110 bytes each."""
    numbers = [int(bound.to_py()) for bound in bounds if bound.is_int]
    reach = max(numbers, default=0) - min(numbers, default=0)
    if len(numbers) < len(bounds) or max(reach, *map(abs, numbers), 0) > _MOST_VALUES:
        name = node.name or "generate_series"
        raise Unsupported(
            f"{name.upper()} takes numbers, and makes {_MOST_VALUES:,} values at most"
        )


def _number_to_str(node: exp.NumberToStr) -> None:
    """As in MySQL, FORMAT(x, d) has 30 decimals at most."""
    digits = node.args.get("format")
    if isinstance(digits, exp.Literal) and digits.is_int and int(digits.name) > _MOST_DIGITS:
        digits.replace(exp.Literal.number(_MOST_DIGITS))


def _identifier(node: exp.Identifier) -> None:
    """What DuckDB takes for a call if it is not quoted is a name to MySQL."""
    if node.name.lower() in WITHOUT_PARENTHESES:
        node.set("quoted", True)


def _unknown(node: exp.Func) -> None:
    """What DuckDB calls without parentheses, and the session has no value for."""
    raise FunctionUnknown(f"FUNCTION {node.sql_name().lower()} does not exist")


def _distance(node: exp.CosineDistance | exp.EuclideanDistance) -> None:
    node.set("this", _vector(node.this))
    node.set("expression", _vector(node.expression))


def _vector(value: exp.Expr) -> exp.Expr:
    return exp.cast(value, exp.DataType.build("DOUBLE[]", dialect="duckdb"))


_REWRITES: dict[type[exp.Expr], Callable[[Any], None]] = {
    exp.Literal: _literal,
    exp.Create: _create,
    exp.ColumnDef: _column,
    exp.Schema: _schema,
    exp.Select: _select,
    exp.DataType: _type,
    exp.Join: _join,
    exp.Update: _update,
    exp.Insert: _insert,
    exp.Delete: _delete,
    exp.Drop: _drop,
    exp.UniqueColumnConstraint: _unique,
    exp.Introducer: _introducer,
    exp.Collate: _collate,
    exp.Boolean: _boolean,
    exp.Repeat: _repeat,
    exp.Pad: _pad,
    exp.Space: _space,
    exp.Anonymous: _anonymous,
    exp.GenerateSeries: _series,
    exp.NumberToStr: _number_to_str,
    exp.Identifier: _identifier,
    exp.CurrentCatalog: _unknown,
    exp.SessionUser: _unknown,
    exp.CosineDistance: _distance,
    exp.EuclideanDistance: _distance,
}
