"""Functions of the embedded model, over the wire."""

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from tests.engines.sentiment import SENTENCES, TEMPLATE
from tests.support.proxy import ProxyProcess

_SOME = SENTENCES[::4]


@pytest.fixture(scope="module")
def cursor(
    model_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[pymysql.cursors.Cursor]:
    settings = {"MODELWIRE_LOCAL_MODEL": str(model_path)}
    with ProxyProcess(tmp_path_factory.mktemp("local") / "data", settings) as proxy:
        cursor = proxy.connect(read_timeout=300).cursor()
        cursor.execute("CREATE ML_ENGINE embedded FROM local")
        cursor.execute(
            "CREATE MODEL mood PREDICT sentiment USING engine = 'embedded', prompt_template = %s",
            (TEMPLATE,),
        )
        cursor.execute("CREATE TABLE said (id INT, body TEXT, label TEXT)")
        cursor.executemany(
            "INSERT INTO said (id, body) VALUES (%s, %s)",
            [(n, text) for n, (text, _) in enumerate(_SOME)],
        )
        yield cursor


def test_rows_are_labelled_in_the_select_list(cursor: pymysql.cursors.Cursor) -> None:
    cursor.execute("SELECT body, mood(body) FROM said ORDER BY id")
    right = [row for row in cursor.fetchall() if row in _SOME]
    assert len(right) >= len(_SOME) - 1


def test_labels_are_grouped(cursor: pymysql.cursors.Cursor) -> None:
    cursor.execute(
        "SELECT PREDICT(mood, body) AS m, COUNT(*) AS n FROM said GROUP BY m HAVING m = 'negative'"
    )
    ((label, count),) = cursor.fetchall()
    assert label == "negative"
    assert 0 < count < len(_SOME)


def test_update_keeps_what_the_select_said(cursor: pymysql.cursors.Cursor) -> None:
    assert cursor.execute("UPDATE said SET label = mood(body)") == len(_SOME)
    cursor.execute("SELECT COUNT(*) FROM said WHERE label = mood(body)")
    assert cursor.fetchone() == (len(_SOME),)


def test_any_prompt_is_answered(cursor: pymysql.cursors.Cursor) -> None:
    cursor.execute(
        "SELECT AI_COMPLETE(embedded, CONCAT('What is the capital of ', %s, '? One word.'))",
        ("France",),
    )
    ((answer,),) = cursor.fetchall()
    assert "Paris" in answer
