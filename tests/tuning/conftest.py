from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess
from tests.tuning.scene import SETTINGS, Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A furnished proxy; the endpoint's jobs succeed at the second look."""
    with (
        Endpoint("good", key="sk-tuning") as endpoint,
        ProxyProcess(tmp_path / "data", SETTINGS) as proxy,
    ):
        scene = Scene(proxy, endpoint)
        scene.furnish()
        yield scene
