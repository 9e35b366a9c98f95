"""Carries out the blocks of a `.test` file about data sources: servers, files, logs.

The proxy has no part in it; what a block expects is compared in slt.py.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from tests.support.servers import duck, said
from tests.support.servers.fleet import Fleet
from tests.support.servers.server import Database, Rows
from tests.support.slt_sources import (
    EMPTY,
    File,
    Log,
    Native,
    NativeQuery,
    Power,
    Source,
    SourceBlock,
)


@dataclass(slots=True)
class Sources:
    """What a file has of servers, and the folder that its proxy may read."""

    folder: Path
    databases: dict[str, Database] = field(default_factory=dict)

    def open(self, source: Source, fleet: Fleet, stack: ExitStack) -> None:
        """Make the folder, and a database on each server.

        Raises program.Missing and process.Broken.
        """
        self.folder.mkdir()
        for kind in source.kinds:
            self.databases[kind] = stack.enter_context(fleet.database(kind))

    @property
    def names(self) -> dict[str, str]:
        """What stands for ${folder}, ${postgres_port} and so on."""
        return {"folder": str(self.folder)} | {
            f"{kind}_{name}": value
            for kind, database in self.databases.items()
            for name, value in database.names.items()
        }

    def step(self, block: SourceBlock, fill: Callable[[str], str]) -> Rows | list[str] | None:
        """Carry a block out, texts filled in; rows or statements of one that expects them.

        Raises NativeError, and KeyError for a server that the file has not named.
        """
        match block:
            case Source():
                return None
            case File(name=name, lines=lines):
                self._put(name, map(fill, lines))
                return None
            case Power(kind=kind, on=on):
                self._switch(kind, on)
                return None
            case Native(where=where, sql=sql, admin=admin):
                self._run(where, fill(sql), admin)
                return None
            case NativeQuery(where=where, sql=sql):
                return self._run(where, fill(sql))
            case Log(kind=kind, pattern=pattern, every=every):
                return said.told(self.databases[kind].statements(), pattern, every)
        assert_never(block)

    def _switch(self, kind: str, on: bool) -> None:
        server = self.databases[kind].server
        if on:
            server.start()
        else:
            server.stop()

    def _put(self, name: str, lines: Iterable[str]) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{'' if line == EMPTY else line}\n" for line in lines)
        path.write_text(text, encoding="utf-8")

    def _run(self, where: str, sql: str, admin: bool = False) -> Rows:
        if where.endswith(".sqlite"):
            return duck.run_sqlite(sql, self.folder / where)
        if where.endswith(".duckdb"):
            return duck.run(sql, self.folder / where)
        if where == "duckdb":
            return duck.run(sql)
        return self.databases[where].native(sql, admin)
