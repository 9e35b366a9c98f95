"""A statement's connections to data sources: one for each Remote, until the statement ends."""

from collections.abc import Callable

from catalog.database import Lent
from catalog.errors import CatalogError, SourceDenied, SourceUnknown, SourceUnreachable
from catalog.records import SourceRecord
from catalog.sources.kind import RemoteKind
from catalog.sources.outside import Line, Stream
from catalog.sources.sources import Sources
from catalog.whole import whole
from proxy.plan.nodes import Remote


class Lines:
    """All coroutines raise what Sources.check raises, and may be cancelled. `changing` has the line
    to a source that the session's transaction has changed: what is read of it comes over that."""

    def __init__(self, sources: Sources, changing: Callable[[str], Line | None]) -> None:
        self._sources = sources
        self._changing = changing
        self._lines: list[Line] = []
        self._streams: dict[tuple[str, str], Stream] = {}

    def shared(self, source: SourceRecord) -> Line | None:
        """The line that all that is read of a source has to share, if there is one."""
        return self._changing(source.name)

    async def prepared(self, node: Remote) -> Lent | None:
        """The rows of a Remote, which nobody reads yet; None where the source refuses to be asked
        so. Nothing of it runs."""
        line = self._sources.line(node.source)
        self._lines.append(line)
        try:
            stream = await self._prepared(node, line, changing=False)
        except (SourceUnreachable, SourceDenied, SourceUnknown):
            raise
        except CatalogError:
            return None
        if self.shared(node.source) is None:  # a refusal would end the transaction that shares
            self._streams[node.name, node.native] = stream
        return stream

    async def stream(self, node: Remote) -> Lent:
        """The rows of a Remote, asked for when they are read."""
        key = node.name, node.native
        if key not in self._streams:
            shared = self.shared(node.source)
            line = shared or self._sources.line(node.source)
            if shared is None:
                self._lines.append(line)
            self._streams[key] = await self._prepared(node, line, changing=shared is not None)
        return self._streams[key]

    async def _prepared(self, node: Remote, line: Line, *, changing: bool) -> Stream:
        await self._sources.reach(node.source)
        kind = self._sources.kind(node.source)
        assert isinstance(kind, RemoteKind)
        return await line.stream(kind.ask(node.source, node.native, changing=changing))

    @whole
    async def close(self) -> None:
        """Let all of them go."""
        for line in self._lines:
            await line.close(keep=True)
        self._lines.clear()
        self._streams.clear()
