"""What every test may ask for."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.base import Environment
from engines.local.model_file import find_model_file
from tests.support.proxy import ProxyProcess
from tests.support.servers.fleet import Fleet
from tests.support.servers.program import Missing
from tests.support.servers.server import Database


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept",
        action="store_true",
        help="rewrite the expected parts of tests with what is observed",
    )


def pytest_configure() -> None:
    """SIGTERM ends the tests as Ctrl-C does, so that what they started is stopped and removed."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the second time, at once
    raise KeyboardInterrupt


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Whether expected outputs are to be rewritten (`make accept`)."""
    return bool(request.config.getoption("--accept"))


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The embedded model's file, fetched once into MODELWIRE_TEST_MODEL_DIR or the user's cache."""
    kept = os.environ.get("MODELWIRE_TEST_MODEL_DIR") or Path.home() / ".cache" / "modelwire"
    return asyncio.run(find_model_file(Environment(data_dir=Path(kept))))


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[ProxyProcess]:
    """A running proxy with an empty data directory."""
    with ProxyProcess(tmp_path / "data") as process:
        yield process


@pytest.fixture(scope="session")
def servers() -> Iterator[Fleet]:
    """PostgreSQL, MariaDB and S3: each started when it is asked for, all stopped at the end."""
    with Fleet() as fleet:
        yield fleet


@pytest.fixture
def postgres(servers: Fleet) -> Iterator[Database]:
    """An empty database on a PostgreSQL server."""
    yield from _database(servers, "postgres")


@pytest.fixture
def mariadb(servers: Fleet) -> Iterator[Database]:
    """An empty database on a MariaDB server."""
    yield from _database(servers, "mariadb")


@pytest.fixture
def s3(servers: Fleet) -> Iterator[Database]:
    """An empty bucket on an S3-compatible server."""
    yield from _database(servers, "s3")


def _database(servers: Fleet, kind: str) -> Iterator[Database]:
    try:
        servers.server(kind)
    except Missing as missing:
        pytest.skip(str(missing))
    with servers.database(kind) as database:
        yield database
