"""A bound that cannot hold is told before the first call; one that can is no obstacle."""

from contextlib import closing
from itertools import count

import pymysql
import pytest

from tests.predictions.support import Scene, asked, joined, number
from tests.support.endpoint import Reply

ROWS = 60


def two(source: str, first: str, second: str, more: str) -> str:
    return (
        f"SELECT s.id, a.answer, b.answer FROM {source} AS s JOIN {first} AS a ON a.text = s.text "
        f"JOIN {second} AS b ON b.text = s.text {more}"
    )


def test_what_two_models_need_is_one_sum(scene: Scene) -> None:
    sql = two(scene.source(ROWS), scene.model(), scene.model(), "USING max_calls = 100")
    with closing(scene.connect()) as client:
        with pytest.raises(pymysql.MySQLError) as refused:
            asked(client, sql)
        assert refused.value.args[0] == 1226
        assert "0 spent, 120 more needed" in refused.value.args[1]
        assert scene.endpoint.calls == 0
        assert asked(client, "SELECT 1") == [(1,)]


def test_what_two_mentions_of_a_model_share_is_needed_once(scene: Scene) -> None:
    model = scene.model()
    sql = two(scene.source(ROWS), model, model, f"USING max_calls = {ROWS}")
    assert scene.rows(sql) == [(n, str(n), str(n)) for n in range(ROWS)]
    assert scene.endpoint.calls == ROWS


@pytest.mark.parametrize("cache", ["off", "refresh"])
def test_two_mentions_of_a_model_have_the_same_answers(scene: Scene, cache: str) -> None:
    calls = count()
    scene.endpoint.replies = lambda _: str(next(calls))
    model = scene.model()
    rows = scene.rows(two(scene.source(ROWS), model, model, f"USING cache = '{cache}'"))
    assert [first for _, first, _ in rows] == [second for _, _, second in rows]
    assert scene.endpoint.calls == ROWS


def test_what_a_limit_dropped_is_asked_by_the_next_mention(scene: Scene) -> None:
    scene.endpoint.replies = lambda prompt: Reply(number(prompt), delay=0.02)
    source, model = scene.source(ROWS), scene.model()
    few = joined(source, model, "WHERE m.answer <> 'none' LIMIT 3")
    rows = scene.rows(f"SELECT * FROM ({few}) AS few UNION ALL {joined(source, model)}")
    assert rows == [(n, str(n)) for n in (0, 1, 2, *range(ROWS))]


def test_rows_that_a_prediction_rules_out_need_nothing(scene: Scene) -> None:
    source, first, second = scene.source(ROWS), scene.model(), scene.model()
    scene.rows(joined(source, first))
    scene.endpoint.forget()
    sql = two(source, first, second, "WHERE a.answer = '7' AND b.answer <> '' USING max_calls = 5")
    assert scene.rows(sql) == [(7, "7", "7")]
    assert [number(request.prompt) for request in scene.endpoint.requests] == ["7"]
