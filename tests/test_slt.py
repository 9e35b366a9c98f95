"""Every file under slt/ is one test."""

from pathlib import Path

import pytest

from tests.support import slt, slt_file
from tests.support.servers.fleet import Fleet
from tests.support.servers.program import Missing

FILES = sorted(Path(__file__).with_name("slt").glob("*.test"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_says_what_the_proxy_does(
    path: Path, tmp_path: Path, servers: Fleet, accept: bool
) -> None:
    script = slt_file.read(path)
    try:
        mismatches = slt.run(script, tmp_path / "data", servers)
    except Missing as missing:
        pytest.skip(str(missing))
    if accept and mismatches:
        path.write_text(slt_file.write(slt.accepted(script, mismatches)), encoding="utf-8")
    elif mismatches:
        report = "\n".join(str(mismatch) for mismatch in mismatches)
        pytest.fail(f"{path.name}: {len(mismatches)} of its blocks\n{report}", pytrace=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_is_written_as_accept_would_write_it(path: Path) -> None:
    assert slt_file.write(slt_file.read(path)) == path.read_text(encoding="utf-8")
