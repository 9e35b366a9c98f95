"""Whatever runs for a client ends with it, on KILL, and when the server stops."""

import random
import threading
import time
from collections.abc import Callable

import pytest

from proxy.errors import KillDenied, NoSuchThread
from proxy.wire.limits import Limits
from proxy.wire.stream import PacketStream
from tests.wire.conftest import Server
from tests.wire.raw import RawClient, error_code


def running(server: Server, user: str = "alice", password: str = "wonder land") -> RawClient:
    client = server.raw()
    client.log_in(user, password)
    client.command(b"\x03sleep 60")
    server.wait_for("sleeping")
    return client


def test_a_client_that_leaves_cancels_its_query_at_once(server: Server) -> None:
    client = running(server)
    client.close()
    server.wait_for("cancelled", timeout=1)
    server.wait_for("close")


def test_a_client_that_sends_a_query_and_leaves_at_once_runs_nothing(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.command(b"\x03sleep 60")
    client.close()
    server.wait_for("close", timeout=1)


def test_kill_query_interrupts_and_the_connection_lives(server: Server) -> None:
    victim, killer = running(server), server.raw()
    killer.log_in()
    assert killer.ask(b"\x03kill query 1")[0] == 0
    answer = victim.read()
    assert error_code(answer) == 1317
    assert answer[3:] == b"#70100Query execution was interrupted"
    assert victim.ask(b"\x0e")[0] == 0


def test_kill_query_of_an_idle_connection_does_nothing(server: Server) -> None:
    victim, killer = server.raw(), server.raw()
    victim.log_in()
    killer.log_in()
    assert killer.ask(b"\x03kill query 1")[0] == 0
    assert victim.ask(b"\x0e")[0] == 0


def test_kill_ends_a_running_connection(server: Server) -> None:
    victim, killer = running(server), server.raw()
    killer.log_in()
    assert killer.ask(b"\x03kill 1")[0] == 0
    assert error_code(victim.read()) == 1317
    assert victim.at_end()


def test_kill_ends_an_idle_connection(server: Server) -> None:
    victim, killer = server.raw(), server.raw()
    victim.log_in()
    killer.log_in()
    assert killer.ask(b"\x0c\x01\0\0\0")[0] == 0
    assert victim.at_end()
    server.wait_for("close")


@pytest.mark.parametrize(("what", "lives"), [(b"query me", True), (b"me", False)])
def test_a_client_that_kills_itself_is_told(server: Server, what: bytes, lives: bool) -> None:
    client = server.raw()
    client.log_in()
    assert error_code(client.ask(b"\x03kill " + what)) == 1317
    assert client.at_end() is not lives if not lives else client.ask(b"\x0e")[0] == 0


def test_a_result_that_is_killed_ends_in_an_error(server: Server) -> None:
    victim, killer = server.raw(receive_buffer=1 << 16), server.raw()
    victim.log_in()
    killer.log_in()
    victim.command(b"\x03rows 2000000 100")
    server.wait_for(("batch", 1000))
    assert killer.ask(b"\x03kill query 1")[0] == 0
    rows, last = victim.answer()
    assert rows
    assert error_code(last) == 1317
    assert victim.ask(b"\x0e")[0] == 0
    assert "batches closed" in server.log


@pytest.mark.parametrize("command", [b"\x03kill 1", b"\x03kill query 1", b"\x0c\x01\0\0\0"])
def test_nobody_kills_what_another_owns(server: Server, command: bytes) -> None:
    victim, killer = running(server), server.raw()
    killer.log_in("bob", "builder")
    answer = killer.ask(command)
    assert error_code(answer) == 1095
    assert answer.endswith(b"You are not owner of thread 1")
    assert "cancelled" not in server.log
    victim.close()


def test_a_connection_that_is_not_logged_in_is_nobodys(server: Server) -> None:
    server.raw().greeting()
    with pytest.raises(KillDenied):
        server.listener.processes.kill(1, query_only=False, by="alice")


def test_kill_of_an_unknown_id_is_1094(server: Server) -> None:
    client = server.raw()
    client.log_in()
    answer = client.ask(b"\x03kill 77")
    assert error_code(answer) == 1094
    assert answer.endswith(b"Unknown thread id: 77")
    with pytest.raises(NoSuchThread):
        server.listener.processes.kill(0, query_only=True, by="alice")


def test_the_process_list_shows_what_the_session_published_and_no_more(server: Server) -> None:
    running(server)
    client = server.raw()
    client.log_in()
    assert client.ask(b"\x02shop")[0] == 0
    first, second = server.listener.processes.list()
    assert (first.connection_id, first.user, first.host) == (1, "alice", "127.0.0.1")
    assert (first.command, first.info) == ("Query", "sleep ")
    assert (second.command, second.info, second.database) == ("Sleep", None, "shop")
    assert first.seconds in (0, 1)


def test_ids_count_up_and_leave_with_their_connection(server: Server) -> None:
    for expected in (1, 2, 3):
        with server.connect() as connection:
            assert connection.thread_id() == expected
    deadline = time.monotonic() + 5
    while server.listener.processes.list():
        assert time.monotonic() < deadline


def stop(server: Server, grace: float) -> threading.Thread:
    thread = threading.Thread(target=server.call, args=(server.listener.stop(grace),))
    thread.start()
    return thread


def test_a_server_that_stops_tells_idle_clients(server: Server) -> None:
    client, newcomer = server.raw(), server.raw()
    client.log_in()
    newcomer.greeting()
    stop(server, 5).join()
    assert error_code(client.read()) == 1053
    assert client.at_end()
    assert error_code(newcomer.read()) == 1053
    with pytest.raises(ConnectionRefusedError):
        server.raw()
    assert server.log.count("close") == 1


def test_a_server_that_stops_lets_a_query_finish(server: Server) -> None:
    client = server.raw()
    client.log_in()
    client.command(b"\x03sleep 0.3")
    server.wait_for("sleeping")
    stopping = stop(server, 5)
    rows, _ = client.answer()
    assert rows == [b"\x010"]
    assert error_code(client.read()) == 1053
    assert client.at_end()
    stopping.join()


def test_a_query_that_outlives_the_grace_is_cancelled(server: Server) -> None:
    client = running(server)
    started = time.monotonic()
    stop(server, 0.1).join()
    assert time.monotonic() - started < 2
    assert error_code(client.read()) == 1053
    assert client.at_end()
    assert server.log[-2:] == ["cancelled", "close"]


def test_the_grace_is_the_limits_unless_given(serve: Callable[..., Server]) -> None:
    server = serve(Limits(shutdown_grace=0.1))
    client = running(server)
    server.call(server.listener.stop())
    assert error_code(client.read()) == 1053


def test_a_query_that_is_killed_before_it_begins_is_answered(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.raw()
    client.log_in()
    assert client.ask(b"\x0e")[0] == 0

    def kill(stream: PacketStream, callback: Callable[[], object] | None) -> None:
        if callback is not None:
            callback()

    monkeypatch.setattr(PacketStream, "on_gone", kill)
    assert error_code(client.ask(b"\x03select 1")) == 1317
    monkeypatch.undo()
    assert client.ask(b"\x0e")[0] == 0


def test_kills_at_any_moment_leave_answers_whole(server: Server) -> None:
    """Clients query and kill each other at random; each answer is complete, or says why not."""
    wrong: list[object] = []

    def act(seed: int) -> None:
        dice, client = random.Random(seed), server.raw()
        client.log_in()
        for _ in range(120):
            count = dice.randrange(1, 2000)
            client.command(f"\x03rows {count} 9".encode())
            rows, last = client.answer()
            if len(rows) != count and error_code(last) != 1317:
                wrong.append((count, len(rows), last))
            victim = dice.randrange(1, 9)
            if error := client.ask(f"\x03kill query {victim}".encode())[0]:
                wrong.extend([victim] if error != 0xFF else [])

    threads = [threading.Thread(target=act, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert not wrong
