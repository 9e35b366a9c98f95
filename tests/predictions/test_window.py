"""How calls are put out: a window that slides, never over its bound, and fair to all clients."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread
from typing import Any

import pytest
from pymysql.cursors import SSCursor

from tests.predictions.support import WINDOW, FirstOnly, Scene, asked, joined, number, numbered
from tests.support.endpoint import Reply


@contextmanager
def running(scene: Scene, sql: str) -> Iterator[list[Any]]:
    """The rows of a statement that another thread runs; whole when the block has ended."""
    rows: list[Any] = []
    thread = Thread(target=lambda: rows.extend(scene.rows(sql)))
    thread.start()
    yield rows
    thread.join(60)
    assert not thread.is_alive()


def test_the_window_is_full_and_never_more_than_its_bound(scene: Scene) -> None:
    scene.endpoint.replies = lambda prompt: Reply(number(prompt), delay=0.1)
    assert scene.rows(scene.batch(300, max_concurrency=20)) == numbered(300)
    assert scene.endpoint.max_in_flight == 20


def test_the_window_grows_by_itself_where_there_is_room(scene: Scene) -> None:
    scene.endpoint.replies = lambda prompt: Reply(number(prompt), delay=0.3)
    assert scene.rows(scene.batch(2000, max_concurrency=256)) == numbered(2000)
    assert 64 < scene.endpoint.max_in_flight <= 256
    assert scene.endpoint.calls == 2000


def test_one_slow_call_holds_up_no_other(scene: Scene) -> None:
    """Waves would stop at it: a freed place is taken at once, to the end of the batch."""
    first_only = FirstOnly(0)
    scene.endpoint.replies = lambda prompt: (
        Reply("0", held=first_only.release) if "row 0?" in prompt else number(prompt)
    )
    with running(scene, scene.batch(500)) as rows:
        scene.until(lambda endpoint: len(endpoint.answered) == 499)
        assert scene.endpoint.in_flight == 1
        first_only.release.set()
    assert rows == numbered(500)
    assert scene.endpoint.calls == 500


def test_rows_come_while_later_ones_are_asked(scene: Scene) -> None:
    held = scene.endpoint.replies = FirstOnly(100)
    with closing(scene.connect(read_timeout=20)) as client, SSCursor(client) as cursor:
        cursor.execute(scene.batch(1000))
        first = [cursor.fetchone() for _ in range(50)]
        assert scene.endpoint.calls <= 100 + WINDOW
        held.release.set()
        assert first + list(cursor.fetchall()) == numbered(1000)


def test_a_query_of_one_row_does_not_wait_for_a_long_one(scene: Scene) -> None:
    scene.endpoint.replies = lambda prompt: Reply(number(prompt), delay=0.02)
    model, long, short = scene.model(), scene.source(1000), scene.source(2000)
    one = joined(short, model, "WHERE s.id = 1500")
    with running(scene, joined(long, model)) as rows:
        scene.until(lambda endpoint: endpoint.calls >= 100)
        assert scene.rows(one) == [(1500, "1500")]
        prompts = [request.prompt for request in scene.endpoint.requests]
    (turn,) = [n for n, prompt in enumerate(prompts) if "row 1500?" in prompt]
    assert turn < 500  # in line behind the others it would be about the thousandth
    assert rows == numbered(1000)


def test_two_models_of_a_statement_work_at_the_same_time(scene: Scene) -> None:
    scene.endpoint.replies = lambda prompt: Reply(number(prompt), delay=0.02)
    source, first, second = scene.source(200), scene.model(), scene.model()
    rows = scene.rows(
        f"SELECT s.id, a.answer, b.answer FROM {source} AS s "
        f"JOIN {first} AS a ON a.text = s.text JOIN {second} AS b ON b.text = s.text"
    )
    assert rows == [(n, str(n), str(n)) for n in range(200)]
    asked = [request.prompt.rpartition("(")[2] for request in scene.endpoint.requests]
    assert len(asked) == 400
    # a pipeline: each begins before the other has ended
    ends = [len(asked) - 1 - asked[::-1].index(name) for name in set(asked)]
    assert max(asked.index(name) for name in set(asked)) < min(ends)


@pytest.mark.parametrize("clock", ["NOW()", "CURDATE()"])
def test_a_statement_has_one_time_for_all_rows(scene: Scene, clock: str) -> None:
    scene.endpoint.replies = lambda prompt: Reply(number(prompt), delay=0.02)
    source, model = scene.source(50), scene.model()
    rows = scene.rows(
        f"SELECT IF(m.answer >= '0', {clock}, NULL), {clock} "
        f"FROM {source} AS s JOIN {model} AS m ON m.text = s.text"
    )
    assert len(rows) == 50
    assert len(set(rows)) == 1


def test_dice_are_thrown_for_each_row(scene: Scene) -> None:
    source, model = scene.source(50, distinct=1), scene.model()
    rows = scene.rows(
        f"SELECT IF(m.answer = '0', UUIDV7(), NULL) AS dice "
        f"FROM {source} AS s JOIN {model} AS m ON m.text = s.text"
    )
    assert len(set(rows)) == 50


def test_counting_the_rows_ahead_holds_up_none(scene: Scene) -> None:
    """There are too many to count, and the filter needs DuckDB while they are counted."""
    scene.endpoint.replies = lambda prompt: Reply(number(prompt), delay=0.3)
    model = scene.model()
    scene.rows("CREATE TABLE many AS SELECT UNNEST(RANGE(1000000)) AS n")
    with closing(scene.connect()) as client:
        asked(client, "SET SESSION max_execution_time = 20000")
        rows = asked(
            client,
            "SELECT CONCAT(m.answer, '!') FROM many AS a JOIN many AS b ON a.n <> b.n + 1 "
            f"JOIN {model} AS m ON m.text = CONCAT('row ', a.n + b.n) "
            "WHERE m.answer <> 'none' LIMIT 80",
        )
    assert len(rows) == 80
