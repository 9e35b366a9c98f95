"""Runs the blocks of a `.test` file against a real proxy and a real endpoint.

The format is slt_file.py's business; what a block expects is compared here and nowhere else.
"""

import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, assert_never

import pymysql

from tests.support import slt_file, slt_sources
from tests.support.cells import as_cell
from tests.support.endpoint import Endpoint, written_reply
from tests.support.names import Names
from tests.support.proxy import ProxyProcess
from tests.support.servers.fleet import Fleet
from tests.support.servers.server import Cell, NativeError, Rows
from tests.support.slt_file import (
    Block,
    Connection,
    Count,
    EndpointOptions,
    Error,
    Expectation,
    FormatError,
    Ok,
    Paragraph,
    Query,
    Replies,
    Restart,
    Script,
    Settings,
    Statement,
    Tuning,
    Warnings,
)
from tests.support.slt_servers import Sources
from tests.support.slt_sources import File, Log, Native, NativeQuery, Power, Source, SourceBlock

READ_TIMEOUT_SECONDS = 30
PATIENCE_SECONDS = 10.0
POLL_SECONDS = 0.02
TOOK = re.compile(r"\b\d+\.\d{3} s\b")
REGEX_SIGNS = re.compile(r"([.^$*+?{}\[\]\\|()])")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A block, and the block that would have been right."""

    expected: Expectation
    observed: Expectation

    def __str__(self) -> str:
        """Both as they stand, or would stand, in the file."""
        return (
            f"line {self.expected.line}, expected:\n{_indented(self.expected)}\n"
            f"  observed:\n{_indented(self.observed)}"
        )


def run(script: Script, data_dir: Path, fleet: Fleet) -> list[Mismatch]:
    """Run a file from the top, past every mismatch, with a proxy and an endpoint of its own.

    Its servers are the fleet's. Raises FormatError, ProxyGone if the proxy does not start,
    program.Missing for a server that this machine does not have, NativeError.
    """
    settings, options, source = _preamble(script)
    with ExitStack() as stack:
        endpoint = stack.enter_context(_endpoint(options))
        sources = Sources(data_dir.with_name("folder"))
        sources.open(source, fleet, stack)
        closed = _closed(stack)
        names = Names({"endpoint": endpoint.url, "closed": closed, **sources.names})
        env = {name: names.fill(value) for name, value in settings}
        proxy = stack.enter_context(ProxyProcess(data_dir, env))
        runner = _Runner(proxy, endpoint, sources, names)
        stack.callback(runner.disconnect)
        return [found for block in script.blocks if (found := runner.step(block)) is not None]


def accepted(script: Script, mismatches: Sequence[Mismatch]) -> Script:
    """The file with every mismatch taken as right."""
    observed = {found.expected.line: found.observed for found in mismatches}
    return Script(
        script.path,
        tuple(
            Paragraph(part.comments, observed.get(part.block.line, part.block))
            if part.block
            else part
            for part in script.paragraphs
        ),
    )


def _preamble(script: Script) -> tuple[tuple[tuple[str, str], ...], EndpointOptions, Source]:
    """The settings, the endpoint's options and the servers, which stand before everything else."""
    settings, options, source = Settings(0, ()), EndpointOptions(0), Source(0, ())
    started = False
    for block in script.blocks:
        match block:
            case Settings() | EndpointOptions() | Source() if started:
                raise FormatError(f"{script.path}:{block.line}: too late for this block")
            case Settings():
                settings = block
            case EndpointOptions():
                options = block
            case Source():
                source = block
            case Power(kind=kind) | Log(kind=kind) if kind not in source.kinds:
                raise FormatError(f"{script.path}:{block.line}: not named by `source`: {kind}")
            case Native(where=kind) | NativeQuery(where=kind) if (
                kind in slt_sources.KINDS and kind not in source.kinds
            ):
                raise FormatError(f"{script.path}:{block.line}: not named by `source`: {kind}")
            case _:
                started = True
    return settings.pairs, options, source


def _endpoint(options: EndpointOptions) -> Endpoint:
    models = None if options.models is None else list(options.models)
    return Endpoint({}, models, options.key, takes_json_schema=options.json_schema)


def _closed(stack: ExitStack) -> str:
    """The URL of a port that is taken, so that nobody listens on it by chance."""
    taken = stack.enter_context(socket.socket())
    taken.bind(("127.0.0.1", 0))
    return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


