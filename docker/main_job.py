"""The first questions that anyone asks: main_job.sql, run by a MySQL client library.

It starts no server; first_run.py does.
"""

import os
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

STATEMENTS = Path(__file__).with_name("main_job.sql")
EXPECTED = ("I love machine learning!", "positive")
PATIENCE_SECONDS = 60.0
WIDEST_COLUMN = 60


class JobError(Exception):
    """The proxy did not answer, refused a statement, or predicted something else than expected."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the proxy listens, and who asks."""

    host: str
    port: int
    user: str
    password: str


def run(address: Address, still_starting: Callable[[], bool] = lambda: True) -> None:
    """Run every statement and print it with its result and its seconds.

    `still_starting` is asked between attempts to connect; False ends them. Raises JobError.
    """
    with closing(_connect(address, still_starting)) as connection:
        rows = [row for statement in _statements() for row in _ask(connection, statement)]
    if EXPECTED not in rows:
        raise JobError(f"expected {EXPECTED[0]!r} to be {EXPECTED[1]!r}")


def _connect(address: Address, still_starting: Callable[[], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return pymysql.connect(
                host=address.host,
                port=address.port,
                user=address.user,
                password=address.password,
                charset="utf8mb4",
            )
        except pymysql.OperationalError as error:
            refused = error.args[0] != 2003  # 2003: nobody listens yet
            if refused or not still_starting() or time.monotonic() > deadline:
                raise JobError(f"cannot connect: {error.args[1]}") from error
        time.sleep(0.05)


def _statements() -> list[str]:
    """The statements of main_job.sql; none of them holds a semicolon inside."""
    texts = STATEMENTS.read_text(encoding="utf-8").split(";")
    return [text.strip() for text in texts if text.strip()]


def _ask(connection: Any, statement: str) -> Sequence[tuple[Any, ...]]:
    print(f"\n{statement};", flush=True)
    started = time.monotonic()
    with connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except pymysql.MySQLError as error:
            raise JobError(f"ERROR {error.args[0]}: {error.args[-1]}") from error
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        seconds = time.monotonic() - started
        if cursor.description is None:
            print(f"Query OK ({seconds:.2f} s)", flush=True)
        else:
            print(as_table([column[0] for column in cursor.description], rows))
            print(
                f"{len(rows)} {'row' if len(rows) == 1 else 'rows'} in set ({seconds:.2f} s)",
                flush=True,
            )
    return rows


def as_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Draw rows as the mysql client does, with long values cut and numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(_width(text) for text in column) for column in zip(names, *cells, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    numeric = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(names))]
    drawn = [
        "|"
        + "|".join(f" {_pad(*column)} " for column in zip(line, widths, numeric, strict=True))
        + "|"
        for line in cells
    ]
    head = (
        "|"
        + "|".join(f" {_pad(name, w, False)} " for name, w in zip(names, widths, strict=True))
        + "|"
    )
    return "\n".join([rule, head, rule, *drawn, rule] if drawn else [rule, head, rule])


def _cell(value: object) -> str:
    text = "NULL" if value is None else " ".join(str(value).split())
    return text if len(text) <= WIDEST_COLUMN else text[: WIDEST_COLUMN - 1] + "…"


def _width(text: str) -> int:
    """How many places a terminal gives `text`: wide characters such as emoji take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _pad(text: str, width: int, to_the_right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if to_the_right else text + space


def main() -> None:
    """Run the job against the proxy that MODELWIRE_HOST, _PORT, _USER and _PASSWORD name."""
    address = Address(
        host=os.environ.get("MODELWIRE_HOST", "127.0.0.1"),
        port=int(os.environ.get("MODELWIRE_PORT", "3307")),
        user=os.environ.get("MODELWIRE_USER", "modelwire"),
        password=os.environ.get("MODELWIRE_PASSWORD", ""),
    )
    try:
        run(address)
    except JobError as failure:
        sys.exit(f"The main job failed: {failure}")


if __name__ == "__main__":
    main()
