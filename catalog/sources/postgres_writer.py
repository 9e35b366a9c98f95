"""PostgreSQL's statements that write rows."""

import re
from collections.abc import Sequence

from catalog.database import Field
from catalog.sources.kind import literal, quoted
from catalog.sources.writing import OnDuplicate, Target, Writer

_ROWS = "modelwire.rows"
"""The setting, of the transaction alone, in which a count is left."""
_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "UTINYINT": "smallint",
    "SMALLINT": "smallint",
    "USMALLINT": "integer",
    "INTEGER": "integer",
    "UINTEGER": "bigint",
    "BIGINT": "bigint",
    "UBIGINT": "numeric(20,0)",
    "HUGEINT": "numeric(39,0)",
    "UHUGEINT": "numeric(39,0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp(0)",
    "TIMESTAMP_MS": "timestamp(3)",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "INTERVAL": "interval",
    "UUID": "uuid",
    "BLOB": "bytea",
    "JSON": "jsonb",
}
_NESTED = re.compile(r".*\]|(?:STRUCT|MAP|UNION)\(.*", re.DOTALL)


class PostgresWriter(Writer):
    """A page is a CTE that changes rows, whose SELECT leaves their number behind."""

    counted = f"SELECT current_setting('{_ROWS}')::bigint AS n"

    def type_of(self, field: Field) -> str:
        """Text where PostgreSQL has nothing of the kind."""
        if field.type.startswith("DECIMAL"):
            return field.type.replace("DECIMAL", "numeric")
        return _TYPES.get(field.type, "jsonb" if _NESTED.fullmatch(field.type) else "text")

    def is_binary(self, type_: str) -> bool:
        """bytea alone."""
        return type_ == "bytea"

    def count(self, change: str) -> list[str]:
        """As a CTE."""
        return [_counted(change)]

    def insert(
        self, table: str, columns: Sequence[Target], rows: str, on_duplicate: OnDuplicate
    ) -> list[str]:
        """In the order of the rows."""
        names = ", ".join(quoted(column.name) for column in columns)
        values = ", ".join(_value(column, n) for n, column in enumerate(columns))
        ignore = " ON CONFLICT DO NOTHING" if on_duplicate is OnDuplicate.IGNORE else ""
        return [
            _counted(f"INSERT INTO {table} ({names}) SELECT {values} FROM {_array(rows)}{ignore}")
        ]

    def update(
        self, table: str, columns: Sequence[Target], keys: Sequence[Target], rows: str
    ) -> list[str]:
        """By a join with the page."""
        made = ", ".join(f"{quoted(c.name)} = r.c{n}" for n, c in enumerate(columns))
        names = [*columns, *keys]
        return [
            _counted(
                f"UPDATE {table} AS t SET {made} FROM {_page(names, rows)} "
                f"WHERE {_same(keys, len(columns))}"
            )
        ]

    def delete(self, table: str, keys: Sequence[Target], rows: str) -> list[str]:
        """By a join with the page."""
        return [
            _counted(f"DELETE FROM {table} AS t USING {_page(keys, rows)} WHERE {_same(keys, 0)}")
        ]

    def delete_from(self, table: str, alias: str) -> str:
        """Under its alias."""
        return f"DELETE FROM {table} AS {alias}"

    def assigned(self, value: str, type_: str) -> str:
        """Cast: an assignment alone does not make a number of a text."""
        return f"CAST({value} AS {type_})"

    def rename(self, schema: str, old: str, new: str, away: str | None) -> list[str]:
        """In the transaction that is open."""
        first = f"ALTER TABLE {quoted(schema)}.{quoted(new)} RENAME TO {quoted(away or '')}"
        then = f"ALTER TABLE {quoted(schema)}.{quoted(old)} RENAME TO {quoted(new)}"
        return [first, then] if away else [then]


def _counted(change: str) -> str:
    return (
        f"WITH changed AS ({change} RETURNING 1) "
        f"SELECT set_config('{_ROWS}', (SELECT count(*) FROM changed)::text, true)"
    )


def _array(rows: str) -> str:
    return f"json_array_elements({_text(rows)}) AS r"


def _text(text: str) -> str:
    """Whatever standard_conforming_strings is: there is no backslash escape in a text without E."""
    return literal(text) if "\\" not in text else "E" + literal(text.replace("\\", "\\\\"))


def _value(column: Target, at: int) -> str:
    text = f"r->>{at}"
    return f"decode({text}, 'hex')" if column.binary else f"({text})::{column.type}"


def _page(columns: Sequence[Target], rows: str) -> str:
    items = ", ".join(f"{_value(column, n)} AS c{n}" for n, column in enumerate(columns))
    return f"(SELECT {items} FROM {_array(rows)}) AS r"


def _same(keys: Sequence[Target], start: int) -> str:
    return " AND ".join(f"t.{quoted(key.name)} = r.c{n}" for n, key in enumerate(keys, start=start))
