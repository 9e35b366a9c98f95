"""Rows of a source's own catalog as its tables: those that the queries of NativeKind have.

It asks nobody.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from catalog.database import Row
from catalog.records import SourceRecord
from catalog.sources.kind import IndexColumn, NativeKind, SourceColumn, SourceTable


def tables_of(kind: NativeKind, record: SourceRecord, rows: Sequence[Row]) -> list[SourceTable]:
    """The tables of the rows of `columns`, those of a table one after the other."""
    return [
        SourceTable(record, str(schema), str(name), tuple(column_of(kind, row) for row in columns))
        for (schema, name), columns in groupby(rows, key=itemgetter(0, 1))
    ]


def column_of(kind: NativeKind, row: Row) -> SourceColumn:
    """The column of a row of `columns`."""
    _, _, name, native, nullable, key, default, extra = row
    return SourceColumn(
        str(name),
        kind.value_type(str(native)),
        kind.mysql_type(str(native)),
        kind.read(kind.quoted(str(name)), str(native)),
        str(native),
        bool(nullable),
        str(key or ""),
        kind.default(default),
        str(extra or ""),
    )


def indexes_of(rows: Sequence[Row]) -> list[tuple[str, str, list[IndexColumn]]]:
    """The indexes of rows of `indexes`, those of a table one after the other, behind its schema and
    name."""
    return [
        (str(schema), str(name), [index_of(row) for row in columns])
        for (schema, name), columns in groupby(rows, key=itemgetter(0, 1))
    ]


def index_of(row: Row) -> IndexColumn:
    """The column of an index of a row of `indexes`."""
    _, table, name, repeats, position, column, nullable, type_ = row
    return IndexColumn(
        str(table), not repeats, str(name), int(position), str(column), bool(nullable), str(type_)
    )
