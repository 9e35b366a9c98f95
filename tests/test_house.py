"""The files around the code agree with each other."""

import csv
import re
import tomllib
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PIN = re.compile(r"^([a-z0-9-]+)==(\S+?)(?: ; .*)? \\$", re.MULTILINE)
LOCKS = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["local"]],
    "requirements-dev.lock": [*PROJECT["dependencies"], *EXTRAS["local"], *EXTRAS["dev"]],
}


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / lock).read_text(encoding="utf-8")))


@pytest.mark.parametrize(("lock", "requirements"), LOCKS.items(), ids=LOCKS)
def test_lock_pins_what_the_project_requires(lock: str, requirements: list[str]) -> None:
    pinned = pins(lock)
    for requirement in map(Requirement, requirements):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_place_to_download_from(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|^--|^\s*-[ef]\b|[^ ]/", text, re.MULTILINE)


def test_both_locks_pin_the_same_versions() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_changelog_has_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{PROJECT['version']}]" in changelog
    assert version("modelwire") == PROJECT["version"]


def test_demo_reviews_are_sixty_of_all_kinds() -> None:
    text = (ROOT / "catalog/demo/reviews.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [int(row["id"]) for row in rows] == list(range(1, 61))
    assert {int(row["stars"]) for row in rows} == {1, 2, 3, 4, 5}
    assert len({row["review"] for row in rows}) == 58
    assert all(date.fromisoformat(row["reviewed_on"]) for row in rows)
