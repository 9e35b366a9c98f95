"""A text in MySQL's SQL is sent statement by statement."""

import pytest

from catalog.sources.mysql_script import split

ONE = [
    "SELECT ';'",
    r"SELECT 'it\';s'",
    'SELECT ";""", `a;b`',
    "SELECT 1 -- ;\n",
    "SELECT 1 # ;",
    "SELECT 1 /* ; */",
    "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
    "create definer = `a`@`b` trigger t BEFORE INSERT ON u FOR EACH ROW BEGIN SET @a = 1; END",
    "/* ; */ CREATE OR REPLACE FUNCTION f() RETURNS INT BEGIN RETURN 1; END",
    "ALTER EVENT e DO BEGIN SELECT 1; END",
    "BEGIN NOT ATOMIC SELECT 1; END",
]


@pytest.mark.parametrize("text", ONE)
def test_statement_is_whole(text: str) -> None:
    assert split(text) == [text]


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", " SELECT 2"]),
        ("SELECT 1;", ["SELECT 1"]),
        (";;", []),
        ("CREATE TABLE t (a INT); DROP TABLE t", ["CREATE TABLE t (a INT)", " DROP TABLE t"]),
        ("CREATE TABLE event (a INT); SELECT 1", ["CREATE TABLE event (a INT)", " SELECT 1"]),
        (
            "DROP PROCEDURE p; CREATE PROCEDURE p() BEGIN SELECT 1; END",
            ["DROP PROCEDURE p", " CREATE PROCEDURE p() BEGIN SELECT 1; END"],
        ),
    ],
)
def test_semicolon_ends_a_statement(text: str, statements: list[str]) -> None:
    assert split(text) == statements
