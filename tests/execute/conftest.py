"""The oracle answers a model's calls by DuckDB's macros of the same names, which are no functions
of a client's.
"""

from collections.abc import Iterator

import pytest

from proxy.sql import functions
from tests.fixtures.house import MACROS


@pytest.fixture(scope="module", autouse=True)
def macros() -> Iterator[None]:
    """The oracle's macros are on the list as long as its tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "_KNOWN", functions._KNOWN | MACROS)
        yield
