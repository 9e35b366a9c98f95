"""The SQL over a portion of a file: its fields as values of the columns they are for, and which of
them are none.

DuckDB splits, casts and evaluates SET; nothing here runs anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from proxy.load.keys import quoted
from proxy.load.portion import Portion
from proxy.load.target import TargetColumn
from proxy.load.values import attempt, fallback, nothing

_LINES = (
    "SELECT __n, string_split(line, $2) AS fields FROM (SELECT unnest(lines) AS line, "
    "unnest(range(1, len(lines) + 1)) AS __n FROM (SELECT string_split($1, $3) AS lines))"
)
_BAD = "'a row of the file is wrong: number ' || __n"


@dataclass(frozen=True, slots=True)
class Given:
    """A field of the file: the column that it is for, or a variable, known to SET as `name`."""

    name: str
    column: TargetColumn | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """A column, and DuckDB's SQL of what SET says of it, over the names of the fields."""

    column: TargetColumn
    value: str


@dataclass(frozen=True, slots=True)
class RowQuery:
    """The values of a file's rows, which SET may call `table`. `lenient` is MySQL's IGNORE: what is
    no value becomes one.

    Its queries take `parameters` of a portion, and number its rows from 1."""

    table: str
    given: Sequence[Given]
    assigned: Sequence[Assigned]
    lenient: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns that the rows have values for, in the order of `rows`."""
        return [column.name for column in self.results]

    @property
    def results(self) -> list[TargetColumn]:
        """The columns that the rows have values for."""
        return [column for column, _ in self._results()]

    @property
    def binary(self) -> list[int]:
        """The places of fields whose bytes are wanted."""
        places = enumerate(self.given)
        return [at for at, f in places if f.column is not None and f.column.type == "BLOB"]

    def parameters(self, portion: Portion) -> list[str]:
        """What a query over a portion takes."""
        return [portion.text, portion.field, portion.line, portion.null]

    def rows(self) -> str:
        """The rows as values; an error where one is bad, unless `lenient`."""
        items = [self._kept(column, result) for column, result in self._results()]
        if not self.lenient:
            items[0] = f"CASE WHEN {self._bad()} THEN error({_BAD}) ELSE {items[0]} END"
        return f"SELECT {', '.join(items)} FROM ({self._tried()})"

    def faults(self) -> str:
        """Of each row that is wrong: its number, how many fields it has, the places among `columns`
        of those that are no values, counted from 0, and all fields of these as texts. The first
        row alone, unless `lenient`."""
        checks = enumerate(self._checks())
        places = ", ".join(f"CASE WHEN {check} THEN {at} END" for at, check in checks)
        texts = ", ".join(f"CAST({text} AS TEXT)" for text in self._texts())
        return (
            f"SELECT __n, __count, list_filter([{places}], x -> x IS NOT NULL), [{texts}] "
            f"FROM ({self._tried()}) WHERE {self._bad()} ORDER BY __n"
            + ("" if self.lenient else " LIMIT 1")
        )

    def _tried(self) -> str:
        """A row's number and count of fields, its fields as texts, what they are as values by the
        names that SET knows them by, then what SET says, and as a value."""
        texts = "".join(f", nullif(fields[{n + 1}], $4) AS {_text(n)}" for n in self._places())
        places = {f.name: n for n, f in enumerate(self.given)}  # the last of several counts
        values = "".join(f", {self._value(n)} AS {quoted(name)}" for name, n in places.items())
        split = f"SELECT __n, len(fields) AS __count{texts} FROM ({_LINES})"
        typed = f"SELECT *{values} FROM ({split})"
        if not self.assigned:
            return typed
        said = "".join(f", {a.value} AS {_said(n)}" for n, a in enumerate(self.assigned))
        cast = "".join(
            f", TRY_CAST({_said(n)} AS {a.column.type}) AS {_set(n)}"
            for n, a in enumerate(self.assigned)
        )
        return f"SELECT *{cast} FROM (SELECT *{said} FROM ({typed}) AS {quoted(self.table)})"

    def _value(self, place: int) -> str:
        column = self.given[place].column
        return _text(place) if column is None else attempt(_text(place), column.type)

    def _places(self) -> range:
        return range(len(self.given))

    def _results(self) -> list[tuple[TargetColumn, tuple[str, str]]]:
        """Each column that gets a value, with the names of its text, or of what SET says, and of
        its value; what SET says comes before what a field does."""
        said = [assigned.column for assigned in self.assigned]
        fields = [
            (f.column, (_text(n), quoted(f.name)))
            for n, f in enumerate(self.given)
            if f.column is not None and f.column not in said
        ]
        return fields + [(a.column, (_said(n), _set(n))) for n, a in enumerate(self.assigned)]

    def _texts(self) -> list[str]:
        return [text for _, (text, _) in self._results()]

    def _checks(self) -> list[str]:
        """Of each column, whether it gets no value."""
        return [
            f"{value} IS NULL" + (f" AND {text} IS NOT NULL" if column.nullable else "")
            for column, (text, value) in self._results()
        ]

    def _bad(self) -> str:
        checks = [f"__count <> {len(self.given)}", *(f"({check})" for check in self._checks())]
        return " OR ".join(checks)

    def _kept(self, column: TargetColumn, result: tuple[str, str]) -> str:
        """A column's value, or what stands for it."""
        text, value = result
        if not self.lenient:
            return value
        nearest = fallback(f"CAST({text} AS TEXT)", column.type)
        kept = f"coalesce({value}, CASE WHEN {text} IS NOT NULL THEN {nearest} END)"
        empty = None if column.nullable else nothing(column.type)
        kept = kept if empty is None else f"coalesce({kept}, {empty})"
        missing = " OR ".join(
            f"__count <= {n}" for n, f in enumerate(self.given) if f.column is column
        )
        default = f"coalesce({column.default}, {empty})" if empty else column.default
        return f"CASE WHEN {missing} THEN {default} ELSE {kept} END" if missing else kept


def _text(place: int) -> str:
    return f"__text{place}"


def _said(place: int) -> str:
    return f"__said{place}"


def _set(place: int) -> str:
    return f"__set{place}"
