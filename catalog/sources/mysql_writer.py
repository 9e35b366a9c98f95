"""MySQL's statements that write rows: https://dev.mysql.com/doc/refman/8.0/en/json-table-functions.html"""

from collections.abc import Sequence

from catalog.database import Field
from catalog.sources.writing import OnDuplicate, Target, Writer

_STAGE = "`__mw_page`"
_TYPES = {
    "BOOLEAN": "TINYINT(1)",
    "TINYINT": "TINYINT",
    "UTINYINT": "TINYINT UNSIGNED",
    "SMALLINT": "SMALLINT",
    "USMALLINT": "SMALLINT UNSIGNED",
    "INTEGER": "INT",
    "UINTEGER": "INT UNSIGNED",
    "BIGINT": "BIGINT",
    "UBIGINT": "BIGINT UNSIGNED",
    "HUGEINT": "DECIMAL(39,0)",
    "UHUGEINT": "DECIMAL(39,0)",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "DATE": "DATE",
    "TIME": "TIME(6)",
    "TIMESTAMP": "DATETIME(6)",
    "TIMESTAMP_S": "DATETIME",
    "TIMESTAMP_MS": "DATETIME(3)",
    "TIMESTAMP_NS": "DATETIME(6)",
    "TIMESTAMP WITH TIME ZONE": "DATETIME(6)",
    "UUID": "CHAR(36)",
    "BLOB": "LONGBLOB",
    "JSON": "JSON",
}
_BINARY = ("binary", "varbinary", "blob", "tinyblob", "mediumblob", "longblob", "bit")


class MySQLWriter(Writer):
    """The server counts by ROW_COUNT(), kept at once in a variable of the connection."""

    counted = "SELECT @modelwire_rows AS n"
    table_options = " CHARACTER SET utf8mb4"
    commits_definitions = True

    def type_of(self, field: Field) -> str:
        """Text where MySQL has nothing of the kind."""
        if field.type.startswith("DECIMAL"):
            return field.type
        if field.type.endswith("]") or field.type.startswith(("STRUCT(", "MAP(", "UNION(")):
            return "JSON"
        if field.type.startswith("ENUM("):
            return "VARCHAR(255)"
        return _TYPES.get(field.type, "LONGTEXT")

    def is_binary(self, type_: str) -> bool:
        """Types whose values are bytes."""
        return type_.lower().split("(")[0].strip() in _BINARY

    def count(self, change: str) -> list[str]:
        """And then the count."""
        return [change, _COUNT]

    def insert(
        self, table: str, columns: Sequence[Target], rows: str, on_duplicate: OnDuplicate
    ) -> list[str]:
        """In the order of the rows."""
        ignore = "IGNORE " if on_duplicate is OnDuplicate.IGNORE else ""
        names = ", ".join(_name(column.name) for column in columns)
        return [f"INSERT {ignore}INTO {table} ({names}) {_page(columns, rows)}", _COUNT]

    def update(
        self, table: str, columns: Sequence[Target], keys: Sequence[Target], rows: str
    ) -> list[str]:
        """By a join with a temporary table, for its columns have the types and collations of the
        table's own, whose index is used then."""
        made = ", ".join(f"t.{_name(c.name)} = s.{_name(f'v{n}')}" for n, c in enumerate(columns))
        change = f"UPDATE {table} AS t JOIN {_STAGE} AS s ON {_same(keys)} SET {made}"
        return self._staged(table, columns, keys, rows, change)

    def delete(self, table: str, keys: Sequence[Target], rows: str) -> list[str]:
        """As `update`."""
        change = f"DELETE t FROM {table} AS t JOIN {_STAGE} AS s ON {_same(keys)}"
        return self._staged(table, (), keys, rows, change)

    def delete_from(self, table: str, alias: str) -> str:
        """In the form of several tables: MariaDB has no alias in the other."""
        return f"DELETE {alias} FROM {table} AS {alias}"

    def assigned(self, value: str, type_: str) -> str:
        """As it is: the server converts it, and says what it cannot."""
        return value

    def rename(self, schema: str, old: str, new: str, away: str | None) -> list[str]:
        """One RENAME is atomic."""
        inside = _name(schema)
        first = f"{inside}.{_name(new)} TO {inside}.{_name(away)}, " if away else ""
        return [f"RENAME TABLE {first}{inside}.{_name(old)} TO {inside}.{_name(new)}"]

    def _staged(
        self,
        table: str,
        columns: Sequence[Target],
        keys: Sequence[Target],
        rows: str,
        change: str,
    ) -> list[str]:
        items = [f"{_name(c.name)} AS `v{n}`" for n, c in enumerate(columns)]
        items += [f"{_name(key.name)} AS `k{n}`" for n, key in enumerate(keys)]
        return [
            f"DROP TEMPORARY TABLE IF EXISTS {_STAGE}",
            f"CREATE TEMPORARY TABLE {_STAGE} AS SELECT {', '.join(items)} FROM {table} LIMIT 0",
            f"INSERT INTO {_STAGE} {_page((*columns, *keys), rows)}",
            change,
            _COUNT,
            f"DROP TEMPORARY TABLE {_STAGE}",
        ]


_COUNT = "SET @modelwire_rows = ROW_COUNT()"


def _page(columns: Sequence[Target], rows: str) -> str:
    """The rows of a page. Its text is in hexadecimal: no sql_mode reads an escape into it."""
    items = ", ".join(f"UNHEX(r.c{n})" if c.binary else f"r.c{n}" for n, c in enumerate(columns))
    paths = ", ".join(f"c{n} LONGTEXT PATH '$[{n}]'" for n in range(len(columns)))
    text = f"CONVERT(0x{rows.encode().hex()} USING utf8mb4)"
    return f"SELECT {items} FROM JSON_TABLE({text}, '$[*]' COLUMNS({paths})) AS r"


def _same(keys: Sequence[Target]) -> str:
    return " AND ".join(f"t.{_name(key.name)} = s.`k{n}`" for n, key in enumerate(keys))


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
