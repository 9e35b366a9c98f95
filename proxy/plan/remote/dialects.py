"""Which dialect a source understands, and how much of a statement may go to it."""

from collections.abc import Mapping

from catalog.records import SourceRecord
from catalog.sources.kinds import find_kind
from proxy.plan.remote.dialect import Dialect
from proxy.plan.remote.filters import FiltersDialect
from proxy.plan.remote.mysql import MySQLDialect
from proxy.plan.remote.postgres_rules import Postgres
from proxy.plan.remote.tables import RemoteTable

_DIALECTS: dict[str | None, type[Dialect]] = {"mysql": MySQLDialect, "postgres": Postgres}


def dialect_of(source: SourceRecord, remotes: Mapping[str, RemoteTable]) -> Dialect:
    """The dialect of a source."""
    return _DIALECTS.get(find_kind(source.engine).dialect, FiltersDialect)(remotes)


def takes_queries(source: SourceRecord) -> bool:
    """Whether the source runs whole queries; else it reads its tables, and filters them."""
    return find_kind(source.engine).dialect in _DIALECTS
