"""What README.md and docs/ say is true: every statement runs, every setting exists."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    path for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))) if path.exists()
]
SQL_BLOCK = re.compile(r"^```sql[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
STATEMENT = re.compile(r"(.+?);[ \t]*(?:-- ERROR (\d+)[^\n]*)?(?:\n|\Z)", re.DOTALL)
SETTING = re.compile(r"\bMODELWIRE_[A-Z0-9_]*[A-Z0-9]\b")
KEY = "sk-of-the-docs-test"
SECRETS = "/run/secrets"
"""What documents call the folder of key files."""


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
    document: Path, tmp_path: Path, model_path: Path
) -> None:
    with Endpoint("positive") as endpoint:
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        (secrets / "provider_key").write_text(KEY)
        settings = {
            "ANYSCALE_API_KEY": KEY,
            "MODELWIRE_SECRET_ENV": f'{{"ANYSCALE_API_KEY": "{endpoint.url}"}}',
            "MODELWIRE_SECRET_FILES": f'{{"{secrets}": "{endpoint.url}"}}',
            "MODELWIRE_ANYSCALE_ENDPOINTS_API_BASE": endpoint.url,
            "MODELWIRE_ANYSCALE_ENDPOINTS_API_KEY": KEY,
            "MODELWIRE_OPENAI_API_BASE": endpoint.url,
            "MODELWIRE_OPENAI_API_KEY": KEY,
            "MODELWIRE_MODEL_CARDS": endpoint.url,
            "MODELWIRE_LOCAL_MODEL": str(model_path),
        }
        with ProxyProcess(tmp_path / "data", settings) as proxy:
            connection = proxy.connect(read_timeout=300)
            promised = [(each.place, each.sql, each.error) for each in statements(document)]
            assert [
                (place, sql, outcome(connection, sql.replace(SECRETS, str(secrets))))
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
