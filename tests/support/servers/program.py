"""Where the programs of a server are, and which user they may run as.

It starts nothing.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NOBODY = 65534
"""The user and the group without rights, on every Linux that there is."""


class Missing(Exception):
    """This machine has no such program; the text names the package of Debian that holds it."""


def find(program: str, package: str, folders: str = "") -> str:
    """The path of a program: on PATH, in /usr/sbin, or in the last of the folders of a pattern.

    Raises Missing.
    """
    newest_first = sorted(Path("/").glob(folders), key=_version, reverse=True) if folders else []
    places = [os.environ.get("PATH", os.defpath), "/usr/sbin", *map(str, newest_first)]
    found = shutil.which(program, path=os.pathsep.join(places))
    if found is None:
        raise Missing(f"{program} is not here; on Debian: apt-get install {package}")
    return found


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parts if part.isdigit())


def unprivileged() -> Mapping[str, Any]:
    """Options of subprocess that take a root's rights away, as servers refuse to run with them."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def give(folder: Path) -> None:
    """Let the user of unprivileged() own a folder."""
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
