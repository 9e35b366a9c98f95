import json
from typing import Any

import duckdb
import pytest

from engines.chat.canonical import Unfit, canonical, said
from engines.task import Target, Value
from engines.types import parse_type
from proxy.plan.types import duckdb_type

FITS: list[tuple[str, Value, str]] = [
    ("tinyint", 5, "5"),
    ("tinyint", -128, "-128"),
    ("tinyint", "4", "4"),
    ("tinyint", 4.0, "4"),
    ("tinyint", " 4.0 ", "4"),
    ("tinyint unsigned", 255, "255"),
    ("smallint", 32767, "32767"),
    ("mediumint", 8388607, "8388607"),
    ("int unsigned", 4294967295, "4294967295"),
    ("bigint", 9223372036854775807, "9223372036854775807"),
    ("bigint unsigned", 18446744073709551615, "18446744073709551615"),
    ("bigint", 1e3, "1000"),
    ("decimal(6,2)", 12.5, "12.50"),
    ("decimal(6,2)", "0.005", "0.00"),
    ("decimal(6,2)", "-0.001", "0.00"),
    ("decimal(6,2)", 9999.99, "9999.99"),
    ("decimal(4,0)", 7.5, "8"),
    ("decimal(38,10)", "1234567.5", "1234567.5000000000"),
    ("double", 1, "1.0"),
    ("double", "1e300", "1e+300"),
    ("double", "-.5", "-0.5"),
    ("float", 0.1, "0.1"),
    ("boolean", True, "true"),
    ("boolean", "No", "false"),
    ("boolean", 1, "true"),
    ("date", "2024-12-31", "2024-12-31"),
    ("date", "2024/12/31", "2024-12-31"),
    ("date", "20241231", "2024-12-31"),
    ("date", "2024-12-31T23:30:00-05:00", "2024-12-31"),
    ("datetime", "2024-12-31 23:59:59", "2024-12-31 23:59:59"),
    ("datetime", "2024-12-31T23:59:59.25", "2024-12-31 23:59:59.250000"),
    ("datetime", "2024-12-31T23:30:00-05:00", "2025-01-01 04:30:00"),
    ("datetime", "2024-12-31T23:59:59Z", "2024-12-31 23:59:59"),
    ("datetime", "2024-12-31", "2024-12-31 00:00:00"),
    ("time", "23:59:59", "23:59:59"),
    ("time", "09:05", "09:05:00"),
    ("time", "T14:30:00.5", "14:30:00.500000"),
    ("json", {"a": [1, None, "ü"]}, '{"a":[1,null,"ü"]}'),
    ("json", "x", '"x"'),
    ("json", [], "[]"),
    ("varchar(3)", "abc", "abc"),
    ("varchar(3)", 12, "12"),
    ("text", ["a"], '["a"]'),
    ("enum('yes','No')", "no.", "No"),
    ("enum('1','2')", 2, "2"),
]

UNFIT: list[tuple[str, Any, str]] = [
    ("tinyint", 128, "a whole number from -128 to 127"),
    ("tinyint", "5 stars", "a whole number from -128 to 127"),
    ("tinyint", 4.5, "a whole number from -128 to 127"),
    ("tinyint", True, "a whole number from -128 to 127"),
    ("tinyint", "1,000", "a whole number"),
    ("tinyint", "١", "a whole number"),
    ("tinyint", [], "a whole number"),
    ("int unsigned", -1, "a whole number from 0 to 4294967295"),
    ("bigint", 9223372036854775808, "a whole number"),
    ("bigint", "1e999999999999999999999", "a whole number"),
    ("bigint", "1e9999", "a whole number"),
    ("decimal(6,2)", 10000, "a number that fits decimal(6,2)"),
    ("decimal(6,2)", "9999.995", "a number that fits decimal(6,2)"),
    ("decimal(6,2)", "NaN", "a number that fits decimal(6,2)"),
    ("decimal(6,2)", "12 EUR", "a number that fits decimal(6,2)"),
    ("double", "1e309", "a number"),
    ("double", "inf", "a number"),
    ("double", False, "a number"),
    ("float", 1e39, "a number"),
    ("boolean", "maybe", "true or false"),
    ("boolean", 2, "true or false"),
    ("date", "31.12.2024", "a date like 2024-12-31"),
    ("date", "2024-02-30", "a date like 2024-12-31"),
    ("date", 20241231, "a date like 2024-12-31"),
    ("datetime", "tomorrow", "a date and time like"),
    ("datetime", "0001-01-01T00:00:00+05:00", "a date and time like"),
    ("time", "25:00", "a time of day like"),
    ("varchar(3)", "abcd", "at most 3 characters"),
    ("enum('a','b')", "c", 'one of "a", "b"'),
    ("enum('a','b')", ["a"], 'one of "a", "b"'),
    ("json", float("inf"), "a JSON value"),
]


def target(kind: str) -> Target:
    parsed = parse_type(kind)
    return Target("t", parsed.labels, parsed)


@pytest.mark.parametrize(("kind", "value", "text"), FITS)
def test_value_has_one_text(kind: str, value: Value, text: str) -> None:
    assert canonical(target(kind), value) == text


@pytest.mark.parametrize(("kind", "value", "expected"), UNFIT)
def test_value_that_does_not_fit_says_what_would(kind: str, value: Any, expected: str) -> None:
    with pytest.raises(Unfit) as caught:
        canonical(target(kind), value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(("kind", "value", "text"), FITS)
def test_duckdb_takes_every_text(kind: str, value: Value, text: str) -> None:
    name = duckdb_type(str(parse_type(kind)))
    (cast,) = duckdb.execute(f"SELECT CAST(CAST(? AS {name}) AS VARCHAR)", [text]).fetchone() or ()
    if not kind.startswith(("double", "float", "datetime", "time")):
        assert cast == text
    assert cast is not None


def test_decimal_in_a_text_keeps_all_its_digits() -> None:
    text = "1234567890123456789012345678.0123456789"
    assert canonical(target("decimal(38,10)"), text) == text


@pytest.mark.parametrize("kind", sorted({kind for kind, _, _ in FITS}))
def test_null_is_null(kind: str) -> None:
    assert canonical(target(kind), None) is None


@pytest.mark.parametrize(("kind", "value", "text"), FITS)
def test_text_is_what_a_model_says_in_json(kind: str, value: Value, text: str) -> None:
    told = json.loads(json.dumps(said(target(kind), text)))
    assert canonical(target(kind), told) == text


STRUCT = Target("j", (), parse_type("json"), (("a", "x"), ("b", (("c", "y"), ("d", "z")))))


def test_structure_keeps_its_keys_as_texts_in_order() -> None:
    given: Value = {"b": {"d": 1, "c": None, "e": 5}, "a": "q", "z": 1}
    assert canonical(STRUCT, given) == '{"a":"q","b":{"c":null,"d":"1"}}'


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"a": "q"}, "a JSON object with 'b'"),
        ({"a": "q", "b": {"c": "x"}}, "a JSON object with 'd'"),
        ({"a": "q", "b": 5}, "a JSON object"),
        ([], "a JSON object"),
    ],
)
def test_structure_that_lacks_a_key_says_which(given: Value, expected: str) -> None:
    with pytest.raises(Unfit, match=expected):
        canonical(STRUCT, given)
