"""A syntax error shows where it is, and never somebody's key."""

import pytest

from proxy.errors import SyntaxFault, Unsupported
from proxy.sql.parameters import prepare
from proxy.sql.parser import parse, split

KEY = "sk-THE-KEY-0123456789"
STATEMENTS = [
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = '{KEY}' oops",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = '{KEY}',",
    f"CREATE ML_ENGINE e openai USING openai_api_key = '{KEY}'",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = '{KEY}', openai_api_key = '{KEY}'",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = '{KEY}",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = '{KEY}', api_base = 'http://",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = '{KEY}' /* api_base = 'http://",
    f'CREATE ML_ENGINE e FROM openai USING openai_api_key = "{KEY}" oops',
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = `{KEY}` oops",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key = {KEY}",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key == {KEY}",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key {KEY}",
    f"CREATE ML_ENGINE e FROM openai USING openai_api_key : {KEY}",
    f"CREATE ML_ENGINE e FROM openai USING, openai_api_key = {KEY}",
    f"CREATE ML_ENGINE e FROM openai WITH openai_api_key = {KEY}",
    f"CREATE ML_ENGINE FROM openai USING openai_api_key = '{KEY}'",
    f"CREATE ML_ENGIN e FROM openai USING openai_api_key = '{KEY}'",
    f"CREATE ML_ENGINE e FROM openai USING headers = {{'Authorization': '{KEY}'",
    f"CREATE ML_ENGINE e FROM openai USING headers = {{'Authorization': {KEY}}}",
    f"CREATE\nML_ENGINE e FROM openai\nUSING openai_api_key = '{KEY}'\noops",
    f"CREATE MODEL m PREDICT t USING engine = 'e', openai_api_key = '{KEY}' oops",
    f"SET @key = '{KEY}' oops",
    f"SELECT * FROM t WHERE key = '{KEY}' oops oops",
    f"SELECT 1; CREATE ML_ENGINE e FROM openai USING openai_api_key = '{KEY}'",
]


@pytest.mark.parametrize("read", [parse, prepare], ids=lambda f: f.__name__)
@pytest.mark.parametrize("sql", STATEMENTS)
def test_key_is_not_in_the_message(sql: str, read: object) -> None:
    assert callable(read)
    with pytest.raises((SyntaxFault, Unsupported)) as caught:
        read(sql)
    text = str(caught.value)
    assert not any(KEY[at : at + 6] in text for at in range(len(KEY) - 6))


@pytest.mark.parametrize("filler", [0, 20, 40, 60, 70, 75])
def test_no_part_of_a_key_is_shown_wherever_the_message_is_cut(filler: int) -> None:
    sql = f"CREATE ML_ENGINE e FROM h USING k = '{KEY}', x = '{'y' * filler}"
    with pytest.raises(SyntaxFault) as caught:
        split(sql)
    text = str(caught.value)
    assert not any(KEY[at : at + 4] in text for at in range(len(KEY) - 4))


def test_line_is_the_one_of_the_fault() -> None:
    with pytest.raises(SyntaxFault, match=r"near 'oops' at line 3$"):
        parse("DROP\nML_ENGINE e\noops")


@pytest.mark.parametrize(
    "sql", ["CREATE ML_ENGINE e FROM h USING x = {n}", "KILL {n}"], ids=lambda sql: sql.split()[0]
)
def test_a_number_of_more_digits_than_python_reads_is_a_fault(sql: str) -> None:
    with pytest.raises(SyntaxFault):
        parse(sql.format(n="9" * 5000))


def test_shown_text_is_short() -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse(f"DROP ML_ENGINE e {'x' * 10_000}")
    assert len(str(caught.value)) < 300


def test_text_is_split_at_semicolons_outside_of_strings_and_comments() -> None:
    sql = "SELECT ';'; ; SELECT 2 /* ; */;\n-- ;\nSELECT `;`"
    assert split(sql) == ["SELECT ';'", "SELECT 2", "SELECT `;`"]
