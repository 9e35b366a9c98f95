"""One proxy for all attempts of a module."""

from collections.abc import Iterator

import pytest

from tests.safety.attempts import PLANTED, SECRET, Intruder
from tests.support.proxy import ProxyProcess


@pytest.fixture(scope="module")
def intruder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Intruder]:
    directory = tmp_path_factory.mktemp("safety")
    file = directory / "secret.csv"
    file.write_text(f"a,b\n1,{SECRET}\n")
    with ProxyProcess(directory / "data", {PLANTED: SECRET}) as proxy:
        intruder = Intruder(proxy, file)
        yield intruder
        intruder.close()
