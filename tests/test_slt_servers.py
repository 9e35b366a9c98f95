"""Blocks of `.test` files about data sources: read, written, and carried out on real servers."""

import re
from pathlib import Path

import pytest

from tests.support import slt, slt_file
from tests.support.servers.fleet import Fleet
from tests.support.servers.program import Missing
from tests.support.servers.server import NativeError
from tests.support.slt_file import FormatError
from tests.support.slt_sources import File, Log, Native, NativeQuery, Power, Source

WHOLE = """\
source postgres s3

file in/reviews.csv
id,body
# no comment
(empty)
1,fine

native postgres
CREATE TABLE t (a INT);
INSERT INTO t VALUES (1)

native s3 admin
SELECT 1

native query shop.sqlite rowsort
SELECT a
FROM t
----
a
1

log postgres
----
SELECT a FROM t

log postgres all
----

log s3 rowsort /GET .* x/
----
GET /a x

stop postgres

start postgres
"""
SERVERS = """\
source {kind}

native {kind}
CREATE TABLE reviews (id INT, body VARCHAR(20));
INSERT INTO reviews VALUES (1, 'love it'), (2, NULL)

native query {kind}
SELECT id, body FROM reviews ORDER BY id
----
id\tbody
1\tlove it
2\tNULL

stop {kind}

query
SELECT '${{{kind}_port}}' AS port, '${{{kind}_database}}' AS name, '${{{kind}_user}}' AS who
----
port\tname\twho
${{{kind}_port}}\t${{{kind}_database}}\treader

start {kind}

native query {kind} rowsort
SELECT id FROM reviews ORDER BY id DESC
----
id
1
2

log {kind} all
----
"""
FILES = """\
source s3

settings
MODELWIRE_SECRET_FILES={"${folder}": "${endpoint}"}

file reviews.csv
id,body
1,love it
(empty)
2,"a
(empty)
b"

native duckdb
COPY (SELECT * FROM '${folder}/reviews.csv') TO '${folder}/reviews.parquet'

native query duckdb
SELECT * FROM '${folder}/reviews.parquet' ORDER BY id
----
id\tbody
1\tlove it
2\ta\\n\\nb

native shop.sqlite
CREATE TABLE t (a);
INSERT INTO t VALUES (1), ('x;'), (x'00ff'), (NULL)

native query shop.sqlite
SELECT a, typeof(a) AS type FROM t
----
a\ttype
1\tinteger
x;\ttext
x'00ff'\tblob
NULL\tnull

native shop.duckdb
CREATE TABLE t AS SELECT 1 AS a

native query shop.duckdb
FROM t
----
a
1

native s3
COPY (SELECT 1 AS a) TO 's3://${s3_bucket}/one.parquet'

native query s3
SELECT a FROM 's3://${s3_bucket}/one.parquet'
----
a
1

query
SELECT '${folder}/x' AS path, '${s3_endpoint}' AS endpoint
----
path\tendpoint
${folder}/x\t${s3_endpoint}

log s3
----
"""


def mismatches(text: str, folder: Path, servers: Fleet) -> list[slt.Mismatch]:
    try:
        return slt.run(slt_file.parse(text), folder / "data", servers)
    except Missing as missing:
        pytest.skip(str(missing))


def test_every_block_is_read() -> None:
    assert slt_file.parse(WHOLE).blocks == (
        Source(1, ("postgres", "s3")),
        File(3, "in/reviews.csv", ("id,body", "# no comment", "(empty)", "1,fine")),
        Native(9, "postgres", "CREATE TABLE t (a INT);\nINSERT INTO t VALUES (1)"),
        Native(13, "s3", "SELECT 1", admin=True),
        NativeQuery(16, "shop.sqlite", "SELECT a\nFROM t", ("a", "1"), rowsort=True),
        Log(23, "postgres", ("SELECT a FROM t",)),
        Log(27, "postgres", (), every=True),
        Log(30, "s3", ("GET /a x",), "GET .* x", rowsort=True),
        Power(34, "postgres", on=False),
        Power(36, "postgres", on=True),
    )


def test_what_is_read_is_written_back() -> None:
    assert slt_file.write(slt_file.parse(WHOLE)) == WHOLE


@pytest.mark.parametrize(
    "text",
    [
        "source",
        "source oracle",
        "native oracle\nSELECT 1",
        "native postgres",
        "native postgres root\nSELECT 1",
        "native query postgres sorted\nSELECT 1",
        "native ../shop.sqlite\nSELECT 1",
        "file /etc/passwd\nroot",
        "log postgres some\n----",
        "log postgres /(/\n----",
        "log postgres\nSELECT 1",
        "stop",
    ],
)
def test_block_that_is_none_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(FormatError, match=re.escape("<text>:1: cannot read")):
        slt_file.parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("native postgres\nSELECT 1", "not named by `source`: postgres"),
        ("source s3\n\nstop mariadb", "not named by `source`: mariadb"),
        ("restart\n\nsource s3", "too late"),
    ],
)
def test_a_server_is_named_at_the_top(text: str, why: str, tmp_path: Path, servers: Fleet) -> None:
    with pytest.raises(FormatError, match=why):
        mismatches(text, tmp_path, servers)


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_file_has_a_database_of_its_own(kind: str, tmp_path: Path, servers: Fleet) -> None:
    assert mismatches(SERVERS.format(kind=kind), tmp_path, servers) == []


def test_a_file_has_a_folder_and_a_bucket_of_its_own(tmp_path: Path, servers: Fleet) -> None:
    assert mismatches(FILES, tmp_path, servers) == []


def test_what_is_not_as_expected_is_shown_as_it_would_be_right(
    tmp_path: Path, servers: Fleet
) -> None:
    wrong = (
        "source mariadb\n\nnative query mariadb\nSELECT 1 AS a, '${mariadb_port}' AS b\n----\na\n"
    )
    (found,) = mismatches(wrong, tmp_path, servers)
    assert found.observed == NativeQuery(
        3, "mariadb", "SELECT 1 AS a, '${mariadb_port}' AS b", ("a\tb", "1\t${mariadb_port}")
    )


def test_an_error_of_the_server_names_the_block(tmp_path: Path, servers: Fleet) -> None:
    with pytest.raises(NativeError, match="nowhere") as failed:
        mismatches("native shop.sqlite\nSELECT 1 FROM nowhere", tmp_path, servers)
    assert failed.value.__notes__ == ["line 1: native shop.sqlite"]