@dataclass(slots=True)
class _Runner:
    proxy: ProxyProcess
    endpoint: Endpoint
    sources: Sources
    names: Names
    clients: dict[str, Any] = field(default_factory=dict)
    current: Connection = field(default_factory=lambda: Connection(0, "default"))

    def step(self, block: Block) -> Mismatch | None:  # noqa: PLR0911
        """Run one block; None if all is as expected."""
        match block:
            case Settings() | EndpointOptions() | Source():
                return None
            case Replies(pairs=pairs):
                self.endpoint.replies = {part: written_reply(text) for part, text in pairs}
                return None
            case Tuning(pairs=pairs):
                self.endpoint.tuning.become(pairs)
                return None
            case Connection():
                self.current = block
                return None
            case Restart():
                self.disconnect()
                self.proxy.stop()
                self.proxy.start()
                return None
            case Warnings():
                return _compared(block, Warnings(block.line, self._rows("SHOW WARNINGS")))
            case Query(awaited=True):
                return self._awaited(block)
            case Ok() | Count() | Error() | Query():
                return _compared(block, self._observe(block))
            case File() | Native() | NativeQuery() | Log() | Power():
                return self._beside(block)
        assert_never(block)

    def disconnect(self) -> None:
        """Close all clients."""
        for client in self.clients.values():
            if client.open:
                client.close()
        self.clients.clear()

    def _awaited(self, block: Query) -> Mismatch | None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := _compared(block, self._observe(block))) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return found

    def _beside(self, block: SourceBlock) -> Mismatch | None:
        """Run a block that is no business of the proxy's."""
        try:
            outcome = self.sources.step(block, self.names.fill)
        except NativeError as error:
            error.add_note(f"line {block.line}: {slt_sources.write(block)[0]}")
            raise
        match block, outcome:
            case NativeQuery(), Rows(header=header, rows=rows):
                lines = _sorted(tuple(self._lines(header, rows)), block.rowsort)
                return _compared(block, replace(block, rows=lines))
            case Log(rowsort=rowsort), list() as said:
                told = map(self._neutral, said)
                return _compared(
                    block, replace(block, rows=tuple(sorted(told) if rowsort else told))
                )
        return None

    def _observe(self, block: Statement) -> Statement:
        """What `block` would have to say to be right."""
        before = self.endpoint.calls
        observed = self._executed(block)
        return replace(observed, calls=self.endpoint.calls - before)

    def _executed(self, block: Statement) -> Statement:
        try:
            with self._client().cursor() as cursor:
                affected = cursor.execute(self.names.fill(block.sql))
                rows = None if cursor.description is None else self._written(cursor)
        except pymysql.MySQLError as error:
            code, message = (*error.args, "")[:2]
            return Error(block.line, block.sql, code, _as_pattern(self._neutral(str(message))))
        match block, rows:
            case Ok(), _:
                return Ok(block.line, block.sql)
            case (Count(), _) | (_, None):
                return Count(block.line, block.sql, affected)
            case _:
                rowsort = isinstance(block, Query) and block.rowsort
                awaited = isinstance(block, Query) and block.awaited
                rows = _sorted(rows, rowsort)
                return Query(block.line, block.sql, rows, rowsort, awaited=awaited)

    def _rows(self, sql: str) -> tuple[str, ...]:
        with self._client().cursor() as cursor:
            cursor.execute(sql)
            return self._written(cursor)

    def _written(self, cursor: Any) -> tuple[str, ...]:
        header = [column[0] for column in cursor.description]
        return tuple(self._lines(header, cursor.fetchall()))

    def _lines(self, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
        yield self._neutral("\t".join(header))
        for row in rows:
            yield "\t".join(self._neutral(as_cell(value)) for value in row)

    def _client(self) -> Any:
        """The current client; without converters, so that cells are the text of the wire."""
        if self.current.name not in self.clients:
            self.clients[self.current.name] = self.proxy.connect(
                conv={},
                database=self.current.database,
                autocommit=None,
                local_infile=True,
                read_timeout=READ_TIMEOUT_SECONDS,
            )
        return self.clients[self.current.name]

    def _neutral(self, text: str) -> str:
        """The text without what changes from run to run: addresses, the time that it took."""
        return TOOK.sub("… s", self.names.neutral(text))


def _compared(expected: Expectation, observed: Expectation) -> Mismatch | None:
    return None if _fits(expected, observed) else Mismatch(expected, observed)


def _fits(expected: Expectation, observed: Expectation) -> bool:
    match expected, observed:
        case Query(rowsort=True), Query():
            return replace(expected, rows=_sorted(expected.rows, True)) == observed
        case NativeQuery(rowsort=True), NativeQuery():
            return replace(expected, rows=_sorted(expected.rows, True)) == observed
        case Log(rowsort=True), Log():
            return replace(expected, rows=tuple(sorted(expected.rows))) == observed
        case Error(), Error():
            message = re.sub(r"\\(.)", r"\1", observed.pattern)
            same = (expected.code, expected.calls) == (observed.code, observed.calls)
            return same and re.search(expected.pattern, message) is not None
        case _:
            return expected == observed


def _sorted(rows: Sequence[str], rowsort: bool) -> tuple[str, ...]:
    """The header, then the rows, in order of their text if asked."""
    return (*rows[:1], *(sorted(rows[1:]) if rowsort else rows[1:]))


def _as_pattern(message: str) -> str:
    """A pattern that matches just this message, with runs of white space as one space."""
    return REGEX_SIGNS.sub(r"\\\1", " ".join(message.split()))


def _indented(block: Expectation) -> str:
    text = slt_file.write(Script(Path(), (Paragraph((), block),)))
    return "\n".join(f"    {line}" for line in text.rstrip("\n").split("\n"))
