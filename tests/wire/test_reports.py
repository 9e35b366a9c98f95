"""MariaDB's progress reports: who gets them, when, and what stands in them."""

import dataclasses
import time
from collections.abc import Callable

import pytest
from mysql_mimic.types import Capabilities

from proxy.wire import reports
from proxy.wire.charsets import LATIN1, UTF8MB4
from proxy.wire.processes import Progress
from proxy.wire.reader import Reader
from proxy.wire.reports import report
from tests.wire.conftest import Server
from tests.wire.fake import PROGRESS
from tests.wire.raw import BASIC, RawClient

MARIADB = BASIC & ~Capabilities.CLIENT_LONG_PASSWORD
OLD = BASIC | Capabilities.CLIENT_CAPABILITY_EXTENSION
LIBMARIADB = {"_client_name": "libmariadb"}
EXPECTED = b"\xff\xff\xff\x01\x01\x02\x3a\x30\x00\x21" + PROGRESS.text.encode()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "FIRST", 0.05)
    monkeypatch.setattr(reports, "EVERY", 0.1)


def reader(server: Server) -> RawClient:
    client = server.raw()
    client.log_in(capabilities=MARIADB, mariadb=1)
    return client


def packets(client: RawClient, sql: str = "predict 0.3") -> list[bytes]:
    """All packets of an answer of two rows; their sequence numbers have no gap."""
    client.command(b"\x03" + sql.encode())
    got: list[bytes] = []
    ends = 0
    while ends < 2:
        expected = client.sequence
        got.append(client.read())
        assert client.sequence == (expected + 1) & 0xFF
        ends += got[-1][0] == 0xFE
    return got


def kinds(got: list[bytes]) -> str:
    """A letter for each packet, the same ones side by side as one."""
    letters = ["P" if p.startswith(b"\xff\xff\xff") else "-" for p in got]
    return "".join(a for a, b in zip(letters, ["", *letters], strict=False) if a != b)


def test_the_greeting_says_that_mariadbs_capabilities_follow_and_which(server: Server) -> None:
    packet = Reader(server.raw().read())
    packet.fixed(1)
    packet.terminated()
    packet.fixed(4 + 9)
    low = packet.unsigned(2)
    packet.fixed(1 + 2 + 2)
    assert not low & Capabilities.CLIENT_LONG_PASSWORD
    assert packet.unsigned(1) == 21
    assert packet.fixed(10) == b"\0\0\0\0\0\0\x01\0\0\0"
    assert len(packet.fixed(13)) == 13
    assert packet.terminated() == b"caching_sha2_password"


def test_reports_stand_before_the_answer_and_between_its_rows(server: Server) -> None:
    got = packets(reader(server))
    assert kinds(got) == "P-P-"
    assert {packet for packet in got if packet.startswith(b"\xff")} == {EXPECTED}
    assert [packet for packet in got if packet[-5:] in (b"first", b"econd")] == [
        b"\x05first",
        b"\x06second",
    ]


@pytest.mark.parametrize(
    ("capabilities", "mariadb", "attributes"),
    [
        (BASIC, 0, None),
        (BASIC, 1, None),  # a client of MySQL: the filler of its answer means nothing
        (MARIADB, 0, None),
        (MARIADB, 2, LIBMARIADB),
        (OLD, 0, None),  # MySQL calls this bit CLIENT_CAPABILITY_EXTENSION
        (BASIC, 0, LIBMARIADB),
    ],
)
def test_a_client_that_did_not_ask_gets_none(
    server: Server, capabilities: int, mariadb: int, attributes: dict[str, str] | None
) -> None:
    client = server.raw()
    client.log_in(capabilities=capabilities, mariadb=mariadb, attributes=attributes)
    assert kinds(packets(client)) == "-"


def test_libmariadb_asks_by_the_old_bit(server: Server) -> None:
    client = server.raw()
    client.log_in(capabilities=OLD, attributes=LIBMARIADB)
    assert kinds(packets(client)) == "P-P-"


def test_a_client_keeps_its_reports_when_it_changes_user(server: Server) -> None:
    client = reader(server)
    client.command(b"\x11open\0\0\0\xff\0mysql_native_password\0")
    client.read()
    client.send(b"")
    assert client.read()[0] == 0
    assert kinds(packets(client)) == "P-P-"


def test_without_progress_there_is_no_report(server: Server) -> None:
    client = reader(server)
    server.handlers[0].progress = None
    assert kinds(packets(client)) == "-"
    client.command(b"\x03sleep 0.3")
    assert [client.read()[:1] for _ in range(5)] == [b"\x01", b"\x03", b"\xfe", b"\x01", b"\xfe"]


def test_no_report_follows_the_end_of_a_command(server: Server) -> None:
    client = reader(server)
    packets(client)
    time.sleep(0.3)
    assert client.ask(b"\x0e")[0] == 0
    assert client.buffer == b""


def test_no_report_follows_an_interrupted_command(server: Server) -> None:
    client, killer = reader(server), server.raw()
    killer.log_in()
    client.command(b"\x03predict 60")
    assert client.read() == EXPECTED
    assert killer.ask(b"\x03kill query 1")[0] == 0
    while (packet := client.read()) == EXPECTED:
        pass
    assert packet.startswith(b"\xff\x25\x05#70100")
    time.sleep(0.3)
    assert client.ask(b"\x0e")[0] == 0


def test_a_prepared_statement_gets_reports_too(server: Server) -> None:
    client = reader(server)
    client.command(b"\x16predict 0.3")
    assert client.read()[0] == 0
    client.command(b"\x17\x01\0\0\0\0\x01\0\0\0")
    assert client.read() == EXPECTED


def test_a_client_that_does_not_read_gets_no_pile_of_reports(
    serve: Callable[..., Server],
) -> None:
    server = serve()
    client = server.raw(receive_buffer=1 << 12)
    client.log_in(capabilities=MARIADB, mariadb=1)
    client.command(b"\x03rows 200000 100")
    server.wait_for(("batch", 1000))
    stream = next(iter(server.listener._connections.values()))._stream
    server.settle()
    server.handlers[0].processes.watch(1, lambda: PROGRESS)
    before = stream.waiting
    time.sleep(0.4)
    assert stream.waiting == before > 0


@pytest.mark.parametrize(
    ("done", "sent"),
    [(None, 0), (-1.0, 0), (0.0, 0), (0.5, 50_000), (1.0, 100_000), (7.0, 100_000)],
)
def test_the_percentage_is_in_thousandths_and_bounded(done: float | None, sent: int) -> None:
    packet = Reader(report(dataclasses.replace(PROGRESS, done=done), UTF8MB4))
    packet.fixed(6)
    assert packet.unsigned(3) == sent


def test_the_text_is_in_the_clients_character_set_and_short() -> None:
    packet = Reader(report(Progress(300, 2, None, "é" * 1000), LATIN1))
    assert packet.fixed(4) == b"\xff\xff\xff\x01"
    assert (packet.unsigned(1), packet.unsigned(1)) == (255, 255)
    packet.fixed(3)
    assert packet.prefixed() == b"\xe9" * 200
    assert packet.left == 0
