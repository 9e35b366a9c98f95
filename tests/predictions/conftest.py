from collections.abc import Iterator

import pytest

from tests.predictions.support import Scene, number
from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess


@pytest.fixture
def scene(proxy: ProxyProcess) -> Iterator[Scene]:
    """A fresh proxy, and an endpoint that answers each row with its number."""
    with Endpoint(number) as endpoint:
        yield Scene(proxy, endpoint)
