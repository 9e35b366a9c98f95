"""One call for each distinct prompt, ever."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from pymysql.cursors import SSCursor

from tests.predictions.support import Scene, joined, numbered, wrong
from tests.support.endpoint import Reply


def test_a_thousand_rows_with_fifty_distinct_texts_cost_fifty_calls(scene: Scene) -> None:
    rows = scene.rows(scene.batch(1000, distinct=50))
    assert rows == numbered(1000, distinct=50)
    assert scene.endpoint.calls == 50


def test_many_rows_of_few_texts_cost_the_few(scene: Scene) -> None:
    sql = scene.batch(200_000, distinct=500)
    with closing(scene.connect()) as client, SSCursor(client) as cursor:
        cursor.execute(sql)
        wrong = [n for n, row in enumerate(cursor) if row != (n, str(n % 500))]
        assert cursor.rownumber == 200_000
    assert wrong == []
    assert scene.endpoint.calls == 500


def test_ten_clients_at_once_with_the_same_rows_pay_once(scene: Scene) -> None:
    sql = scene.batch(1000)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(scene.rows, [sql] * 10))
    assert [wrong(rows) for rows in answers] == [[]] * 10
    assert [len(rows) for rows in answers] == [1000] * 10
    assert scene.endpoint.calls == 1000


def test_the_same_statement_again_costs_nothing(scene: Scene) -> None:
    sql = scene.batch(1000)
    assert scene.calls(sql) == 1000
    assert scene.calls(sql) == 0


def test_an_answer_outlives_a_restart(scene: Scene) -> None:
    sql = scene.batch(1000)
    assert scene.calls(sql) == 1000
    scene.proxy.stop()
    scene.proxy.start()
    assert scene.calls(sql) == 0


def test_other_rows_of_a_larger_table_are_all_that_is_asked(scene: Scene) -> None:
    model = scene.model()
    assert scene.calls(joined(scene.source(40), model)) == 40
    assert scene.calls(joined(scene.source(100), model)) == 60


def test_another_prompt_for_the_same_text_is_another_call(scene: Scene) -> None:
    source = scene.source(20)
    assert scene.calls(joined(source, scene.model())) == 20
    assert scene.calls(joined(source, scene.model())) == 20


@pytest.mark.parametrize(
    "failure",
    [Reply("too long", 400), Reply("posi", finish_reason="length"), Reply(body="no JSON")],
    ids=["refused", "cut off", "no completion"],
)
def test_what_failed_is_asked_again_and_what_succeeded_is_not(scene: Scene, failure: Reply) -> None:
    source = scene.source(20)
    scene.endpoint.replies = lambda prompt: failure if "row 7?" in prompt else "yes"
    # labels, so that an answer that is cut off is none
    model = scene.model()
    labelled = f"{model}_labelled"
    scene.rows(
        f"CREATE MODEL {labelled} PREDICT answer ENUM('yes', 'no') USING engine = "
        f"'engine_of_{model}', model_name = 'm', prompt_template = 'Is it {{{{text}}}}?'"
    )
    sql = joined(source, labelled)
    assert scene.rows(sql) == [(n, None if n == 7 else "yes") for n in range(20)]
    before = scene.endpoint.calls
    scene.endpoint.replies = "no"
    assert scene.rows(sql) == [(n, "no" if n == 7 else "yes") for n in range(20)]
    assert scene.endpoint.calls - before == 1
