"""Statements, and the data that the parser makes of them."""

from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from sqlglot import exp

from proxy.sql.parser import parse
from proxy.sql.statements import PredictionOptions
from tests.fixtures import cases
from tests.fixtures.house import fault


def shown(value: object) -> str:
    """A statement as text: a line for each of its fields, SQL in MySQL's dialect. Options that
    nobody wrote are left out."""
    if isinstance(value, exp.Expr):
        return value.sql("mysql")
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        return "".join("\n- " + shown(item).replace("\n", "\n  ") for item in value)
    if is_dataclass(value):
        given = {f.name: getattr(value, f.name) for f in fields(value)}
        written = {n: v for n, v in given.items() if v != PredictionOptions()}
        lines = (f"  {name}: {shown(field)}" for name, field in written.items())
        return "\n".join([type(value).__name__, *(line.replace("\n", "\n  ") for line in lines)])
    return repr(value)


def parsed(sql: str) -> str:
    try:
        return shown(parse(sql))
    except Exception as error:
        return fault(error)


@cases.every("parse")
def test_statement_is_read_as(case: cases.Case, accept: bool) -> None:
    seen = parsed(case.sql)
    assert seen.splitlines() == cases.expected(case, seen, accept)


@pytest.mark.parametrize("path", cases.files("parse"), ids=lambda path: path.stem)
def test_file_is_written_as_accept_would_write_it(path: Path) -> None:
    assert cases.written(cases.read(path)) == path.read_text(encoding="utf-8")
