"""Prepared statements over raw packets; parameters and binary rows as pure functions."""

import struct
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from mysql_mimic.types import Capabilities, str_len

from proxy.errors import MalformedPacket, WrongParameters
from proxy.result import Column, FieldType
from proxy.wire.charsets import UTF8MB4
from proxy.wire.limits import Limits
from proxy.wire.parameters import parse_parameters
from proxy.wire.reader import Reader
from proxy.wire.rows import binary_rows
from tests.wire.conftest import Server
from tests.wire.fake import TYPED
from tests.wire.raw import BASIC, RawClient, error_code

MODERN = BASIC | Capabilities.CLIENT_DEPRECATE_EOF
VAR_STRING, STRING, BLOB, LONG, LONGLONG = 253, 254, 252, 3, 8
ONCE = b"\0\x01\0\0\0"


@pytest.fixture
def client(server: Server) -> RawClient:
    client = server.raw()
    client.log_in(capabilities=MODERN)
    return client


def prepare(client: RawClient, sql: str) -> int:
    """The statement's id; all its packets are read."""
    head = client.ask(b"\x16" + sql.encode())
    assert head[0] == 0, head
    for _ in range(sum(struct.unpack("<HH", head[5:9]))):
        assert client.read().startswith(b"\x03def")
    return int.from_bytes(head[1:5], "little")


def execute(client: RawClient, statement: int, body: bytes = b"") -> tuple[list[bytes], bytes]:
    client.command(b"\x17" + struct.pack("<I", statement) + ONCE + body)
    return client.answer(deprecates_eof=True)


