"""Random queries over one table of all types, for both dialects: what they say is MySQL's."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

TEXTS = ("", "a", "A", "b", "ä", "z", "Z", "a b", " a ", "a%b", "a_b", "a\\b", "it's", "😀", "ab")
COLUMNS = {
    "integer": ("id", "small", "big", "n"),
    "decimal": ("price", "wide"),
    "double": ("share",),
    "text": ("name", "body"),
    "date": ("d",),
    "moment": ("at",),
    "boolean": ("ok",),
}
POSTGRES = """
CREATE TABLE every (id int PRIMARY KEY, small smallint, big bigint, n int, price numeric(10,2),
  wide numeric(30,5), share double precision, name varchar(20), body text, d date, at timestamp,
  ok boolean, t time, u uuid, f real, data bytea)
"""
MARIADB = """
CREATE TABLE every (id int PRIMARY KEY, small smallint, big bigint, n int, price decimal(10,2),
  wide decimal(30,5), share double, name varchar(20) COLLATE utf8mb4_nopad_bin,
  body varchar(100) COLLATE utf8mb4_nopad_bin, d date, at datetime(6), ok tinyint(1), t time,
  u char(36) COLLATE utf8mb4_nopad_bin, f float, data blob) CHARSET utf8mb4
"""


def rows(seed: int, count: int = 120) -> list[tuple[object, ...]]:
    """The table's rows."""
    dice = random.Random(seed)

    def maybe(make: Callable[[], object]) -> object:
        return None if dice.random() < 0.15 else make()

    return [
        (
            number,
            maybe(lambda: dice.randint(-50, 50)),
            maybe(lambda: dice.choice((dice.randint(-9, 9), dice.randint(-(10**12), 10**12)))),
            maybe(lambda: dice.randint(-5, 5)),
            maybe(lambda: f"{dice.randint(-99999, 99999) / 100:.2f}"),
            maybe(lambda: f"{dice.randint(-(10**9), 10**9)}.{dice.randint(0, 99999):05}"),
            maybe(lambda: dice.randint(-4000, 4000) / 8),
            maybe(lambda: dice.choice(TEXTS)),
            maybe(lambda: dice.choice(TEXTS) + dice.choice(TEXTS)),
            maybe(
                lambda: f"20{dice.randint(10, 24)}-{dice.randint(1, 12):02}-{dice.randint(1, 28)}"
            ),
            maybe(lambda: f"2024-02-{dice.randint(27, 29)} {dice.randint(0, 23):02}:30:00.25"),
            maybe(lambda: dice.random() < 0.5),
            maybe(lambda: f"{dice.randint(0, 23):02}:15:00"),
            maybe(lambda: f"0000000{dice.randint(0, 9)}-0000-4000-8000-000000000000"),
            maybe(lambda: dice.randint(-100, 100) / 4),
            maybe(lambda: b"\x00\xff"),
        )
        for number in range(count)
    ]


