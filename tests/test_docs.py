"""What README.md and docs/ say is true: every statement runs, every setting exists."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess
from tests.support.servers.duck import run, run_sqlite
from tests.support.servers.fleet import Fleet
from tests.support.servers.program import Missing

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    path for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))) if path.exists()
]
SQL_BLOCK = re.compile(r"^```sql[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
STATEMENT = re.compile(r"(.+?);[ \t]*(?:-- ERROR (\d+)[^\n]*)?(?:\n|\Z)", re.DOTALL)
FILE_BLOCK = re.compile(r"^```\w+ (/home/me|/srv/data)/(\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SETTING = re.compile(r"\bMODELWIRE_[A-Z0-9_]*[A-Z0-9]\b")
KEY = "sk-of-the-docs-test"
SECRETS = "/run/secrets"
"""What documents call the folder of key files."""
HOSTS = {"pg.example.com": "postgres", "mariadb.example.com": "mariadb", "s3.example.com": "s3"}
"""What documents call the servers of data sources."""
LOGIN = {"5432": "port", "3306": "port", "reader": "user", "hush": "password", "shop": "database"}
"""What they call the rest of the way to a database there."""
BUCKET = {"9000": "port", "my-bucket": "bucket", "AKIAEXAMPLE": "key", "hush": "secret"}
"""And to a bucket."""
FOLDER = "/srv/data"
"""What documents call the folder that is open to data sources."""
SHOP = """
CREATE TABLE reviews (id INTEGER PRIMARY KEY, body TEXT, stars INTEGER);
INSERT INTO reviews VALUES (1, 'Superb.', 5), (2, 'It broke at once.', 1);
"""
"""What the database files shop.sqlite and shop.duckdb of that folder hold."""

HOME = "/home/me"
"""What documents call the client's folder; a block with the name of a file in it is that file."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a document; `-- ERROR 1210` behind it promises `error`."""

    place: str
    sql: str
    error: int | None


def statements(document: Path) -> Iterator[Statement]:
    text = document.read_text(encoding="utf-8")
    for block in SQL_BLOCK.finditer(text):
        for found in STATEMENT.finditer(block[1]):
            line = text.count("\n", 0, block.start(1) + found.start()) + 1
            error = int(found[2]) if found[2] else None
            yield Statement(f"{document.name}:{line}", found[1].strip(), error)


def databases(text: str, servers: Fleet, stack: ExitStack) -> dict[str, dict[str, str]]:
    """An empty database on each server that a document names: by host, what leads to it."""
    found: dict[str, dict[str, str]] = {}
    for host, kind in HOSTS.items():
        if host in text:
            try:
                servers.server(kind)
            except Missing as missing:
                pytest.skip(str(missing))
            found[host] = stack.enter_context(servers.database(kind)).names
    return found


def reaching(sql: str, reached: dict[str, dict[str, str]]) -> str:
    """A statement that names a server, with what leads to the one of the test."""
    for host, names in reached.items():
        if host in sql:
            sql = sql.replace(host, names["host"])
            for written, name in (LOGIN if "user" in names else BUCKET).items():
                sql = re.sub(rf"\b{written}\b", names[name], sql)
    return sql


def placed(sql: str, places: Mapping[str, str]) -> str:
    for name, path in places.items():
        sql = sql.replace(name, path)
    return sql


def outcome(connection: "pymysql.Connection[pymysql.cursors.Cursor]", sql: str) -> int | None:
    """The code of the error that `sql` raises, or None."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql)
        except pymysql.MySQLError as error:
            return int(error.args[0])
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_statement_of_a_document_does_what_it_says(
    document: Path, tmp_path: Path, model_path: Path, servers: Fleet
) -> None:
    with Endpoint("positive") as endpoint, ExitStack() as stack:
        reached = databases(document.read_text(encoding="utf-8"), servers, stack)
        addresses = {f"{HOSTS[h]}://{n['host']}:{n['port']}": n for h, n in reached.items()}
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        (secrets / "provider_key").write_text(KEY)
        folder = tmp_path / "shared"
        folder.mkdir()
        run_sqlite(SHOP, folder / "shop.sqlite")
        run(SHOP, folder / "shop.duckdb")
        places = {SECRETS: str(secrets), HOME: str(tmp_path), FOLDER: str(folder)}
        settings = {
            "MODELWIRE_SOURCE_DIRS": str(folder),
            "ANYSCALE_API_KEY": KEY,
            "PG_PASSWORD": "".join(
                names.get("password", "") for names in [*addresses.values()][:1]
            ),
            "MODELWIRE_SECRET_ENV": json.dumps(
                {"ANYSCALE_API_KEY": endpoint.url, "PG_PASSWORD": [*addresses]}
            ),
            "MODELWIRE_SECRET_FILES": f'{{"{secrets}": "{endpoint.url}"}}',
            "MODELWIRE_ANYSCALE_ENDPOINTS_API_BASE": endpoint.url,
            "MODELWIRE_ANYSCALE_ENDPOINTS_API_KEY": KEY,
            "MODELWIRE_OPENAI_API_BASE": endpoint.url,
            "MODELWIRE_OPENAI_API_KEY": KEY,
            "MODELWIRE_MODEL_CARDS": endpoint.url,
            "MODELWIRE_LOCAL_MODEL": str(model_path),
        }
        with ProxyProcess(tmp_path / "data", settings) as proxy:
            for found in FILE_BLOCK.finditer(document.read_text(encoding="utf-8")):
                file = Path(f"{placed(found[1], places)}/{found[2]}")
                file.parent.mkdir(exist_ok=True)
                file.write_text(found[3], encoding="utf-8")
            connection = proxy.connect(read_timeout=300, local_infile=True, autocommit=True)
            promised = [(each.place, each.sql, each.error) for each in statements(document)]
            assert [
                (place, sql, outcome(connection, reaching(placed(sql, places), reached)))
                for place, sql, _ in promised
            ] == promised


def test_readme_names_each_setting_that_serve_has() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "proxy.cli", "serve", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(SETTING.findall(readme)) == set(SETTING.findall(told))
