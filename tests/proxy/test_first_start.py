"""The first start makes a user; later ones make none. Real processes, their real output."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

READY = re.compile(r"modelwire is ready on (\S+):(\d+)")
FIRST_USER = re.compile(r"^First user '(\w+)' has the password (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Start:
    """One start and stop of a proxy: what it printed and logged, and what was seen of it."""

    out: str
    log: str
    host: str
    modes: dict[str, int]
    logins: dict[str, bool]
    outside: bool


def start(directory: Path, logins: dict[str, str] | None = None, **settings: str) -> Start:
    """Start a proxy that is to listen everywhere, look at it, stop it. `logins` are users and
    passwords to try; None tries the user that it prints."""
    names = {name: value for name, value in os.environ.items() if not name.startswith("MODELWIRE_")}
    env = names | {"MODELWIRE_HOST": "0.0.0.0", "MODELWIRE_PORT": "0"}
    env |= {"MODELWIRE_DATA_DIR": str(directory / "data"), "PYTHONUNBUFFERED": "1", **settings}
    out, log = directory / "out", directory / "log"
    with out.open("w") as stdout, log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "proxy.cli", "serve"], env=env, stdout=stdout, stderr=stderr
        )
        try:
            host, port = wait_until_ready(process, log)
            tried = logins if logins is not None else dict(FIRST_USER.findall(out.read_text()))
            seen = {user: lets_in(port, user, password) for user, password in tried.items()}
            outside = answers(own_address(), port)
            modes = {p.name: p.stat().st_mode & 0o777 for p in (directory / "data").iterdir()}
            modes["."] = (directory / "data").stat().st_mode & 0o777
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)
    return Start(out.read_text(), log.read_text(), host, modes, seen, outside)


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + 30
    while (found := READY.search(log.read_text())) is None:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    return found[1], int(found[2])


def lets_in(port: int, user: str, password: str) -> bool:
    try:
        pymysql.connect(host="127.0.0.1", port=port, user=user, password=password).close()
    except pymysql.OperationalError as error:
        if error.args[0] != 1045:
            raise
        return False
    return True


def own_address() -> str | None:
    """An address of this machine that is not loopback, if it has one. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


def answers(host: str | None, port: int) -> bool:
    if host is None:
        return False
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("start")


@pytest.fixture(scope="module")
def first(directory: Path) -> Start:
    """The first start of a data directory."""
    return start(directory)


@pytest.fixture(scope="module")
def second(first: Start, directory: Path) -> Start:
    """The start after it, with the password that the first one printed."""
    return start(directory, dict(FIRST_USER.findall(first.out)))


@pytest.fixture(scope="module")
def changed(first: Start, second: Start, directory: Path) -> Start:
    """A start with a password of one's own."""
    ((user, _),) = FIRST_USER.findall(first.out)
    return start(directory, {user: "my own"}, MODELWIRE_PASSWORD="my own")


def test_the_first_start_prints_a_user_and_a_password_once(first: Start) -> None:
    assert FIRST_USER.fullmatch(first.out.strip())


def test_the_printed_password_lets_in(first: Start) -> None:
    assert first.logins == {"modelwire": True}


def test_the_password_is_not_in_the_log(first: Start) -> None:
    ((_, password),) = FIRST_USER.findall(first.out)
    assert password not in first.log


def test_the_password_is_long_and_another_each_time(first: Start, tmp_path: Path) -> None:
    ((_, one),), ((_, other),) = map(FIRST_USER.findall, (first.out, start(tmp_path).out))
    assert one != other
    assert min(len(one), len(other)) >= 16


def test_a_user_that_nobody_configured_is_served_on_loopback_only(first: Start) -> None:
    assert (first.host, first.outside) == ("127.0.0.1", False)


def test_that_is_said_in_the_log(first: Start) -> None:
    assert "listening on 127.0.0.1 only" in first.log


def test_an_empty_password_is_none(tmp_path: Path) -> None:
    started = start(tmp_path, {"modelwire": ""}, MODELWIRE_PASSWORD="")
    assert FIRST_USER.search(started.out)
    assert (started.logins, started.host) == ({"modelwire": False}, "127.0.0.1")


def test_a_start_that_fails_uses_up_no_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = {n: v for n, v in os.environ.items() if not n.startswith("MODELWIRE_")}
        env |= {"MODELWIRE_DATA_DIR": str(tmp_path / "data")}
        command = [sys.executable, "-m", "proxy.cli", "serve", "--port"]
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*command, port], env=env, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot listen on 127.0.0.1:" + port in done.stderr
    assert FIRST_USER.search(start(tmp_path).out)


def test_the_second_start_prints_nothing(second: Start) -> None:
    assert second.out == ""


def test_the_first_password_lets_in_after_a_restart(second: Start) -> None:
    assert second.logins == {"modelwire": True}


def test_a_password_of_ones_own_takes_the_place_of_the_first(changed: Start) -> None:
    assert changed.logins == {"modelwire": True}


def test_a_password_of_ones_own_is_not_printed(changed: Start) -> None:
    assert changed.out == ""


def test_with_a_password_of_ones_own_it_listens_where_it_is_told(changed: Start) -> None:
    assert changed.host == "0.0.0.0"
    assert changed.outside or own_address() is None


def test_the_old_password_is_gone(changed: Start, first: Start, directory: Path) -> None:
    assert start(directory, dict(FIRST_USER.findall(first.out))).logins == {"modelwire": False}


def test_another_users_name_makes_another_user(directory: Path, changed: Start) -> None:
    seen = start(
        directory,
        {"ann": "hers", "modelwire": "my own"},
        MODELWIRE_USER="ann",
        MODELWIRE_PASSWORD="hers",
    )
    assert seen.logins == {"ann": True, "modelwire": True}


def test_the_data_directory_is_for_its_owner_only(first: Start) -> None:
    assert first.modes["."] == 0o700


def test_keys_are_for_their_owner_only(first: Start) -> None:
    keys = {name: mode for name, mode in first.modes.items() if name.endswith((".key", ".pem"))}
    assert {mode for name, mode in keys.items() if "cert" not in name} == {0o600}
    assert "secret.key" in keys
