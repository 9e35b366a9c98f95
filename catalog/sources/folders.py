"""The folders of this machine that the administrator lets data sources read and write.

A path leads where its symbolic links lead. What is none of the folders', and what is the server's
own, whatever name it goes by, does not exist for a client.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import NotPermitted, SourceUnreachable


@dataclass(frozen=True, slots=True)
class Folders:
    """Those that are allowed, as real and absolute paths, and the server's own data directory."""

    allowed: tuple[Path, ...] = ()
    own: Path | None = None

    def locate(self, text: str) -> Path:
        """The real path of a file or folder, which may be named from one of the folders on.

        Raises NotPermitted where it leads out of them, SourceUnreachable where nothing is there.
        """
        if not self.allowed:
            raise NotPermitted(
                "No folder of the server is open to data sources: see the setting source_dirs"
            )
        places = [path for path in self._meant(text) if self._allows(path)]
        if not places:
            raise NotPermitted(f"'{text}' is in no folder that is open to data sources")
        there = next((path for path in places if path.exists()), None)
        if there is None:
            raise SourceUnreachable(f"There is no file or folder '{text}'")
        if self.is_own(there):
            raise NotPermitted(f"'{text}' is the server's own")
        return there

    def holds(self, path: Path) -> bool:
        """Whether a file or folder is, by all its links, one that may be read."""
        real = Path(os.path.realpath(path))
        return self._allows(real) and not self.is_own(real)

    def is_own(self, path: Path) -> bool:
        """Whether a file is the server's own under another name (a hard link), or a folder holds
        the server's."""
        if self.own is None or not path.exists():
            return False
        if path.is_dir():
            return self.own.is_relative_to(path)
        return path.stat().st_nlink > 1 and any(map(path.samefile, _files(self.own)))

    def inside(self, text: str) -> str:
        """A text in which paths are named from the allowed folders on."""
        for folder in self.allowed:
            text = text.replace(f"{folder}/", "")
        return text

    def _meant(self, text: str) -> list[Path]:
        if "\0" in text:
            return []
        return [Path(os.path.realpath(folder / text)) for folder in self.allowed]

    def _allows(self, path: Path) -> bool:
        if self.own is not None and path.is_relative_to(self.own):
            return False
        return any(path.is_relative_to(folder) for folder in self.allowed)


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (file for name in names if (file := Path(place, name)).is_file())
