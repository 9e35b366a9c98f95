"""PostgreSQL: passwords by SCRAM, every statement in its log, nothing synced to the disk.

psql runs what is native: it comes with the server.
"""

import csv
import os
import re
import signal
import subprocess
from io import StringIO
from pathlib import Path

from tests.support.servers.process import HOST, START_SECONDS, Process, run
from tests.support.servers.program import find, give
from tests.support.servers.server import NativeError, Rows, Server

FOLDERS = "usr/lib/postgresql/*/bin"
PACKAGE = "postgresql"
ADMIN = "keeper"
NULL = "\N{REPLACEMENT CHARACTER}NULL"
"""How psql is told to write a NULL, which its CSV cannot tell from an empty text."""
PREFIX = "<%u> "
LINE = re.compile(r"<(?P<user>\w*)> (?P<level>[A-Z]+):  (?P<text>.*)")
STATEMENT = re.compile(r"(?:statement|execute [^:]*): (.*)", re.DOTALL)


class Postgres(Server):
    """A PostgreSQL server."""

    kind = "postgres"

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
        """Run statements by psql, each in a transaction of its own."""
        done = subprocess.run(
            [
                *(find("psql", PACKAGE, FOLDERS), "--no-psqlrc", "--quiet", "--csv"),
                *(f"--pset=null={NULL}", "--set=ON_ERROR_STOP=1", "--file=-"),
                *(f"--host={HOST}", f"--port={self.port}"),
                *(f"--username={ADMIN}", f"--dbname={database}"),
            ],
            input=sql.encode(),
            env={
                **os.environ,
                "PGPASSWORD": self.password,
                "PGOPTIONS": "" if admin else f"-c role={self.user}",
                "PGCLIENTENCODING": "UTF8",
            },
            capture_output=True,
            check=False,
            timeout=START_SECONDS * 4,
        )
        if done.returncode:
            raise NativeError(done.stderr.decode().strip())
        header, *rows = list(csv.reader(StringIO(done.stdout.decode(), newline=""))) or [[]]
        return Rows(header, [[None if cell == NULL else cell for cell in row] for row in rows])

    def mark(self) -> int:
        """The size of the log: a statement is in it before it is run."""
        return self.process.log.stat().st_size

    def statements_since(self, mark: int) -> list[str]:
        """What `user` has had run, COPY and the statements of cursors too."""
        text = self.process.log.read_bytes()[mark:].decode()
        return statements(text, self.user)

    def _initialised(self, folder: Path) -> Process:
        data, password = folder / "data", folder / "password"
        password.write_text(self.password)
        give(password)
        run(
            [
                *(find("initdb", PACKAGE, FOLDERS), f"--pgdata={data}", f"--username={ADMIN}"),
                *("--auth=scram-sha-256", f"--pwfile={password}", "--no-sync", "--no-instructions"),
                *("--encoding=UTF8", "--locale=C.UTF-8"),
            ],
            folder,
        )
        return Process(
            [find("postgres", PACKAGE, FOLDERS), "-D", str(data), *self._options()],
            folder,
            ready=re.compile("database system is ready to accept connections"),
            ending=signal.SIGINT,  # "fast": without waiting for clients
        )

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 60,
            "shared_buffers": "32MB",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "off",
            "log_line_prefix": PREFIX,
            "log_statement": "all" if self.logged else "none",
        }
        return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]

    def _furnish(self) -> None:
        self._administer(f"CREATE ROLE {self.user} LOGIN PASSWORD '{self.password}'")
        self._administer("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")

    def _create(self, database: str) -> None:
        self._administer(f"CREATE DATABASE {database} OWNER {self.user}")

    def _drop(self, database: str) -> None:
        self._administer(f"DROP DATABASE {database} WITH (FORCE)")

    def _administer(self, sql: str) -> None:
        self.native("postgres", sql, admin=True)


def statements(log: str, user: str) -> list[str]:
    """The statements of a user in the text of a log, whose lines begin with PREFIX.

    A statement's further lines begin with a tab.
    """
    entries: list[tuple[str, str, str]] = []
    for line in log.split("\n"):
        if found := LINE.match(line):
            entries.append((found["user"], found["level"], found["text"]))
        elif line.startswith("\t") and entries:
            who, level, text = entries[-1]
            entries[-1] = who, level, f"{text}\n{line[1:]}"
    said = (
        STATEMENT.fullmatch(text) for who, level, text in entries if (who, level) == (user, "LOG")
    )
    return [found[1] for found in said if found]
