"""A number behind `name.` is a name, and stands where it stood."""

import pytest
from sqlglot import TokenType

from proxy.sql.tokens import tokenize

NAMES = (TokenType.VAR, TokenType.IDENTIFIER)


@pytest.mark.parametrize(
    ("sql", "texts"),
    [
        ("m.2", ["m", ".", "2"]),
        ("m.2.args", ["m", ".", "2", ".", "args"]),
        ("p.m.12.34", ["p", ".", "m", ".", "12", ".", "34"]),
        ("`m`.2.`a`", ["m", ".", "2", ".", "a"]),
        ("m.1e5", ["m", ".", "1e5"]),
        ("t.2col", ["t", ".", "2col"]),
    ],
)
def test_numbers_behind_names_are_names(sql: str, texts: list[str]) -> None:
    tokens = tokenize(sql)
    assert [token.text for token in tokens] == texts
    assert all(token.token_type in (*NAMES, TokenType.DOT) for token in tokens)
    assert [sql[t.start : t.end + 1].strip("`") for t in tokens] == texts


@pytest.mark.parametrize("sql", ["1.5", ".5", "x >.5", "(.5)", "m . 5", "a .5", "1e5"])
def test_other_numbers_stay_numbers(sql: str) -> None:
    assert tokenize(sql)[-1 - sql.endswith(")")].token_type is TokenType.NUMBER


def test_what_stands_behind_rename_is_read() -> None:
    """sqlglot 30.30 makes one string of it."""
    assert [token.text for token in tokenize("RENAME MODEL m TO `n`")[1:]] == [
        "MODEL",
        "m",
        "TO",
        "n",
    ]
