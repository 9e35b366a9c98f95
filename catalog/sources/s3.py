"""Files in a bucket of S3's, or of a server that speaks as S3 does, as tables.

https://duckdb.org/docs/stable/core_extensions/httpfs/s3api
"""

import re
from collections.abc import Sequence
from time import monotonic
from urllib.parse import urlsplit

from catalog.duckdb_errors import broken_line
from catalog.errors import CatalogError, FileGone, SourceDenied, SourceFailed, SourceUnreachable
from catalog.records import SourceRecord
from catalog.sources.file_shelf import TTL, FileShelf
from catalog.sources.formats import OPTIONS, Reading, format_of
from catalog.sources.kind import (
    PROBE,
    Desk,
    Door,
    Parameter,
    RemoteKind,
    Shelf,
    SourceColumn,
    attached_as,
    given,
    literal,
    quoted,
)
from catalog.sources.listing import ROOT, File, Listing, is_pattern

_MOST = 100_000
_HTTPS = 443
_PLACE = re.compile(r"s3a?://[^/\s']+/")
_ANSWER = re.compile(
    r"'(?P<key>[^']*)'.*\(HTTP (?P<code>\d+) (?P<reason>[^)]*)\)"
    r"(?:\s+(?!LINE)(?P<said>\w+: [^\n]*))?"
)
_HEAD = re.compile(r"^(?:[A-Z]\w*(?: \w+)* Error: )+")
_GONE = re.compile(r"Could not (?:connect|resolve|establish)|Timeout|timed out|SSL", re.IGNORECASE)
_DENIED = ("301", "400", "401", "403")


class S3(RemoteKind):
    """A bucket, or what is below a prefix of it. Tables are views in the instance outside."""

    name = "s3"
    title = "S3"
    extension = "httpfs"
    dialect = "duckdb"
    parameters = (
        Parameter("bucket", "Bucket", required=True),
        Parameter("prefix", "What names of objects begin with, a folder", aliases=("path",)),
        Parameter(
            "key",
            "Access key",
            aliases=("access_key_id", "aws_access_key_id", "key_id"),
            default="",
        ),
        Parameter(
            "secret",
            "Secret key",
            secret=True,
            aliases=("secret_access_key", "aws_secret_access_key"),
        ),
        Parameter(
            "session_token", "Token of a session", secret=True, aliases=("aws_session_token",)
        ),
        Parameter("region", "Region", default="us-east-1", aliases=("region_name",)),
        Parameter("endpoint", "Server, where it is not Amazon's", aliases=("endpoint_url",)),
        Parameter("use_ssl", "Whether the connection is encrypted", value_type=bool),
        Parameter("url_style", "path or vhost: where the name of the bucket stands"),
        Parameter(
            "connect_timeout", "Seconds that the server has to answer", value_type=int, default=10
        ),
        *OPTIONS,
    )

    def attach(self, record: SourceRecord) -> Sequence[str]:
        """A catalog for views, a secret for that place of the bucket, and a look at it."""
        name, place = quoted(attached_as(record)), _place(record)
        if record.name.endswith(PROBE):
            place = place.replace("s3:", "s3a:", 1)  # for which no other secret is meant
        secret = ", ".join([*_secret(record), f"SCOPE {literal(place)}"])
        return (
            _conflict(record),
            f"ATTACH ':memory:' AS {name}",
            f"CREATE OR REPLACE SECRET {name} ({secret})",
            f"SELECT 1 FROM glob({literal(place + '*')}) LIMIT 1",
        )

    def detach(self, record: SourceRecord) -> Sequence[str]:
        """The catalog and the secret."""
        name = quoted(attached_as(record))
        return (f"DETACH DATABASE IF EXISTS {name}", f"DROP SECRET IF EXISTS {name}")

    def default_schema(self, record: SourceRecord) -> str:
        """The place itself."""
        return ROOT

    def opening(self, record: SourceRecord) -> Sequence[str]:
        """Tables are named by their schema."""
        return (f"USE {quoted(attached_as(record))}",)

    def door(self, record: SourceRecord) -> Door | None:
        """The endpoint, if it is not Amazon's."""
        values = given(record, self.parameters)
        if not values.get("endpoint"):
            return None
        host, port, _ = _endpoint(record)
        return Door(host, port, max(1, int(values["connect_timeout"])))

    def ask(self, record: SourceRecord, native: str, *, changing: bool = False) -> str:
        """DuckDB's own SQL."""
        return native

    def cancel(self, record: SourceRecord, mark: str) -> Sequence[str]:
        """Nothing: it is DuckDB that reads."""
        return ()

    def shelf(self, record: SourceRecord, desk: Desk) -> Shelf:
        """Its objects."""
        return _Bucket(record, desk, _place(record))

    def failure(self, message: str) -> CatalogError:
        """By the server's answer."""
        text = _PLACE.sub("", message)
        answer = _ANSWER.search(text)
        if answer is not None:
            return _answered(answer)
        if _GONE.search(message):
            return SourceUnreachable(_HEAD.sub("", text.split(" error for HTTP")[0]))
        return broken_line(text) or SourceFailed(_HEAD.sub("", text.split("\n", 1)[0]))


