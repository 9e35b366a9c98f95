"""MariaDB: an account with a password, every statement in its general log, nothing synced.

PyMySQL runs what is native.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pymysql
from pymysql.constants import CLIENT

from tests.support.servers.process import HOST, START_SECONDS, Process, run
from tests.support.servers.program import find, give
from tests.support.servers.server import NativeError, Rows, Server

PACKAGE = "mariadb-server"
ADMIN = "keeper"
ENTRY = re.compile(
    r"(?:\d{6} [ \d]\d:\d\d:\d\d)?\t+ *(?P<id>\d+) (?P<command>[A-Z][\w ]*)(?:\t(?P<text>.*))?"
)
BANNER = re.compile(r".*, Version: .* started with:|Tcp port: .*|Time\t+ *Id Command\tArgument")
CONNECTED = re.compile(r"(?P<user>[^@]*)@\S+ on ")


class MariaDB(Server):
    """A MariaDB server."""

    kind = "mariadb"

    def names(self, database: str) -> dict[str, str]:
        """Host, port, user, password, database."""
        return {
            "host": self.host,
            "port": str(self.port),
            "user": self.user,
            "password": self.password,
            "database": database,
        }

    def native(self, database: str, sql: str, admin: bool = False) -> Rows:
        """Run statements as the administrator: in MariaDB, tables belong to nobody."""
        try:
            with closing(self._connect(database)) as client, client.cursor() as cursor:
                cursor.execute(sql)
                result = _rows(cursor)
                while cursor.nextset():
                    result = _rows(cursor)
                return result
        except pymysql.MySQLError as error:
            raise NativeError(" ".join(map(str, error.args))) from error

    def mark(self) -> int:
        """The size of the general log: a statement is in it before it is run."""
        return self._general_log.stat().st_size if self._general_log.exists() else 0

    def statements_since(self, mark: int) -> list[str]:
        """What `user` has had run, by text or prepared."""
        return statements(self._general_log.read_bytes(), self.user, mark)

    @property
    def _general_log(self) -> Path:
        return self.process.folder / "general.log"

    def _connect(self, database: str | None) -> Any:
        return pymysql.connect(
            host=HOST,
            port=self.port,
            user=ADMIN,
            password=self.password,
            database=database,
            charset="utf8mb4",
            conv={},
            autocommit=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
            read_timeout=START_SECONDS * 4,
        )

    def _initialised(self, folder: Path) -> Process:
        accounts = folder / "accounts.sql"
        accounts.write_text(
            f"CREATE USER IF NOT EXISTS {ADMIN}@'%' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO {ADMIN}@'%' WITH GRANT OPTION;\n"
            f"CREATE USER IF NOT EXISTS {self.user}@'%' IDENTIFIED BY '{self.password}';\n"
        )
        give(accounts)
        run(
            [
                *(find("mariadb-install-db", PACKAGE), "--no-defaults", f"--datadir={folder}/data"),
                *("--skip-test-db", "--skip-name-resolve", "--innodb-flush-method=nosync"),
                *("--innodb-log-file-size=16M", f"--tmpdir={folder}"),
            ],
            folder,
        )
        return Process(
            [find("mariadbd", PACKAGE), "--no-defaults", *self._options(folder)],
            folder,
            ready=re.compile("ready for connections"),
        )

    def _options(self, folder: Path) -> list[str]:
        options = {
            "datadir": folder / "data",
            "tmpdir": folder,  # names there are made of the process's number: not its alone in /tmp
            "bind-address": HOST,
            "port": self.port,
            "socket": folder / "socket",
            "pid-file": folder / "pid",
            "init-file": folder / "accounts.sql",
            "character-set-server": "utf8mb4",
            "collation-server": "utf8mb4_general_ci",
            "default-time-zone": "+00:00",
            "innodb-buffer-pool-size": "64M",
            "innodb-log-file-size": "16M",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-flush-method": "nosync",
            "innodb-doublewrite": 0,
            "performance-schema": 0,
            "skip-name-resolve": 1,
            "general-log": int(self.logged),
            "general-log-file": folder / "general.log",
        }
        return [f"--{name}={value}" for name, value in options.items()]

    def _furnish(self) -> None:
        """The accounts are made by the init file."""

    def _create(self, database: str) -> None:
        self.native(
            "mysql", f"CREATE DATABASE {database}; GRANT ALL ON {database}.* TO {self.user}@'%'"
        )

    def _drop(self, database: str) -> None:
        self.native(
            "mysql", f"DROP DATABASE {database}; REVOKE ALL ON {database}.* FROM {self.user}@'%'"
        )


def _rows(cursor: Any) -> Rows:
    columns = cursor.description or ()
    return Rows([column[0] for column in columns], [list(row) for row in cursor.fetchall()])


class _Entry(NamedTuple):
    at: int
    user: str
    command: str
    text: str


def statements(log: bytes, user: str, mark: int = 0) -> list[str]:
    """The statements of a user in a general log, from a position on.

    The whole log is needed: who it is that a connection's number stands for, its Connect says.
    """
    return [
        entry.text
        for entry in _entries(log)
        if entry.at >= mark and entry.user == user and entry.command in {"Query", "Execute"}
    ]


def _entries(log: bytes) -> Iterator[_Entry]:
    """Entries whose text may have several lines."""
    users: dict[str, str] = {}
    last: _Entry | None = None
    at = 0
    for raw in log.split(b"\n"):
        line, begins = raw.decode(errors="replace"), at
        at += len(raw) + 1
        found = ENTRY.fullmatch(line)
        if not found and last and not BANNER.fullmatch(line):
            last = last._replace(text=f"{last.text}\n{line}")
            continue
        if last:
            yield last
        last = None
        if found:
            text = found["text"] or ""
            if found["command"] == "Connect" and (who := CONNECTED.match(text)):
                users[found["id"]] = who["user"]
            last = _Entry(begins, users.get(found["id"], ""), found["command"], text)
    if last:
        yield last
