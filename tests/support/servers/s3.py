"""S3, played by moto in a process of its own: it checks signatures, and forgets nothing at a stop.

Objects are made and looked at by DuckDB (duck.py), which reaches the bucket.
"""

import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.support.servers import duck
from tests.support.servers.process import HOST, START_SECONDS, Process
from tests.support.servers.server import Rows, Server

REGION = "us-east-1"
SEED = 42
"""Of moto's random numbers, so that keys are the same after a restart."""
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
REQUEST = re.compile(
    r'"(?:\x1b\[\d+m)*(?P<what>[A-Z]+ /\S*) HTTP/1\.\d(?:\x1b\[\d+m)*" \d+ -$', re.M
)


class S3(Server):
    """An S3-compatible server; a database is a bucket."""

    kind = "s3"

    def __init__(self, logged: bool = True) -> None:
        super().__init__(logged)
        self._key = self._secret = ""
        self._kept: dict[str, dict[str, bytes]] = {}
        self._ours: list[range] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def names(self, database: str) -> dict[str, str]:
        """Endpoint (a URL), host, port, key, secret, region, bucket."""
        return {
            "endpoint": self.url,
            "host": self.host,
            "port": str(self.port),
            "key": self._key,
            "secret": self._secret,
            "region": REGION,
            "bucket": database,
        }

    def start(self) -> None:
        """Start, with the objects that there were; idempotent."""
        if self.process.running:
            return
        with self._unheard():
            super().start()
            self._let_in()
            for bucket, objects in self._kept.items():
                self._create(bucket)
                for key, content in objects.items():
                    self._client("s3").put_object(Bucket=bucket, Key=key, Body=content)

    def stop(self) -> None:
        """Stop; objects are kept for the next start. Idempotent."""
        if self.process.running:
            with self._unheard():
                self._kept = self._objects()
        super().stop()

    def native(self, database: str, sql: str, admin: bool = False) -> Rows:
        """Run statements in a DuckDB that reaches the bucket as s3://…"""
        with self._unheard():
            return duck.run(sql, s3=self.names(database))

    def mark(self) -> int:
        """The size of the log: a request is in it when it is answered."""
        return self.process.log.stat().st_size if self.process.log.exists() else 0

    def statements_since(self, mark: int) -> list[str]:
        """The requests that were not ours: method, path and query."""
        text = self.process.log.read_bytes().decode("latin-1")
        return [
            found["what"]
            for found in REQUEST.finditer(text, mark)
            if not any(found.start() in ours for ours in self._ours)
        ]

    def _initialised(self, folder: Path) -> Process:
        return Process(
            [sys.executable, "-m", "moto.server", f"--host={HOST}", f"--port={self.port}"],
            folder,
            ready=re.compile("Running on http"),
            rights={},  # our own Python may be where only root can read
        )

    def _furnish(self) -> None:
        """start() does it each time: nothing of it is on the disk."""

    def _let_in(self) -> None:
        """Make the account, and ask for signatures from then on."""
        self._tell(f"seed?a={SEED}", b"")
        self._key, self._secret = "nobody", "yet"
        accounts = self._client("iam")
        accounts.create_user(UserName=self.user)
        made = accounts.create_access_key(UserName=self.user)["AccessKey"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING]})
        accounts.put_user_policy(UserName=self.user, PolicyName="all", PolicyDocument=policy)
        self._key, self._secret = made["AccessKeyId"], made["SecretAccessKey"]
        self._tell("reset-auth", b"0")

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        """What is requested in here is not the proxy's."""
        before = self.mark()
        try:
            yield
        finally:
            self._ours.append(range(before, self.mark()))

    def _tell(self, what: str, body: bytes) -> None:
        url, plain = f"{self.url}/moto-api/{what}", {"Content-Type": "text/plain"}
        request = urllib.request.Request(url, data=body, headers=plain)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        direct.open(request, timeout=START_SECONDS).close()

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self._key,
            aws_secret_access_key=self._secret,
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )

    def _objects(self) -> dict[str, dict[str, bytes]]:
        client = self._client("s3")
        buckets = [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
        return {bucket: _contents(client, bucket) for bucket in buckets}

    def _create(self, database: str) -> None:
        self._client("s3").create_bucket(Bucket=database)

    def _drop(self, database: str) -> None:
        client = self._client("s3")
        for key in _contents(client, database):
            client.delete_object(Bucket=database, Key=key)
        client.delete_bucket(Bucket=database)


def _contents(client: Any, bucket: str) -> dict[str, bytes]:
    listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {
        entry["Key"]: client.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        for entry in listed
    }