class _Bucket(FileShelf):
    """The objects of one place. Nothing tells that one has changed but its time: a listing."""

    def __init__(self, record: SourceRecord, desk: Desk, place: str) -> None:
        super().__init__(record, desk)
        self._place = place
        self._listed: tuple[float, Listing] | None = None

    async def listing(self, fresh: bool) -> Listing:
        """All objects, as they were TTL seconds ago at most. Raises SourceFailed for too many."""
        if self._listed is None or fresh or monotonic() - self._listed[0] > TTL:
            rows = await self._desk.rows(
                f"SELECT file FROM glob({literal(self._place + '**')}) LIMIT {_MOST + 1}"
            )
            if len(rows) > _MOST:
                raise SourceFailed(f"The bucket has more than {_MOST} objects there: give a prefix")
            self._listed = monotonic(), Listing([*self._files([row[0] for row in rows])])
        return self._listed[1]

    def same(self, file: File) -> bool:
        """Until the listing is too old."""
        return True

    def column(self, name: str, type_: str) -> SourceColumn:
        """A column that is asked for by its name."""
        return SourceColumn(name, type_, "", quoted(name), type_)

    async def stand(self, schema: str, name: str, reading: Reading) -> None:
        """A view in the source's own catalog: each line begins a transaction that sees it."""
        catalog = quoted(attached_as(self._record))
        place = f"{catalog}.{quoted(schema)}"
        await self._desk.run(
            f"CREATE SCHEMA IF NOT EXISTS {place}",
            f"CREATE OR REPLACE VIEW {place}.{quoted(name)} AS {reading.select}",
        )

    def _files(self, paths: Sequence[str]) -> Sequence[File]:
        """Those that DuckDB reads; it takes a name with a sign of a pattern for a pattern."""
        names = [(path.removeprefix(self._place), path) for path in paths]
        return [
            File(name, path)
            for name, path in names
            if format_of(name.rsplit("/", 1)[-1]) is not None and not is_pattern(name)
        ]


def _answered(answer: re.Match[str]) -> CatalogError:
    """What an answer of the server's means."""
    said = answer["said"] or f"HTTP {answer['code']} {answer['reason']}"
    if answer["code"] in _DENIED or said.startswith("NoSuchBucket"):
        return SourceDenied(said)
    if answer["code"] == "404":
        return FileGone(f"The object '{answer['key']}' is gone")
    return SourceFailed(said)


def _conflict(record: SourceRecord) -> str:
    """A query that fails where DuckDB would read one of two sources with the other's key: it looks
    for keys by the place of what is read."""
    values, name = given(record, S3.parameters), attached_as(record)
    said = "Another data source reads the same place of this bucket with another key"
    place, key = literal(_place(record)), literal(f"key_id={values['key']};")
    own = f"{literal(name)}, {literal(name.removesuffix(PROBE))}"
    return (
        f"SELECT CASE WHEN count(*) > 0 THEN error({literal(said)}) END FROM duckdb_secrets() "
        f"WHERE type = 's3' AND name NOT IN ({own}) AND name NOT LIKE {literal('%' + PROBE)} "
        f"AND (starts_with(scope[1], {place}) OR starts_with({place}, scope[1])) "
        f"AND NOT contains(secret_string, {key})"
    )


def _place(record: SourceRecord) -> str:
    """The URL of the folder that a source is, with a slash at its end."""
    values = given(record, S3.parameters)
    prefix = str(values.get("prefix") or "").strip("/")
    return f"s3://{values['bucket']}/{prefix}/" if prefix else f"s3://{values['bucket']}/"


def _secret(record: SourceRecord) -> list[str]:
    """The arguments of CREATE SECRET."""
    values = given(record, S3.parameters)
    named: dict[str, object] = {
        "KEY_ID": values["key"],
        "SECRET": values.get("secret", ""),
        "SESSION_TOKEN": values.get("session_token"),
        "REGION": values["region"],
        "URL_STYLE": values.get("url_style"),
    }
    texts = [f"{name} {literal(str(value))}" for name, value in named.items() if value is not None]
    if not values.get("endpoint"):
        return ["TYPE s3", *texts]
    host, port, ssl = _endpoint(record)
    style = [] if values.get("url_style") else ["URL_STYLE 'path'"]
    return ["TYPE s3", *texts, *style, f"ENDPOINT {literal(f'{host}:{port}')}", f"USE_SSL {ssl}"]


def _endpoint(record: SourceRecord) -> tuple[str, int, bool]:
    """Host and port of the server, and whether to encrypt. A URL tells, else the parameter."""
    values = given(record, S3.parameters)
    text = str(values["endpoint"])
    parts = urlsplit(text if "://" in text else f"//{text}")
    ssl = values.get("use_ssl")
    if ssl is None:
        ssl = parts.scheme != "http"
    return parts.hostname or "", parts.port or (_HTTPS if ssl else 80), bool(ssl)