class Maker:
    """Queries of one seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def query(self) -> str:
        """A SELECT whose answer is the same each time."""
        shape = self._pick((self._plain, self._plain, self._grouped, self._ranked, self._joined))
        return shape()

    def _plain(self) -> str:
        items = self._some(lambda: self.value(2), 3)
        distinct = self._pick(("", "", "DISTINCT "))
        tail = "" if distinct else f" ORDER BY {self._keys()}{self._limit()}"
        return f"SELECT {distinct}{', '.join(items)} FROM {{every}} t{self._where()}{tail}"

    def _grouped(self) -> str:
        keys = self._some(lambda: self.value(1), 2)
        aggregates = self._some(self._aggregate, 3)
        having = self._pick(("", "", f" HAVING {self._aggregate()} IS NOT NULL"))
        items = ", ".join([*keys, *aggregates])
        group = ", ".join(keys)
        return f"SELECT {items} FROM {{every}} t{self._where()} GROUP BY {group}{having}"

    def _ranked(self) -> str:
        call = self._pick(("ROW_NUMBER()", "RANK()", "COUNT(*)", "MAX(t.price)", "SUM(t.n)"))
        part = self._pick(("", f"PARTITION BY {self.column('text')} "))
        over = f"{part}ORDER BY {self._keys()}"
        return f"SELECT t.id, {call} OVER ({over}) AS w FROM {{every}} t{self._where()}"

    def _joined(self) -> str:
        side = self._pick(("JOIN", "LEFT JOIN", "RIGHT JOIN"))
        on = f"t.n = s.n AND {self.condition(1)}"
        items = f"t.id, s.id AS other, {self.value(1)} AS v"
        return (
            f"SELECT {items} FROM {{every}} t {side} {{every}} s ON {on}"
            f"{self._where()} ORDER BY t.id, s.id{self._limit()}"
        )

    def _where(self) -> str:
        return self._pick(("", f" WHERE {self.condition(2)}"))

    def _keys(self) -> str:
        order = self._pick(("", " DESC"))
        return f"{self.value(1)}{order}, t.id"

    def _limit(self) -> str:
        return self._pick(("", "", f" LIMIT {self._dice.randint(0, 9)}", " LIMIT 5 OFFSET 3"))

    def _aggregate(self) -> str:
        column = self.column(self._pick(("integer", "decimal", "text", "date", "moment")))
        number = self.column(self._pick(("integer", "decimal")))
        return self._pick(
            (
                "COUNT(*)",
                f"COUNT({column})",
                f"COUNT(DISTINCT {column})",
                f"MIN({column})",
                f"MAX({column})",
                f"SUM({number})",
                f"AVG({number})",
            )
        )

    def column(self, kind: str) -> str:
        """A column of that kind."""
        return "t." + self._pick(COLUMNS[kind])

    def value(self, depth: int) -> str:
        """An expression of any kind."""
        return self._of(self._pick(tuple(COLUMNS)), depth)

    def _of(self, kind: str, depth: int) -> str:
        if depth <= 0 or self._dice.random() < 0.4:
            return self._pick((self.column(kind), self.column(kind), self._literal(kind)))
        make = {
            "integer": self._integer,
            "decimal": self._decimal,
            "double": self._double,
            "text": self._text,
            "date": lambda d: self._pick((f"DATE({self._of('moment', 0)})", self.column("date"))),
            "moment": lambda d: self.column("moment"),
            "boolean": self.condition,
        }[kind]
        if self._dice.random() < 0.25:
            a, b = self.column(kind), self._of(kind, depth - 1)
            forms = (
                "COALESCE({a}, {b})",
                "IF({c}, {a}, {b})",
                "CASE WHEN {c} THEN {a} ELSE {b} END",
            )
            return self._pick(forms).format(a=a, b=b, c=self.condition(depth - 1))
        return make(depth - 1)

    def _integer(self, depth: int) -> str:
        a, b = self.column("integer"), self._of("integer", depth)
        forms = ("({a} + {b})", "({a} - 1)", "(t.n * 3)", "(t.small DIV t.n)", "(t.small % t.n)")
        more = ("CHAR_LENGTH({t})", "YEAR({d})", "MONTH({d})", "DAY({d})", "-{a}", "ABS(t.n)")
        last = ("DATEDIFF({d}, '2024-01-01')", "HOUR(t.at)", "LOCATE('b', {t})")
        return self._pick((*forms, *more, *last)).format(
            a=a, b=b, t=self._of("text", depth), d=self._of("date", 0)
        )

    def _decimal(self, depth: int) -> str:
        a = self.column("decimal")
        forms = ("({a} + {b})", "({a} - 1.25)", "(t.price * 2.5)", "ROUND(t.price, 1)", "ABS({a})")
        return self._pick(forms).format(a=a, b=self._of("integer", 0))

    def _double(self, _: int) -> str:
        forms = ("(t.share * 2)", "(t.share / t.n)", "(t.small / t.n)", "(t.price / 4)", "-t.share")
        return self._pick(forms)

    def _text(self, depth: int) -> str:
        a, b = self.column("text"), self._of("text", depth)
        forms = ("CONCAT({a}, {b})", "SUBSTRING({a}, 2)", "SUBSTRING({a}, 1, 2)", "LEFT({a}, 1)")
        more = ("RIGHT({a}, 1)", "REPLACE({a}, 'a', 'x')", "TRIM({a})", "CAST(t.n AS CHAR)")
        return self._pick((*forms, *more, "CAST(t.price AS CHAR)")).format(a=a, b=b)

    def condition(self, depth: int) -> str:
        """A condition."""
        if depth > 0 and self._dice.random() < 0.5:
            a, b = self.condition(depth - 1), self.condition(depth - 1)
            return self._pick((f"({a} AND {b})", f"({a} OR {b})", f"(NOT {a})"))
        kind = self._pick(tuple(COLUMNS))
        column, other = self.column(kind), self._of(kind, depth - 1)
        literal = self._literal(kind)
        forms = [f"{column} IS NULL", f"{column} IS NOT NULL", f"{column} = {literal}"]
        forms += [f"{column} <=> {literal}", f"{column} <> {other}", f"{column} IN ({literal})"]
        if kind != "boolean":
            forms += [f"{column} < {literal}", f"{column} >= {other}"]
            forms += [f"{column} BETWEEN {literal} AND {literal}"]
        if kind == "text":
            forms += [
                f"{column} LIKE '%a%'",
                f"{column} LIKE 'a_b'",
                f"{column} LIKE 'a|_%' ESCAPE '|'",
            ]
        if kind == "integer":
            forms += [column, f"{column} IN (1, 2, NULL)", f"{column} = '3'"]
        return f"({self._pick(forms)})"

    def _literal(self, kind: str) -> str:
        text = self._pick(TEXTS).replace("\\", "\\\\").replace("'", "''")
        return {
            "integer": str(self._dice.randint(0, 9)),
            "decimal": f"{self._dice.randint(0, 99)}.25",
            "double": f"{self._dice.randint(0, 99)}e0",
            "text": f"'{text}'",
            "date": "DATE '2024-02-28'",
            "moment": "CAST('2024-02-28 10:30:00' AS DATETIME)",
            "boolean": self._pick(("TRUE", "FALSE")),
        }[kind]

    def _pick(self, choices: Sequence[T]) -> T:
        return self._dice.choice(choices)

    def _some(self, make: Callable[[], str], most: int) -> list[str]:
        return [make() for _ in range(self._dice.randint(1, most))]
