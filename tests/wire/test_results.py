"""Result sets as clients see them."""

import datetime
import decimal

import pytest
from mysql_mimic.types import Capabilities
from pymysql.constants import FIELD_TYPE

from proxy.result import Column, FieldType
from proxy.wire.columns import column_definition
from proxy.wire.reader import Reader
from proxy.wire.rows import text_rows
from tests.wire.conftest import Server
from tests.wire.fake import TYPED
from tests.wire.raw import BASIC, error_code

MODERN = BASIC | Capabilities.CLIENT_DEPRECATE_EOF


def test_the_end_of_rows_carries_no_affected_rows(server: Server) -> None:
    client = server.raw()
    client.log_in(capabilities=MODERN)
    client.command(b"\x03rows 7 3")
    rows, last = client.answer(deprecates_eof=True)
    assert len(rows) == 7
    assert last == b"\xfe\0\0\x02\0\0\0"


def test_clients_that_know_eof_get_it_behind_columns_and_rows(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.command(b"\x03select 1")
    packets = [client.read() for _ in range(5)]
    assert packets[2] == packets[4] == b"\xfe\0\0\x02\0"


def test_clients_that_deprecate_eof_get_none(server: Server) -> None:
    client = server.raw()
    client.log_in(capabilities=MODERN)
    client.command(b"\x03select 1")
    packets = [client.read() for _ in range(4)]
    assert packets[2:] == [b"\x011", b"\xfe\0\0\x02\0\0\0"]


def test_null_is_null_and_not_a_word(server: Server) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("null x")
        assert cursor.fetchall() == ((None,),)


def test_a_failure_among_the_rows_ends_the_result_in_an_error(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.command(b"\x03break x")
    rows, last = client.answer()
    assert rows == [b"\x011"]
    assert error_code(last) == 1064
    assert client.ask(b"\x0e")[0] == 0


def test_a_client_reads_every_type_as_its_own(server: Server) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("types x")
        (row,) = cursor.fetchall()
    values = dict(zip((column.name for column, _ in TYPED), row, strict=True))
    assert values["ubig"] == 2**64 - 1
    assert values["double"] == -2.25
    assert values["decimal"] == decimal.Decimal("12.50")
    assert values["precise"] == datetime.datetime(2024, 2, 29, 1, 2, 3, 4)
    assert values["text"] == "naïve ☃"
    assert values["blob"] == b"\x00\xff"
    assert values["json"] == '{"a": 1}'
    assert values["nothing"] is None


@pytest.mark.parametrize("size", [0, 1, 250, 251, 252, 65535, 65536, 1 << 20])
def test_a_text_of_any_length_is_read_back(server: Server, size: int) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"rows 1 {size}")
        assert cursor.fetchall() == (("0", "x" * size),)


def test_every_row_arrives_once_and_in_order(server: Server) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("rows 12345 5")
        assert [row[0] for row in cursor.fetchall()] == [str(at) for at in range(12345)]


def definition(column: Column, **options: bool) -> tuple[list[str], int, int, int, int, int]:
    reader = Reader(column_definition(column, **options))
    names = [reader.prefixed().decode() for _ in range(6)]
    assert reader.length() == 0x0C
    parts = [reader.unsigned(size) for size in (2, 4, 1, 2, 1)]
    assert reader.fixed(2) == b"\0\0"
    return (names, *parts)


def test_text_is_utf8mb4_with_its_length_in_bytes() -> None:
    column = Column("c", length=20, schema="s", table="t")
    names, charset, length, kind, flags, decimals = definition(column)
    assert names == ["def", "s", "t", "t", "c", "c"]
    assert (charset, length, kind, flags, decimals) == (255, 80, 253, 0, 0)


def test_no_column_is_a_varchar_which_libmysqlclient_refuses() -> None:
    for column, _ in TYPED:
        assert definition(column)[3] != FIELD_TYPE.VARCHAR


def test_numbers_and_blobs_are_binary() -> None:
    for column, _ in TYPED:
        _, charset, _, _, flags, _ = definition(column)
        assert (charset, bool(flags & 128)) == (
            (255, False) if column.type == FieldType.VAR_STRING else (63, True)
        )


def test_unsigned_and_not_null_are_flags() -> None:
    column = Column("c", FieldType.LONGLONG, length=20, unsigned=True, not_null=True)
    assert definition(column)[4] & 0b100001 == 0b100001


def test_a_float_without_scale_has_the_scale_that_means_any() -> None:
    assert definition(Column("c", FieldType.DOUBLE))[5] == 31
    assert definition(Column("c", FieldType.DOUBLE, decimals=2))[5] == 2
    assert definition(Column("c", FieldType.DATETIME, decimals=6))[5] == 6


def test_a_length_that_does_not_fit_is_the_largest() -> None:
    assert definition(Column("c", length=2**32 - 1))[2] == 2**32 - 1


@pytest.mark.parametrize(
    ("cell", "packet"),
    [
        (None, b"\xfb"),
        ("", b"\0"),
        ("é", b"\x02\xc3\xa9"),
        (b"\xff", b"\x01\xff"),
        ("x" * 251, b"\xfc\xfb\0" + b"x" * 251),
        ("x" * 65536, b"\xfd\0\0\x01" + b"x" * 65536),
    ],
)
def test_a_text_cell_stands_behind_its_length(cell: str | bytes | None, packet: bytes) -> None:
    assert text_rows([(cell,), (cell,)]) == [packet, packet]
