"""The tables that files are: listed, told apart by name, and looked into once as they are.

How files are listed, and where the SELECT that reads them stands, is for those that derive.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from catalog.database import Row
from catalog.records import SourceRecord
from catalog.sources.formats import Reading, options_of, read
from catalog.sources.kind import Desk, Shelf, SourceColumn, SourceTable
from catalog.sources.listing import ROOT, File, Listing

TTL = 60.0
"""Seconds for which a listing is believed where files tell nothing of their changes."""
_MOST_TABLES = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    """A table, and what its files were when it was looked into (at `read_at`, monotonic)."""

    files: Sequence[File]
    table: SourceTable
    read_at: float


class FileShelf(Shelf):
    """The files of one source. Calls may overlap; the later one wins."""

    def __init__(self, record: SourceRecord, desk: Desk) -> None:
        self._record = record
        self._desk = desk
        self._known: dict[tuple[str, str], _Known] = {}

    @abstractmethod
    async def listing(self, fresh: bool) -> Listing:
        """All files; `fresh`: as they are now."""

    @abstractmethod
    def same(self, file: File) -> bool:
        """Whether a file is still what it was, as far as that can be told at once."""

    @abstractmethod
    async def stand(self, schema: str, name: str, reading: Reading) -> str | None:
        """Let DuckDB know the table; the text of its view, where that is left to whoever reads."""

    def column(self, name: str, type_: str) -> SourceColumn:
        """A column of one of DuckDB's types."""
        return SourceColumn(name, type_, "")

    async def tables(self) -> Sequence[Row]:
        """All tables: schema, name, 'BASE TABLE', no number of rows."""
        return (await self.listing(fresh=False)).rows()

    async def table(self, name: str, schema: str | None) -> SourceTable:
        """A table with its columns. Raises TableUnknown, and what reading the files does."""
        key = (schema or ROOT, name)
        known = self._known.get(key)
        if known is not None and self._holds(known):
            return known.table
        listing = await self.listing(fresh=True)
        files = listing.find(self._record.name, schema, name)
        if known is None or known.files != files:
            called = listing.called(files[0]) if len(files) == 1 else name
            table = await self._look(called, files)
        else:
            table = known.table
        if len(self._known) >= _MOST_TABLES:
            self._known.clear()
        self._known[key] = _Known(files, table, monotonic())
        return table

    def _holds(self, known: _Known) -> bool:
        """One file tells whether it was changed; whether there are more is for a listing to say."""
        young = monotonic() - known.read_at < TTL
        return young and len(known.files) == 1 and self.same(known.files[0])

    async def _look(self, name: str, files: Sequence[File]) -> SourceTable:
        format_ = files[0].format
        paths = [file.path for file in files]
        reading = await read(self._desk, format_, paths, options_of(self._record, format_))
        columns = tuple(self.column(*each) for each in reading.columns)
        schema = files[0].schema
        view = await self.stand(schema, name, reading)
        return SourceTable(self._record, schema, name, columns, view)
