from collections.abc import Iterator

import pytest

from tests.jobs.support import Scene
from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess


@pytest.fixture
def scene(proxy: ProxyProcess) -> Iterator[Scene]:
    """A fresh proxy with a model, `mood`, whose every prediction is a call, and a table `log`."""
    with Endpoint("good") as endpoint:
        scene = Scene(proxy, endpoint)
        scene.furnish()
        yield scene