def bound(*typed: tuple[int, bytes], unsigned: bool = False) -> bytes:
    """The bitmap, types and values of parameters that are not NULL."""
    flag = 0x80 if unsigned else 0
    types = b"".join(bytes((kind, flag)) for kind, _ in typed)
    return bytes((len(typed) + 7) // 8) + b"\x01" + types + b"".join(data for _, data in typed)


def test_prepare_describes_its_parameters_without_eof_where_that_is_deprecated(
    client: RawClient,
) -> None:
    assert client.ask(b"\x16select ?, ?") == b"\0\x01\0\0\0\0\0\x02\0\0\0\0"
    assert [client.read()[:4] for _ in range(2)] == [b"\x03def"] * 2
    assert client.ask(b"\x0e")[0] == 0


def test_prepare_ends_its_parameters_with_eof_for_older_clients(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.ask(b"\x16select ?")
    assert client.read()[:4] == b"\x03def"
    assert client.read() == b"\xfe\0\0\x02\0"


def test_prepare_describes_the_rows_to_come_behind_the_parameters(server: Server) -> None:
    client = server.raw()
    client.log_in()
    head = client.ask(b"\x16types ?")
    columns = int.from_bytes(head[5:7], "little")
    assert columns > 1
    assert [client.read()[:4] for _ in range(2)] == [b"\x03def", b"\xfe\0\0\x02"]
    assert [client.read()[:4] for _ in range(columns)] == [b"\x03def"] * columns
    assert client.read() == b"\xfe\0\0\x02\0"


def test_a_statement_that_cannot_be_prepared_is_an_error(client: RawClient) -> None:
    assert error_code(client.ask(b"\x16bad")) == 1064


def test_a_quote_in_a_parameter_stays_a_value(client: RawClient, server: Server) -> None:
    nasty = "'; DROP TABLE x; -- \\' \\1 ?"
    statement = prepare(client, "insert ?")
    _, last = execute(client, statement, bound((VAR_STRING, str_len(nasty.encode()))))
    assert last[0] == 0
    assert server.log[-1] == ("execute", "insert ?", (nasty,))


def test_the_second_execution_may_leave_out_the_types(client: RawClient, server: Server) -> None:
    statement = prepare(client, "insert ?")
    execute(client, statement, bound((LONG, struct.pack("<i", -5))))
    execute(client, statement, b"\0\0" + struct.pack("<i", 6))
    assert [entry[2] for entry in server.log[1:]] == [(-5,), (6,)]


def test_a_first_execution_without_types_is_an_error(client: RawClient) -> None:
    statement = prepare(client, "insert ?")
    _, last = execute(client, statement, b"\0\0" + struct.pack("<i", 6))
    assert error_code(last) == 1210


def test_an_unknown_statement_is_1243(client: RawClient) -> None:
    assert error_code(execute(client, 9)[1]) == 1243
    assert error_code(client.ask(b"\x1a\x09\0\0\0")) == 1243


def test_a_closed_statement_is_unknown(client: RawClient) -> None:
    statement = prepare(client, "insert ?")
    client.command(b"\x19" + struct.pack("<I", statement))
    assert error_code(execute(client, statement)[1]) == 1243


def test_long_data_is_joined_and_counts_for_one_execution(
    client: RawClient, server: Server
) -> None:
    statement = prepare(client, "insert ? ?")
    for piece in (b"one ", b"two"):
        client.command(b"\x18" + struct.pack("<IH", statement, 0) + piece)
    execute(client, statement, bound((VAR_STRING, b""), (LONG, struct.pack("<i", 1))))
    assert server.log[-1][2] == ("one two", 1)
    execute(client, statement, b"\0\0" + str_len(b"short") + struct.pack("<i", 2))
    assert server.log[-1][2] == ("short", 2)


def test_reset_forgets_long_data(client: RawClient, server: Server) -> None:
    statement = prepare(client, "insert ?")
    client.command(b"\x18" + struct.pack("<IH", statement, 0) + b"old")
    assert client.ask(b"\x1a" + struct.pack("<I", statement))[0] == 0
    execute(client, statement, bound((BLOB, str_len(b"new"))))
    assert server.log[-1][2] == (b"new",)


def test_long_data_of_all_statements_is_bounded(serve: Callable[..., Server]) -> None:
    server = serve(Limits(max_allowed_packet=1 << 20))
    client = server.raw()
    client.log_in(capabilities=MODERN)
    one, two = prepare(client, "insert ?"), prepare(client, "insert ?")
    for statement in (one, two):
        client.command(b"\x18" + struct.pack("<IH", statement, 0) + b"x" * 600_000)
    assert error_code(execute(client, two, bound((BLOB, b"")))[1]) == 1153
    assert execute(client, one, bound((BLOB, b"")))[1][0] == 0
    assert len(server.log[-1][2][0]) == 600_000
    assert execute(client, two, bound((BLOB, b"\x01y")))[1][0] == 0


def test_statements_of_a_connection_are_bounded(serve: Callable[..., Server]) -> None:
    server = serve(Limits(max_prepared_stmt_count=2))
    client = server.raw()
    client.log_in(capabilities=MODERN)
    first = prepare(client, "insert x")
    prepare(client, "insert x")
    assert error_code(client.ask(b"\x16insert x")) == 1461
    client.command(b"\x19" + struct.pack("<I", first))
    prepare(client, "insert x")


def test_more_parameters_than_the_protocol_counts_are_1390(client: RawClient) -> None:
    assert error_code(client.ask(b"\x16insert " + b"?" * 65536)) == 1390


def test_twenty_thousand_parameters_are_prepared_and_bound(
    client: RawClient, server: Server
) -> None:
    statement = prepare(client, "insert " + "?" * 20_000)
    _, last = execute(client, statement, bound(*[(LONGLONG, struct.pack("<q", 7))] * 20_000))
    assert last[0] == 0
    assert server.log[-1][2] == (7,) * 20_000


def test_a_cursor_that_is_asked_for_is_not_opened_and_no_row_is_lost(client: RawClient) -> None:
    statement = prepare(client, "select ?")
    body = bound((VAR_STRING, b"\x01a"))
    client.command(b"\x17" + struct.pack("<IBI", statement, 1, 1) + body)
    rows, last = client.answer(deprecates_eof=True)
    assert rows == [b"\0\0\x03'a'"]
    assert not int.from_bytes(last[3:5], "little") & 0x40


def test_binary_rows_carry_every_type(client: RawClient) -> None:
    statement = prepare(client, "types")
    (row,), _ = execute(client, statement)
    reader = Reader(row)
    assert reader.fixed(1) == b"\0"
    nulls = int.from_bytes(reader.fixed((len(TYPED) + 9) // 8), "little")
    assert nulls == 1 << (len(TYPED) - 1 + 2)
    assert [reader.signed(1), reader.unsigned(1)] == [-128, 255]
    assert [reader.signed(2), reader.signed(4), reader.signed(8)] == [-(2**15), -(2**31), -(2**63)]
    assert reader.unsigned(8) == 2**64 - 1
    assert [reader.real(4), reader.real(8)] == [1.5, -2.25]
    assert reader.prefixed() == b"12.50"
    assert reader.unsigned(2) == 2024
    assert reader.prefixed() == struct.pack("<HBB", 2024, 2, 29)
    assert reader.prefixed() == struct.pack("<HBBBBB", 2024, 2, 29, 1, 2, 3)
    assert reader.prefixed() == struct.pack("<HBBBBBI", 2024, 2, 29, 1, 2, 3, 4)
    assert reader.prefixed() == b""
    assert reader.prefixed() == struct.pack("<BIBBB", 1, 34, 22, 59, 59)
    assert reader.prefixed() == struct.pack("<BIBBBI", 0, 1, 1, 0, 0, 500_000)
    assert reader.prefixed().decode() == "naïve ☃"
    assert reader.prefixed() == b"\x00\xff"
    assert reader.prefixed() == b'{"a": 1}'
    assert reader.left == 0


def test_a_cell_that_is_not_of_its_columns_type_is_a_value_error() -> None:
    for kind, cell in ((FieldType.DATE, "soon"), (FieldType.TIME, "x"), (FieldType.LONG, "1.5")):
        with pytest.raises(ValueError, match=r"."):
            binary_rows([(cell,)], [Column("c", kind)])


def parsed(kind: int, data: bytes, *, unsigned: bool = False) -> Any:
    reader = Reader(bound((kind, data), unsigned=unsigned))
    (value,) = parse_parameters(reader, 1, (), {}, UTF8MB4).values
    assert reader.left == 0
    return value


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        (1, b"\xff", -1),
        (2, b"\xff\xff", -1),
        (13, b"\xe8\x07", 2024),
        (3, b"\xff\xff\xff\xff", -1),
        (9, b"\xff\xff\xff\xff", -1),
        (8, b"\xff" * 8, -1),
        (4, struct.pack("<f", 1.5), 1.5),
        (5, struct.pack("<d", -2.5), -2.5),
        (6, b"", None),
        (0, b"\x041.50", Decimal("1.50")),
        (246, b"\x05-1E+3", Decimal(-1000)),
        (10, b"\x04\xe8\x07\x02\x1d", date(2024, 2, 29)),
        (10, b"\0", "0000-00-00"),
        (12, b"\x04\xe8\x07\x02\x1d", datetime(2024, 2, 29)),
        (12, b"\x07\xe8\x07\x02\x1d\x01\x02\x03", datetime(2024, 2, 29, 1, 2, 3)),
        (7, b"\x0b\xe8\x07\x02\x1d\x01\x02\x03\x04\0\0\0", datetime(2024, 2, 29, 1, 2, 3, 4)),
        (12, b"\0", "0000-00-00 00:00:00"),
        (11, b"\0", timedelta(0)),
        (11, b"\x08\x01\x22\0\0\0\x16\x3b\x3b", -timedelta(hours=838, minutes=59, seconds=59)),
        (11, b"\x0c\0\0\0\0\0\x01\0\0\x05\0\0\0", timedelta(hours=1, microseconds=5)),
        (253, b"\x03\xe2\x98\x83", "☃"),
        (254, b"\x02hi", "hi"),
        (254, b"\x02\xff\xfe", b"\xff\xfe"),
        (15, b"\x02hi", "hi"),
        (252, b"\x02hi", b"hi"),
        (251, b"\xfc\x01\0x", b"x"),
        (245, b"\x02{}", "{}"),
        (16, b"\x01\x05", b"\x05"),
    ],
)
def test_a_parameter_becomes_a_typed_value(kind: int, data: bytes, value: object) -> None:
    found = parsed(kind, data)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("kind", "size"), [(1, 1), (2, 2), (3, 4), (8, 8)])
def test_an_unsigned_parameter_is_not_negative(kind: int, size: int) -> None:
    assert parsed(kind, b"\xff" * size, unsigned=True) == 2 ** (8 * size) - 1


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (0, b"\x03NaN"),
        (0, b"\x08Infinity"),
        (0, b"\x05abcde"),
        (246, b"\xfc\x00\x02" + b"9" * 512),
        (12, b"\x04\xe8\x07\x0d\x01"),
        (12, b"\x05\xe8\x07\x0d\x01\0"),
        (11, b"\x08\0\xff\xff\xff\xff\0\0\0"),
        (200, b"\x01x"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(kind: int, data: bytes) -> None:
    with pytest.raises(WrongParameters):
        parsed(kind, data)


def test_null_parameters_are_in_the_bitmap() -> None:
    body = b"\x02\x01" + b"\xfd\0" * 3 + b"\x01a\x01b"
    assert parse_parameters(Reader(body), 3, (), {}, UTF8MB4).values == ("a", None, "b")


def test_every_truncation_of_parameters_is_malformed() -> None:
    body = bound((VAR_STRING, b"\x03abc"), (LONG, b"\0" * 4), (12, b"\x04\xe8\x07\x02\x1d"))
    for size in range(len(body)):
        with pytest.raises((MalformedPacket, WrongParameters)):
            parse_parameters(Reader(body[:size]), 3, (), {}, UTF8MB4)
