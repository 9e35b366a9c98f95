"""Files of a folder, or of a bucket, as tables: a sub-folder is a schema, a name may be a pattern.

It compares names with those that were listed, and so none leads anywhere else.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from posixpath import basename, dirname

from catalog.database import Row
from catalog.errors import TableUnknown
from catalog.sources.formats import Format, format_of
from catalog.suggest import did_you_mean

ROOT = "main"
"""The schema of the files that are in no sub-folder."""
_PATTERN = re.compile(r"[*?\[]")
_PIECE = re.compile(r"\*\*/|\*+|\?|\[!?[^]/]+\]|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class File:
    """A file: `name` is its path from the folder on, `path` what DuckDB opens, `stamp` what is
    another when it was changed, if that can be told."""

    name: str
    path: str
    stamp: object = None

    @property
    def format(self) -> Format:
        """What its name tells."""
        found = format_of(basename(self.name))
        assert found is not None, "only files that DuckDB reads are listed"
        return found

    @property
    def schema(self) -> str:
        """The sub-folder."""
        return dirname(self.name) or ROOT

    @property
    def stem(self) -> str:
        """Its path without suffixes."""
        return f"{dirname(self.name)}/{self.format.stem}".removeprefix("/")


@dataclass(frozen=True)
class Listing:
    """All files that DuckDB reads."""

    files: Sequence[File]

    def rows(self) -> list[Row]:
        """All tables: schema, name, kind, rows. Files that differ in their suffixes alone have
        them."""
        return [(file.schema, self.called(file), "BASE TABLE", None) for file in self.files]

    def called(self, file: File) -> str:
        """The table that a file is."""
        alone = self._stems[file.stem.casefold()] == 1
        return basename(file.stem if alone else file.name)

    def find(self, source: str, schema: str | None, name: str) -> Sequence[File]:
        """The files of a table, all of one format. Raises TableUnknown."""
        place = "" if schema is None or schema.casefold() == ROOT else f"{schema}/"
        wanted = f"{place}{name}"
        found = self._named(wanted) or self._matching(wanted)
        kinds = {file.format.kind for file in found}
        if not found:
            here = place.removesuffix("/").casefold() or ROOT
            near = [self.called(f) for f in self.files if f.schema.casefold() == here]
            shown = f"{source}.{wanted.replace('/', '.')}" if place else f"{source}.{name}"
            raise TableUnknown(f"Table '{shown}' doesn't exist{did_you_mean(name, near)}")
        if len(kinds) > 1:
            names = ", ".join(sorted(basename(file.name) for file in found)[:3])
            raise TableUnknown(f"'{source}.{name}' is files of more than one format: {names}")
        return found

    def _named(self, wanted: str) -> Sequence[File]:
        """The file that is called so, its own case first; with its suffixes, or without."""
        return _called([(file.name, file) for file in self.files], wanted) or _called(
            [(file.stem, file) for file in self.files], wanted
        )

    def _matching(self, wanted: str) -> Sequence[File]:
        if not _PATTERN.search(wanted):
            return ()
        pattern = re.compile("".join(map(_piece, _PIECE.findall(wanted))), re.DOTALL)
        return [
            file
            for file in self.files
            if pattern.fullmatch(file.name) or pattern.fullmatch(file.stem)
        ]

    @cached_property
    def _stems(self) -> Counter[str]:
        return Counter(file.stem.casefold() for file in self.files)


def is_pattern(name: str) -> bool:
    """Whether a name may mean many files."""
    return _PATTERN.search(name) is not None


def _called(files: Sequence[tuple[str, File]], wanted: str) -> Sequence[File]:
    fits = [each for each in files if each[0].casefold() == wanted.casefold()]
    exact = [each for each in fits if each[0] == wanted]
    return [file for _, file in exact or fits]


def _piece(piece: str) -> str:
    """A piece of a pattern as a regular expression."""
    if piece == "**/":
        return "(?:.*/)?"
    if piece.startswith("*"):
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 1:
        return "[" + piece[1:-1].replace("\\", "\\\\").replace("!", "^", 1) + "]"
    return re.escape(piece)
