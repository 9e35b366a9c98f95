"""One test for each command of the command phase."""

import logging
from collections.abc import Callable

import pymysql
import pytest
from mysql_mimic.types import Capabilities
from pymysql.constants import CLIENT

from proxy.wire.limits import Limits
from tests.wire.conftest import Server
from tests.wire.raw import BASIC, RawClient, error_code

SEVERAL = BASIC | Capabilities.CLIENT_MULTI_STATEMENTS
AUTOCOMMIT, IN_TRANS, MORE = 2, 1, 8


@pytest.fixture
def client(server: Server) -> RawClient:
    client = server.raw()
    client.log_in()
    return client


def status(packet: bytes) -> int:
    """Of an OK packet with small counts, or of an EOF."""
    return int.from_bytes(packet[3:5], "little")


def test_ping_is_ok_with_autocommit(client: RawClient) -> None:
    assert client.ask(b"\x0e") == b"\0\0\0\x02\0\0\0"


def test_quit_closes(client: RawClient, server: Server) -> None:
    client.command(b"\x01")
    assert client.at_end()
    server.wait_for("close")


def test_ok_carries_affected_rows_insert_id_and_info(server: Server) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        assert cursor.execute("insert x") == 3
        assert cursor.lastrowid == 41
        assert connection._result.message == b"\x0aRecords: 3"


def test_ok_tells_of_an_open_transaction(client: RawClient) -> None:
    assert status(client.ask(b"\x03begin x")) == IN_TRANS


def test_ok_carries_the_number_of_warnings(client: RawClient) -> None:
    assert client.ask(b"\x03warn x")[5:7] == b"\x02\0"


def test_an_empty_query_is_1065(client: RawClient) -> None:
    assert error_code(client.ask(b"\x03 ; ")) == 1065


def test_several_statements_need_the_clients_announcement(client: RawClient) -> None:
    assert error_code(client.ask(b"\x03select 1; insert x")) == 1064


def test_no_statement_of_a_refused_text_runs(client: RawClient, server: Server) -> None:
    client.ask(b"\x03insert x; insert y")
    assert server.log == [("open", "alice", None)]


def test_several_statements_have_a_result_each(server: Server) -> None:
    with server.connect(client_flag=CLIENT.MULTI_STATEMENTS) as connection:
        cursor = connection.cursor()
        cursor.execute("select 1; insert x; select 3")
        results = [list(cursor.fetchall())]
        while cursor.nextset():
            results.append(list(cursor.fetchall()))
    assert results == [[("1",)], [], [("3",)]]


def test_all_but_the_last_of_several_results_announce_more(server: Server) -> None:
    client = server.raw()
    client.log_in(capabilities=SEVERAL)
    client.command(b"\x03insert x; select 2; insert y")
    flags = [client.answer()[1] for _ in range(3)]
    assert [status(packet) & MORE for packet in flags] == [MORE, MORE, 0]


def test_a_failing_statement_ends_the_several(server: Server) -> None:
    client = server.raw()
    client.log_in(capabilities=SEVERAL)
    client.command(b"\x03insert x; oops; insert y")
    assert status(client.read()) & MORE
    assert error_code(client.read()) == 1064
    assert client.ask(b"\x0e")[0] == 0
    assert ("query", "insert y") not in server.log


def test_set_option_turns_several_statements_on_and_off(client: RawClient) -> None:
    assert client.ask(b"\x1b\0\0")[0] == 0xFE
    client.command(b"\x03insert x; insert y")
    assert [client.read()[0], client.read()[0]] == [0, 0]
    assert client.ask(b"\x1b\x01\0")[0] == 0xFE
    assert error_code(client.ask(b"\x03insert x; insert y")) == 1064


def test_init_db_uses_the_database(client: RawClient, server: Server) -> None:
    assert client.ask(b"\x02shop")[0] == 0
    assert server.log[-1] == ("use", "shop")
    assert server.listener.processes.list()[0].database == "shop"


def test_a_failed_init_db_changes_nothing(client: RawClient, server: Server) -> None:
    assert error_code(client.ask(b"\x02missing")) == 1064
    assert server.listener.processes.list()[0].database is None


def test_field_list_sends_one_packet_for_each_column_and_an_end(client: RawClient) -> None:
    packets = [client.ask(b"\x04notes\0"), client.read(), client.read()]
    assert [packet[:4] for packet in packets[:2]] == [b"\x03def"] * 2
    assert packets[0].endswith(b"\xfb")
    assert packets[2][0] == 0xFE


def test_field_list_keeps_to_its_pattern(client: RawClient) -> None:
    assert b"text" in client.ask(b"\x04notes\0t%")
    assert client.read()[0] == 0xFE


def test_statistics_is_a_line_of_text(client: RawClient) -> None:
    client.ask(b"\x03insert x")
    text = client.ask(b"\x09").decode()
    assert text.startswith("Uptime: ")
    assert "Threads: 1  Questions: 1  " in text


def test_process_info_is_the_process_list(client: RawClient) -> None:
    client.command(b"\x0a")
    rows, _ = client.answer()
    assert len(rows) == 1
    assert b"alice" in rows[0]


def test_debug_is_answered(client: RawClient) -> None:
    assert client.ask(b"\x0d")[0] == 0xFE


def test_reset_connection_resets_the_handler_and_forgets_statements(
    client: RawClient, server: Server
) -> None:
    client.ask(b"\x16insert x")
    assert client.ask(b"\x1f")[0] == 0
    assert server.log[-1] == "reset"
    assert error_code(client.ask(b"\x17\x01\0\0\0\0\x01\0\0\0")) == 1243


def test_reset_connection_takes_back_set_option(client: RawClient) -> None:
    client.ask(b"\x1b\0\0")
    client.ask(b"\x1f")
    assert error_code(client.ask(b"\x03insert x; insert y")) == 1064


def test_a_bug_is_1105_for_the_client_and_a_traceback_for_the_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), server.connect() as connection:
        cursor = connection.cursor()
        with pytest.raises(pymysql.OperationalError) as failure:
            cursor.execute("bug 'password=hush'")
        cursor.execute("select 1")
    assert failure.value.args == (1105, "Internal error; the server's log has the details")
    assert "secret of the house" in caplog.text
    assert "hush" not in caplog.text


def test_a_broken_connection_behind_the_handler_is_not_the_clients(client: RawClient) -> None:
    assert error_code(client.ask(b"\x03upstream x")) == 1105
    assert client.ask(b"\x0e")[0] == 0


def test_statements_are_read_in_the_clients_character_set(server: Server) -> None:
    client = server.raw()
    client.log_in(collation=8)
    client.command(b"\x03select caf\xe9 \x80")
    rows, _ = client.answer()
    assert server.log[-1] == ("query", "select café €")
    assert rows == [b"\x06caf\xe9 \x80"]


def test_a_handler_is_closed_once_whatever_happened(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.ask(b"\x03bug x")
    client.ask(b"\x05")
    client.send_bytes(b"\x01\0\0\x09\x0e")
    server.wait_for("close")
    assert server.log.count("close") == 1


def test_the_server_answers_the_same_under_uvloop(serve: Callable[..., Server]) -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")
    server = serve(Limits(), loop=uvloop.new_event_loop())
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("rows 5000 300")
        assert len(cursor.fetchall()) == 5000
        cursor.execute("select 1")
        assert cursor.fetchall() == (("1",),)
    client = server.raw()
    client.log_in()
    client.command(b"\x03sleep 60")
    server.wait_for("sleeping")
    client.close()
    server.wait_for("cancelled")
