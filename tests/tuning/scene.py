"""A proxy, an endpoint that fine-tunes, and a model of it: what these tests share.

Nothing is mocked above the socket.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pymysql
import pytest

from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess
from tests.support.tuning import TuningDesk
from tests.tuning.datasets import Table, messages

PATIENCE = 15.0
SETTINGS = {"MODELWIRE_FINETUNE_POLL_SECONDS": "0.02", "MODELWIRE_FINETUNE_POLL_MAX_SECONDS": "0.1"}
STATUS = "SELECT status FROM information_schema.fine_tunings"


@dataclass
class Scene:
    proxy: ProxyProcess
    endpoint: Endpoint

    @property
    def desk(self) -> TuningDesk:
        return self.endpoint.tuning

    def furnish(self) -> None:
        """An engine e, a model mood, and the table chats with a good data set."""
        self.rows(
            f"CREATE ML_ENGINE e FROM openai USING api_base = '{self.endpoint.url}', "
            "openai_api_key = 'sk-tuning'"
        )
        self.rows(
            "CREATE MODEL mood PREDICT sentiment USING engine = 'e', model_name = 'llama', "
            "prompt_template = 'Mood of {{text}}'"
        )
        self.table("chats", messages(50))

    def table(self, name: str, table: Table) -> None:
        columns = ", ".join(f"{column} TEXT" for column in table.columns)
        places = ", ".join("%s" for _ in table.columns)
        with closing(self.proxy.connect(autocommit=True)) as client, client.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {name} (number INT, {columns})")
            rows = [(number, *row) for number, row in enumerate(table.rows)]
            if rows:
                cursor.executemany(f"INSERT INTO {name} VALUES (%s, {places})", rows)

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """Carry a statement out on a connection of its own."""
        with closing(self.proxy.connect(autocommit=True)) as client, client.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def refusal(self, sql: str) -> tuple[int, str]:
        """The code and the text of the error that a statement ends with."""
        with pytest.raises(pymysql.MySQLError) as refused:
            self.rows(sql)
        code, text = refused.value.args
        return code, text

    def fine_tune(self, using: str = "n_epochs = 1", source: str = "chats") -> None:
        self.rows(finetune(using, source))

    def until(self, so: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < deadline, "what was due did not come"
            time.sleep(0.01)

    def until_status(self, status: str) -> None:
        self.until(lambda: self.rows(STATUS) == [(status,)])

    def active(self) -> tuple[Any, ...]:
        """Version, status and model_name of the model, as its row says."""
        ((version, status, options),) = self.rows(
            "SELECT version, status, json_extract_string(training_options, '$.model_name') "
            "FROM information_schema.models WHERE name = 'mood'"
        )
        return version, status, options

    def asked(self, text: str) -> str:
        """The model that the endpoint is asked for by a prediction."""
        before = self.endpoint.calls
        self.rows(f"SELECT sentiment FROM mood WHERE text = '{text}'")
        assert self.endpoint.calls == before + 1
        return str(self.endpoint.requests[-1].body["model"])


def finetune(using: str = "n_epochs = 1", source: str = "chats") -> str:
    columns = "* EXCLUDE (number)" if source != "chats" else "chat_id, message_id, role, content"
    return f"FINETUNE mood FROM modelwire (SELECT {columns} FROM {source}) USING {using}"
