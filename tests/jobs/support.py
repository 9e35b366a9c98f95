"""What these tests share: a proxy with a model, and patience for what jobs do by themselves."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess

PATIENCE = 20.0
ASK = (
    "INSERT INTO log SELECT '{{START_DATETIME}}', '{{PREVIOUS_START_DATETIME}}', sentiment "
    "FROM mood WHERE text = 'x'"
)


@dataclass
class Scene:
    """A proxy and an endpoint; times are what the proxy's information_schema says."""

    proxy: ProxyProcess
    endpoint: Endpoint

    def furnish(self) -> None:
        self.rows(
            "CREATE ML_ENGINE e FROM openai USING "
            f"api_base = '{self.endpoint.url}', openai_api_key = 'sk-1'"
        )
        self.rows(
            "CREATE MODEL mood PREDICT sentiment USING engine = 'e', model_name = 'm', "
            "prompt_template = 'Mood of {{text}}', cache = false"
        )
        self.rows("CREATE TABLE log (started TEXT, previous TEXT, sentiment TEXT)")

    def rows(self, sql: str, **options: Any) -> Sequence[tuple[Any, ...]]:
        """Carry a statement out on a connection of its own; times come as texts."""
        connected = self.proxy.connect(autocommit=True, conv={}, **options)
        with closing(connected) as client, client.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def history(self, columns: str = "status", job: str = "j") -> list[Any]:
        """Of the runs that ended, the oldest first; the bare values of a single column."""
        found = self.rows(
            f"SELECT {columns} FROM information_schema.jobs_history "
            f"WHERE name = '{job}' AND status <> 'running'"
        )
        return [row[0] if len(row) == 1 else row for row in reversed(found)]

    def until(self, so: Callable[[], object]) -> None:
        """Wait until it is so."""
        deadline = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.01)

    def until_runs(self, count: int, job: str = "j") -> None:
        """Wait until so many runs of the job have ended."""
        self.until(lambda: len(self.history(job=job)) >= count)

    def disable(self, job: str = "j") -> None:
        """Stop the job, and wait for the run that goes on."""
        self.rows(f"ALTER JOB {job} DISABLE")
        going = (
            "SELECT 1 FROM information_schema.jobs_history "
            f"WHERE name = '{job}' AND status = 'running'"
        )
        self.until(lambda: not self.rows(going))
