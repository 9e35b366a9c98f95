"""Every type of PostgreSQL and MariaDB as data: what is written natively, and what comes of it.

A value is a literal of the server's and the text, or the bytes, that a MySQL client is sent.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NativeType:
    """A type as CREATE TABLE takes it; what DuckDB's and MySQL's clients have of it."""

    native: str
    duckdb: str
    mysql: str
    values: tuple[tuple[str, str | bytes | None], ...]


def _type(
    native: str, duckdb: str, mysql: str, *values: tuple[str, str | bytes | None]
) -> NativeType:
    return NativeType(native, duckdb, mysql, (*values, ("NULL", None)))


def _plain(native: str, duckdb: str, mysql: str, *values: str) -> NativeType:
    """Values that are sent as they are written, in quotes."""
    return _type(native, duckdb, mysql, *((f"'{value}'", value) for value in values))


POSTGRES_SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'o''k');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN amount AS numeric(6,2);
CREATE DOMAIN price AS amount CHECK (value > 0);
"""
POSTGRES = (
    _type("boolean", "BOOLEAN", "tinyint(1)", ("true", "1"), ("false", "0")),
    _plain("smallint", "SMALLINT", "smallint", "-32768", "32767"),
    _plain("integer", "INTEGER", "int", "-2147483648", "2147483647"),
    _plain("bigint", "BIGINT", "bigint", "-9223372036854775808", "9223372036854775807"),
    _plain("oid", "BIGINT", "bigint", "4294967295"),
    _type(
        "real",
        "FLOAT",
        "float",
        ("'3.4028235e38'", "3.4028235e38"),
        ("1.5", "1.5"),
        ("'NaN'", None),
        ("'Infinity'", None),
    ),
    _type(
        "double precision",
        "DOUBLE",
        "double",
        ("'1.7976931348623157e308'", "1.7976931348623157e308"),
        ("'5e-324'", "5e-324"),
        ("'-Infinity'", None),
    ),
    _type(
        "numeric",
        "DECIMAL(38,18)",
        "decimal(38,18)",
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
        ("-0.000000000000000001", "-0.000000000000000001"),
        ("1.50000000000000000000000000", "1.500000000000000000"),
        ("'NaN'", None),
        ("'Infinity'", None),
        ("'-Infinity'", None),
    ),
    _type(
        "numeric(10,2)",
        "DECIMAL(10,2)",
        "decimal(10,2)",
        ("-99999999.99", "-99999999.99"),
        ("'NaN'", None),
    ),
    _plain(
        "numeric(38,10)",
        "DECIMAL(38,10)",
        "decimal(38,10)",
        "-9999999999999999999999999999.9999999999",
    ),
    _plain("numeric(39,1)", "VARCHAR", "text", "99999999999999999999999999999999999999.9", "-0.1"),
    _plain("numeric(5,-2)", "DECIMAL(7,0)", "decimal(7,0)", "9999900", "-100"),
    _plain("numeric(3,5)", "DECIMAL(6,5)", "decimal(6,5)", "0.00999"),
    _type(
        "money",
        "DECIMAL(23,4)",
        "decimal(23,4)",
        ("'-92233720368547758.08'", "-92233720368547758.0800"),
    ),
    _plain('"char"', "VARCHAR", "char(1)", "x"),
    _type("character(5)", "VARCHAR", "char(5)", ("'ab'", "ab"), ("'abcde'", "abcde")),
    _plain("character varying(5)", "VARCHAR", "varchar(5)", "ab ", ""),
    _plain("character varying(20000)", "VARCHAR", "text", "x"),
    _type(
        "text",
        "VARCHAR",
        "text",
        ("''", ""),
        ("E'\\U0001F600\\t\\\\'", "\N{GRINNING FACE}\t\\"),
        ("repeat('x', 10000000)", "x" * 10_000_000),
    ),
    _plain("name", "VARCHAR", "varchar(63)", "n"),
    _type("bytea", "BLOB", "longblob", ("'\\x00ff00'", b"\x00\xff\x00"), ("''", b"")),
    _type(
        "date",
        "DATE",
        "date",
        ("'0001-01-01'", "0001-01-01"),
        ("'9999-12-31'", "9999-12-31"),
        ("'infinity'", None),
        ("'-infinity'", None),
    ),
    _plain("time", "TIME", "time(6)", "24:00:00", "00:00:00.000001"),
    _plain("time(0)", "TIME", "time(0)", "23:59:59"),
    _plain("timetz", "VARCHAR", "text", "24:00:00-15:59"),
    _type(
        "timestamp",
        "TIMESTAMP",
        "datetime(6)",
        ("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"),
        ("'infinity'", None),
    ),
    _plain("timestamp(3)", "TIMESTAMP", "datetime(3)", "2024-02-29 12:00:00.123"),
    _type(
        "timestamptz",
        "TIMESTAMP WITH TIME ZONE",
        "timestamp(6)",
        ("'2024-06-01 12:00:00.5+02'", "2024-06-01 10:00:00.5"),
        ("'-infinity'", None),
    ),
    _plain(
        "interval",
        "VARCHAR",
        "text",
        "1 year 2 mons 3 days 04:05:06.789",
        "-178000000 years",
        "9000000:00:00",
    ),
    _plain("uuid", "VARCHAR", "char(36)", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    _plain("json", "VARCHAR", "json", '{"a": [1, null, 1.10]}', "null"),
    _plain("jsonb", "VARCHAR", "json", '{"a": [1, null, 1.10]}'),
    _plain("xml", "VARCHAR", "text", "<a>b</a>"),
    _plain("inet", "VARCHAR", "varchar(43)", "1.2.3.4", "10.1.0.0/16", "::1"),
    _plain("cidr", "VARCHAR", "varchar(43)", "10.1.0.0/16"),
    _plain("macaddr", "VARCHAR", "varchar(17)", "08:00:2b:01:02:03"),
    _plain("macaddr8", "VARCHAR", "varchar(23)", "08:00:2b:01:02:03:04:05"),
    _plain("bit(3)", "VARCHAR", "varchar(3)", "101"),
    _plain("bit varying(5)", "VARCHAR", "varchar(5)", "", "10101"),
    _type("tsvector", "VARCHAR", "text", ("'a fat cat'", "'a' 'cat' 'fat'")),
    _plain("point", "VARCHAR", "text", "(1,2.5)"),
    _plain("line", "VARCHAR", "text", "{1,2,3}"),
    _plain("lseg", "VARCHAR", "text", "[(0,0),(1,1)]"),
    _plain("box", "VARCHAR", "text", "(1,1),(0,0)"),
    _plain("path", "VARCHAR", "text", "[(0,0),(1,1)]"),
    _plain("polygon", "VARCHAR", "text", "((0,0),(1,1),(1,0))"),
    _plain("circle", "VARCHAR", "text", "<(0,0),1>"),
    _plain("int4range", "VARCHAR", "text", "[1,5)", "empty"),
    _plain("numrange", "VARCHAR", "text", "[1.5,)"),
    _plain("int4multirange", "VARCHAR", "text", "{[1,3),[5,8)}"),
    _type(
        "integer[]",
        "VARCHAR",
        "json",
        ("'{1,NULL,3}'", "[1,null,3]"),
        ("'{}'", "[]"),
        ("'{{1,2},{3,4}}'", "[[1,2],[3,4]]"),
    ),
    _type("numeric[]", "VARCHAR", "json", ("'{1.10,NaN}'", '[1.10,"NaN"]')),
    _type("text[]", "VARCHAR", "json", ("""'{a,"b,c",NULL}'""", '["a","b,c",null]')),
    _type("real[]", "VARCHAR", "json", ("'{0.1,0.25}'", "[0.1,0.25]")),
    _type("mood", "VARCHAR", "enum('sad','o''k')", ("'sad'", "sad"), ("'o''k'", "o'k")),
    _type("mood[]", "VARCHAR", "json", ("'{sad}'", '["sad"]')),
    _type("pair", "VARCHAR", "json", ("""'(1,"x y")'""", '{"a":1,"b":"x y"}')),
    _plain("price", "DECIMAL(6,2)", "decimal(6,2)", "9999.99"),
    _plain("regclass", "VARCHAR", "text", "pg_class"),
    _plain("pg_lsn", "VARCHAR", "text", "16/B374D848"),
    _plain("xid", "VARCHAR", "text", "1"),
)

# A type's name in information_schema is `mysql`, as MariaDB writes it.
MARIADB = (
    _plain("tinyint(1)", "TINYINT", "tinyint(1)", "-128", "2", "127"),
    _plain("tinyint unsigned", "UTINYINT", "tinyint(3) unsigned", "255"),
    _plain("smallint", "SMALLINT", "smallint(6)", "-32768"),
    _plain("mediumint", "INTEGER", "mediumint(9)", "-8388608"),
    _plain("mediumint unsigned", "UINTEGER", "mediumint(8) unsigned", "16777215"),
    _plain("int", "INTEGER", "int(11)", "-2147483648"),
    _plain("int unsigned", "UINTEGER", "int(10) unsigned", "4294967295"),
    _plain("bigint", "BIGINT", "bigint(20)", "-9223372036854775808"),
    _plain("bigint unsigned", "UBIGINT", "bigint(20) unsigned", "18446744073709551615"),
    _plain("int(5) zerofill", "UINTEGER", "int(5) unsigned zerofill", "42"),
    _plain("float", "FLOAT", "float", "3.40282e38", "0.1"),
    _plain("double", "DOUBLE", "double", "1.7976931348623157e308", "5e-324"),
    _plain("decimal(10,2)", "DECIMAL(10,2)", "decimal(10,2)", "-99999999.99"),
    _plain("decimal(10,0)", "DECIMAL(10,0)", "decimal(10,0)", "-9999999999"),
    _plain("decimal(10,2) unsigned", "DECIMAL(10,2)", "decimal(10,2) unsigned", "99999999.99"),
    _plain("decimal(38,0)", "DECIMAL(38,0)", "decimal(38,0)", "9" * 38),
    _plain("decimal(5,5)", "DECIMAL(6,5)", "decimal(5,5)", "0.00001"),
    _plain("decimal(65,30)", "VARCHAR", "decimal(65,30)", "9" * 35 + "." + "9" * 30),
    _type("bit(1)", "UBIGINT", "bit(1)", ("b'1'", "1"), ("b'0'", "0")),
    _type("bit(64)", "UBIGINT", "bit(64)", ("~0", "18446744073709551615")),
    _type(
        "date",
        "DATE",
        "date",
        ("'0001-01-01'", "0001-01-01"),
        ("'9999-12-31'", "9999-12-31"),
        ("'0000-00-00'", None),
        ("'2024-00-15'", None),
    ),
    _type(
        "datetime",
        "TIMESTAMP",
        "datetime",
        ("'2024-02-29 23:59:59'", "2024-02-29 23:59:59"),
        ("'0000-00-00 00:00:00'", None),
        ("'2024-00-00 01:00:00'", None),
    ),
    _plain("datetime(6)", "TIMESTAMP", "datetime(6)", "9999-12-31 23:59:59.999999"),
    _type(
        "timestamp NULL",
        "TIMESTAMP",
        "timestamp",
        ("'2038-01-19 03:14:07'", "2038-01-19 03:14:07"),
        ("'0000-00-00 00:00:00'", None),
    ),
    _plain("time", "VARCHAR", "time", "-838:59:59", "838:59:59", "00:00:00"),
    _plain("time(6)", "VARCHAR", "time(6)", "-12:34:56.000001"),
    _type("year", "UBIGINT", "year(4)", ("1901", "1901"), ("2155", "2155"), ("0", "0")),
    _type("char(5)", "VARCHAR", "char(5)", ("'ab '", "ab"), ("''", "")),
    _plain("varchar(10)", "VARCHAR", "varchar(10)", "ab ", "\N{GRINNING FACE}"),
    _plain("varchar(5) character set latin1", "VARCHAR", "varchar(5)", "é"),
    _plain("varchar(5) character set latin1 collate latin1_bin", "VARCHAR", "varchar(5)", "é"),
    _plain("varchar(5) character set ucs2", "VARCHAR", "varchar(5)", "ä"),
    _plain("text collate utf8mb4_bin", "VARCHAR", "text", "É"),
    _type("varchar(9) ", "VARCHAR", "varchar(9)", ("'a\\0b'", "a\x00b")),
    _type("longtext", "VARCHAR", "longtext", ("repeat('x', 10000000)", "x" * 10_000_000)),
    _type("binary(3)", "BLOB", "binary(3)", ("'a'", b"a\x00\x00")),
    _type("varbinary(3)", "BLOB", "varbinary(3)", ("x'00ff'", b"\x00\xff"), ("''", b"")),
    _type("longblob", "BLOB", "longblob", ("x'00ff'", b"\x00\xff")),
    _type("enum('a','b''c')", "VARCHAR", "enum('a','b''c')", ("'b''c'", "b'c")),
    _plain("enum('a','B') collate utf8mb4_bin", "VARCHAR", "enum('a','B')", "B"),
    _plain("set('x','y','z')", "VARCHAR", "set('x','y','z')", "x,z", ""),
    _plain("json", "VARCHAR", "longtext", '{"a": [1, null, 1.10]}'),
    _type("point", "VARCHAR", "point", ("ST_GeomFromText('POINT(1 2.5)')", "POINT(1 2.5)")),
    _plain("uuid", "VARCHAR", "uuid", "00112233-4455-6677-8899-aabbccddeeff"),
    _plain("inet6", "VARCHAR", "inet6", "::1"),
    _plain("int invisible", "INTEGER", "int(11)", "7"),
)
