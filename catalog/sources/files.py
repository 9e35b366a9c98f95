"""A folder whose files are tables.

https://duckdb.org/docs/stable/data/overview
"""

import asyncio
import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from stat import S_ISREG

from catalog.errors import SourceFailed
from catalog.records import SourceRecord
from catalog.sources.desk import Inside
from catalog.sources.file_shelf import FileShelf
from catalog.sources.folders import Folders
from catalog.sources.formats import OPTIONS, Reading, format_of
from catalog.sources.kind import Desk, LocalKind, Parameter, Shelf, given
from catalog.sources.listing import ROOT, File, Listing

_MOST = 100_000
_MAGIC = re.compile(r"[*?\[]")


class Files(LocalKind):
    """CSV, TSV, JSON and Parquet files. DuckDB keeps nothing of them: each table is a view."""

    name = "files"
    title = "files"
    parameters = (Parameter("path", "Folder under one of source_dirs", required=True), *OPTIONS)

    def attach(self, record: SourceRecord) -> Sequence[str]:
        """Nothing: DuckDB reads files where they are."""
        path = str(given(record, self.parameters)["path"])
        if not os.path.isdir(path):
            raise SourceFailed(f"'{os.path.basename(path)}' is no folder")
        return ()

    def detach(self, record: SourceRecord) -> Sequence[str]:
        """Nothing."""
        return ()

    def default_schema(self, record: SourceRecord) -> str:
        """The folder itself."""
        return ROOT

    def shelf(self, record: SourceRecord, desk: Desk) -> Shelf:
        """Its files."""
        assert isinstance(desk, Inside)
        root = Path(str(given(record, self.parameters)["path"]))
        return _Folder(record, desk, root, desk.database.folders)


class _Folder(FileShelf):
    """The files of one folder, looked up again whenever a statement needs them."""

    def __init__(self, record: SourceRecord, desk: Desk, root: Path, folders: Folders) -> None:
        super().__init__(record, desk)
        self._root = root
        self._folders = folders

    async def listing(self, fresh: bool) -> Listing:
        """All files, off the event loop. Raises SourceFailed for too many."""
        files = await asyncio.to_thread(lambda: list(self._files()))
        if len(files) > _MOST:
            raise SourceFailed(f"The folder has more than {_MOST} files: name one below it")
        return Listing(files)

    def same(self, file: File) -> bool:
        """By its time, its size and its number."""
        return _stamp(self._root / file.name) == file.stamp

    async def stand(self, schema: str, name: str, reading: Reading) -> str:
        """Whoever reads it lets a view stand for it: a view in a catalog would be unknown to
        transactions that began before."""
        return reading.select

    def _files(self) -> Iterator[File]:
        for path in islice(self._readable(), _MOST + 1):
            stamp = _stamp(path)
            if stamp is not None:
                real = os.path.realpath(path) if path.is_symlink() else str(path)
                yield File(path.relative_to(self._root).as_posix(), _literally(real), stamp)

    def _readable(self) -> Iterator[Path]:
        for place, folders, names in os.walk(self._root):  # which follows no links
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            paths = (Path(place, n) for n in sorted(names) if n[0] != "." and format_of(n))
            yield from (path for path in paths if self._may_read(path))

    def _may_read(self, path: Path) -> bool:
        """Whether it is a file of the folder's; a pipe would never end."""
        try:
            if path.is_symlink():
                return path.is_file() and self._folders.holds(path)
            seen = path.stat()
            return S_ISREG(seen.st_mode) and (seen.st_nlink == 1 or not self._folders.is_own(path))
        except OSError:
            return False


def _stamp(path: Path) -> object:
    """What is another when a file was changed; None for one that is not there."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def _literally(path: str) -> str:
    """A path that DuckDB takes for no pattern."""
    return _MAGIC.sub(lambda found: f"[{found[0]}]", path)
