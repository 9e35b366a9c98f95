"""Columns of a source's answer in the types that DuckDB would give them.

It casts where nothing can be lost, and refuses where something has been lost already.
"""

from sqlglot import exp

from catalog.database import Field
from proxy.plan.remote.families import Family, family
from proxy.plan.remote.scope import Unlike

_EXACT = frozenset({Family.INTEGER, Family.DECIMAL})


def brought(column: Field, type_: str, name: str, *, own_types: bool) -> exp.Expr:
    """A column of an answer as the item `name` of a SELECT; DuckDB would give it that type, or ''
    where nobody knows. A source with types of its own keeps them. Raises Unlike where the source's
    type is not the same, and may have lost something."""
    value: exp.Expr = exp.column(exp.to_identifier(column.name, quoted=True))
    if family(column.type) == Family.BLOB and family(type_) == Family.TEXT:
        # DuckDB's scanner takes a text for bytes whose collation compares bytes
        return exp.alias_(exp.Anonymous(this="decode", expressions=[value]), name, quoted=True)
    if type_ and column.type != type_:
        _refuse_loss(column.type, type_)
        if not own_types:
            if not {family(column.type), family(type_)} <= _EXACT:
                raise Unlike
            value = exp.cast(value, exp.DataType.build(type_, dialect="duckdb"))
            return exp.alias_(value, name, quoted=True)
    return value if column.name == name else exp.alias_(value, name, quoted=True)


def _refuse_loss(found: str, wanted: str) -> None:
    if family(wanted) in _EXACT and family(found) not in {*_EXACT, Family.BOOLEAN}:
        raise Unlike
    if family(wanted) == Family.TEXT != family(found):
        raise Unlike
