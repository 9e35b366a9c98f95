"""What every test may ask for."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.base import Environment
from engines.local.model_file import find_model_file
from tests.support.proxy import ProxyProcess


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept",
        action="store_true",
        help="rewrite the expected parts of tests with what is observed",
    )


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
