"""The reader and writer of `.test` files."""

import re

import pytest

from tests.support import slt_file
from tests.support.slt_file import (
    Connection,
    Count,
    EndpointOptions,
    Error,
    FormatError,
    Ok,
    Query,
    Replies,
    Restart,
    Settings,
    Warnings,
)
from tests.support.slt_sources import File

WHOLE = """\
# A file with one of everything.

settings
MODELWIRE_MAX_CONNECTIONS=5

endpoint
models a/b c
key sk-1
json_schema off

replies
I love it => positive
down => !503 overloaded

file rows.csv
1,a "b"
2,b

connection bob demo

# twice
statement ok
CREATE TABLE t (
  a INT)

statement count 2
INSERT INTO t VALUES (1), (2)

statement error 1146 calls 1 Table .* (gone|lost)
SELECT * FROM u

query rowsort calls 2
SELECT a, b
FROM t
----
a\tb
1\tNULL
2\t(empty)

warnings
Level\tCode\tMessage
Warning\t1364\tno input

restart
"""


def test_every_block_is_read():
    assert slt_file.parse(WHOLE).blocks == (
        Settings(3, (("MODELWIRE_MAX_CONNECTIONS", "5"),)),
        EndpointOptions(6, ("a/b", "c"), "sk-1", json_schema=False),
        Replies(11, (("I love it", "positive"), ("down", "!503 overloaded"))),
        File(15, "rows.csv", ('1,a "b"', "2,b")),
        Connection(19, "bob", "demo"),
        Ok(22, "CREATE TABLE t (\n  a INT)"),
        Count(26, "INSERT INTO t VALUES (1), (2)", 2),
        Error(29, "SELECT * FROM u", 1146, "Table .* (gone|lost)", calls=1),
        Query(32, "SELECT a, b\nFROM t", ("a\tb", "1\tNULL", "2\t(empty)"), rowsort=True, calls=2),
        Warnings(40, ("Level\tCode\tMessage", "Warning\t1364\tno input")),
        Restart(44),
    )


def test_what_is_read_is_written_back():
    assert slt_file.write(slt_file.parse(WHOLE)) == WHOLE


def test_several_empty_lines_are_one():
    assert slt_file.parse("\n\nrestart\n\n\n\nrestart\n").blocks == (Restart(3), Restart(7))


def test_query_without_expectation_expects_no_line_at_all():
    assert slt_file.parse("query\nSELECT 1\n").blocks == (Query(1, "SELECT 1", ()),)


@pytest.mark.parametrize(
    "text",
    [
        "statment ok\nSELECT 1",
        "statement ok",
        "statement error x\nSELECT 1",
        "statement error 1064 (\nSELECT 1",
        "query sorted\nSELECT 1",
        "query\n----\na",
        "replies\nno arrow",
        "endpoint\nmodel a",
        "settings\nMODELWIRE_PORT",
    ],
)
def test_block_that_is_none_is_refused_with_its_place(text: str):
    with pytest.raises(FormatError, match=re.escape("<text>:1: cannot read")):
        slt_file.parse(text)
