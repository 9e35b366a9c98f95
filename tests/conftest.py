"""What every test may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[ProxyProcess]:
    """A running proxy with an empty data directory."""
    with ProxyProcess(tmp_path / "data") as process:
        yield process
