"""The parameters of data sources: checked, sorted into shown and sealed, and put together again."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import CatalogError, OptionRejected
from catalog.records import SourceRecord
from catalog.sources.kinds import find_kind
from engines.secrets import SecretReference, ServerSecrets
from proxy.execute.source_arguments import (
    address,
    checked,
    made,
    opened,
    options_of,
    parse_address,
    shown_parameters,
)
from proxy.source_books import show_create_source
from proxy.sql.parser import parse
from proxy.sql.statements import CreateSource

NOON = datetime(2026, 3, 1, 12)
LEAST = {"host": "db", "user": "u", "database": "d"}
PASSWORD = "pw-4f6a8c0e"


def record(**more: Any) -> SourceRecord:
    kind = find_kind("postgres")
    return made("pg", kind, checked(kind, "pg", {**LEAST, **more}), NOON)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"port": "5433"}, {"port": 5433}),
        ({"port": 5433}, {"port": 5433}),
        ({"password": 1234}, {"password": "1234"}),
        ({"password": ""}, {"password": ""}),
        ({"schema": None}, {}),
        ({"PORT": 1}, {"port": 1}),
        ({"sslmode": "Require"}, {"sslmode": "require"}),
    ],
)
def test_value_is_of_its_type(given: dict[str, Any], taken: dict[str, Any]) -> None:
    assert checked(find_kind("postgres"), "pg", {**LEAST, **given}) == {**LEAST, **taken}


@pytest.mark.parametrize(
    ("value", "taken"), [(True, True), ("off", False), ("1", True), (0, False), ("TRUE", True)]
)
def test_words_are_true_or_false(value: Any, taken: bool) -> None:
    assert checked(find_kind("mysql"), "my", {**LEAST, "ssl": value})["ssl"] is taken


def test_alias_is_the_parameter() -> None:
    given = {"host": "db", "user": "u", "dbname": "d"}
    assert checked(find_kind("postgres"), "pg", given) == LEAST


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hots": 1}, r"unknown parameter 'hots': did you mean 'host'\?"),
        ({"zzz": 1}, r"unknown parameter 'zzz' \(there is host, port, user"),
        ({"port": "x"}, "parameter 'port' takes a whole number"),
        ({"port": True}, "parameter 'port' takes a whole number"),
        ({"port": 1.5}, "parameter 'port' takes a whole number"),
        ({"port": "9" * 5000}, "parameter 'port' takes a whole number"),
        ({"user": ["u"]}, "parameter 'user' takes a text"),
        ({"sslmode": "require host=thief"}, "parameter 'sslmode' takes disable, allow, prefer"),
        ({"dbname": "d"}, "parameter 'database' is given twice"),
        ({"host": None}, r"parameter 'host' is missing \(Host name"),
        ({"host": SecretReference("env", "A")}, "parameter 'host' is no secret"),
        ({"password": {"a": SecretReference("env", "A")}}, "parameter 'password' takes a text"),
    ],
)
def test_wrong_parameter_is_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionRejected, match=f"Data source 'pg' of engine 'postgres': {said}"):
        checked(find_kind("postgres"), "pg", {**LEAST, **given})


def test_all_that_is_wrong_is_told_at_once_and_no_value() -> None:
    given = {"password": [PASSWORD], "port": PASSWORD, "hots": PASSWORD}
    with pytest.raises(OptionRejected) as caught:
        checked(find_kind("postgres"), "pg", given)
    text = str(caught.value)
    assert text.count(";") == 5
    assert PASSWORD not in text


def test_password_is_sealed_and_masked() -> None:
    made_ = record(password=PASSWORD)
    assert (dict(made_.parameters), dict(made_.secrets)) == (LEAST, {"password": PASSWORD})
    assert shown_parameters(made_) == {
        "host": "db",
        "user": "u",
        "password": "******",
        "database": "d",
    }
    assert PASSWORD not in repr(made_)


def test_text_that_looks_like_a_reference_is_a_password() -> None:
    made_ = record(password="env('PG')")
    assert dict(made_.secrets) == {"password": "env('PG')"}
    assert opened(made_, ServerSecrets()) == made_


@pytest.mark.parametrize("password", [PASSWORD, SecretReference("env", "PG"), None])
def test_definition_gives_back_what_made_it(password: object) -> None:
    made_ = record(password=password, port=1)
    given = {**LEAST, "port": 1, "password": password}
    assert options_of(made_) == {n: v for n, v in given.items() if v is not None}


def test_reference_is_read_when_the_source_is_opened(tmp_path: Path) -> None:
    (tmp_path / "pg").write_text(f"{PASSWORD}\n")
    secrets = ServerSecrets({}, {}, {tmp_path: ("postgres://db:5432",)})
    made_ = record(password=SecretReference("file", str(tmp_path / "pg")))
    assert shown_parameters(made_)["password"] == f"file('{tmp_path}/pg')"
    assert dict(opened(made_, secrets).secrets) == {"password": PASSWORD}
    (tmp_path / "pg").write_text("rotated")
    assert dict(opened(made_, secrets).secrets) == {"password": "rotated"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"port": 5433}, "is not sent to postgres://db:5433"),
        ({"host": "thief"}, "is not sent to postgres://thief:5432"),
        ({"password": SecretReference("env", "HOME")}, "is not on the server's list"),
    ],
)
def test_secret_goes_to_its_address_alone(more: dict[str, Any], said: str) -> None:
    secrets = ServerSecrets({"PG": PASSWORD}, {"PG": ("postgres://db:5432",)})
    made_ = record(**{"password": SecretReference("env", "PG"), **more})
    with pytest.raises(OptionRejected, match=said) as caught:
        opened(made_, secrets)
    assert PASSWORD not in str(caught.value)


def test_address_is_of_the_kind_that_asks() -> None:
    kind = find_kind("mariadb")
    made_ = made("my", kind, checked(kind, "my", {**LEAST, "host": "DB"}), NOON)
    assert address(made_) == "mariadb://db:3306"
    assert parse_address("MariaDB://Db/") == "mariadb://db:3306"


@pytest.mark.parametrize("text", ["", "postgres", "postgres://a/b", "postgres://u@h", "ftp://h"])
def test_other_addresses_are_none(text: str) -> None:
    with pytest.raises(CatalogError):
        parse_address(text)


def test_what_is_shown_makes_it_again() -> None:
    made_ = record(user="o'hara\\", password=SecretReference("env", "PG"), port=5433)
    statement = parse(show_create_source(made_))
    assert isinstance(statement, CreateSource)
    kind = find_kind(statement.engine)
    values = checked(kind, statement.name, statement.parameters)
    assert made(statement.name, kind, values, NOON) == made_
