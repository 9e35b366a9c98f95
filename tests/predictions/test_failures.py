"""An endpoint that fails costs the row that it fails for, and no more calls than it takes."""

import re
from contextlib import closing

import pymysql
import pytest

from tests.predictions.support import WINDOW, Dice, Limit, Scene, asked, joined, number, numbered
from tests.support.endpoint import Reply


def test_thirty_percent_of_failures_leave_every_row_right(scene: Scene) -> None:
    dice = scene.endpoint.replies = Dice(0.3, (429, 500))
    with closing(scene.connect()) as client:
        assert asked(client, scene.batch(1000)) == numbered(1000)
        assert asked(client, "SHOW WARNINGS") == []
    assert dice.failed > 200
    assert scene.endpoint.calls == 1000 + dice.failed


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
def test_each_passing_failure_is_tried_again(scene: Scene, status: int) -> None:
    dice = scene.endpoint.replies = Dice(0.3, (status,))
    assert scene.rows(scene.batch(30)) == numbered(30)
    assert scene.endpoint.calls == 30 + dice.failed


def test_a_row_that_is_refused_is_null_with_a_warning_that_names_it(scene: Scene) -> None:
    scene.endpoint.replies = lambda prompt: (
        Reply("too long for me", 400) if "row 77?" in prompt else number(prompt)
    )
    with closing(scene.connect()) as client:
        rows = asked(client, scene.batch(1000))
        warnings = asked(client, "SHOW WARNINGS")
    assert rows == [(n, None if n == 77 else str(n)) for n in range(1000)]
    assert scene.endpoint.calls == 1000
    ((_, code, message),) = warnings
    assert code == 1430
    assert "too long for me" in message
    # the row by its text, or by its place
    assert re.search(r"\b(row 77|78)\b", message)


def test_half_an_emoji_is_one_odd_character_of_its_row_alone(scene: Scene) -> None:
    halved = {"row 2?": "ok \ud83d", "row 3?": Reply("no \ud83d", 400), "row": "whole"}
    scene.endpoint.replies = halved
    source, model = scene.source(5), scene.model()
    answers = ["whole", "whole", "ok \ufffd", None, "whole"]
    for more in ("", "WHERE m.answer <> '' OR s.id = 3", "ORDER BY s.id, m.answer"):
        with closing(scene.connect()) as client:
            assert asked(client, joined(source, model, more)) == list(enumerate(answers))
            ((_, _, message),) = asked(client, "SHOW WARNINGS")
            assert "no \ufffd" in message
    one = f"SELECT CONCAT(answer, '!') FROM {model} WHERE text = 'row 2?'"
    assert scene.rows(one) == [("ok \ufffd!",)]


def test_nul_characters_are_characters(scene: Scene) -> None:
    scene.endpoint.replies = lambda prompt: f"{number(prompt)}\0{prompt.count(chr(0))}"
    model = scene.model()
    one = f"SELECT answer, LENGTH(CONCAT(answer, '\0')) AS n FROM {model} WHERE text = 'row 7\0\0'"
    assert scene.rows(one) == [("7\x002", 4)]


def test_many_rows_that_are_refused_are_counted(scene: Scene) -> None:
    scene.endpoint.replies = Reply("too long for me", 400)
    with closing(scene.connect()) as client, client.cursor() as cursor:
        cursor.execute(scene.batch(3000))
        assert list(cursor.fetchall()) == [(n, None) for n in range(3000)]
        assert cursor.warning_count == 3000
        assert 1 <= len(asked(client, "SHOW WARNINGS")) <= 1025
    assert scene.endpoint.calls == 3000


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=["bare", "Retry-After"])
def test_a_rate_limit_loses_no_row(scene: Scene, headers: dict[str, str]) -> None:
    scene.endpoint.replies = Limit(rate=50, burst=5, headers=headers)
    with closing(scene.connect()) as client:
        assert asked(client, scene.batch(200)) == numbered(200)
        assert asked(client, "SHOW WARNINGS") == []
    assert len(scene.endpoint.answered) == 200


def test_an_endpoint_that_is_gone_is_an_error_at_once(scene: Scene) -> None:
    sql = scene.batch(1000)
    scene.endpoint.stop()
    with pytest.raises(pymysql.MySQLError) as failure:
        scene.rows(sql, read_timeout=15)
    assert failure.value.args[0] == 1429
    assert scene.endpoint.url in failure.value.args[1]


def test_what_an_endpoint_said_is_there_when_it_is_gone(
    scene: Scene,
) -> None:
    sql = scene.batch(200)
    assert scene.calls(f"{sql} WHERE s.id < 50") == 50
    scene.endpoint.stop()
    with pytest.raises(pymysql.MySQLError) as failure:
        scene.rows(sql, read_timeout=15)
    assert failure.value.args[0] == 1429
    # what is known needs no endpoint
    assert scene.rows(f"{sql} WHERE s.id < 50", read_timeout=15) == numbered(50)


def test_a_key_that_is_refused_ends_the_query_with_the_endpoints_words(scene: Scene) -> None:
    sql = scene.batch(1000)
    scene.endpoint.key = "another"
    with pytest.raises(pymysql.MySQLError) as failure:
        scene.rows(sql)
    assert failure.value.args[0] == 1430
    assert "Incorrect API key provided" in failure.value.args[1]
    assert "sk-test" not in failure.value.args[1]
    assert scene.endpoint.calls <= WINDOW


def test_after_a_refused_key_nothing_more_is_sent(scene: Scene) -> None:
    sql = scene.batch(1000)
    scene.endpoint.key = "another"
    with pytest.raises(pymysql.MySQLError):
        scene.rows(sql)
    scene.until(lambda endpoint: endpoint.in_flight == 0)
    before = scene.endpoint.calls
    assert scene.rows("SELECT 1") == [(1,)]
    assert scene.endpoint.calls == before


@pytest.mark.parametrize("by", ["option", "variable"])
def test_rows_without_answer_in_time_are_null(scene: Scene, by: str) -> None:
    scene.endpoint.replies = lambda prompt: Reply(
        number(prompt), delay=0 if "row 3?" in prompt else 30
    )
    with closing(scene.connect()) as client:
        if by == "variable":
            asked(client, "SET SESSION max_prediction_seconds = 0.5")
        options = " USING max_seconds = 0.5" if by == "option" else ""
        rows = asked(client, scene.batch(WINDOW) + options)
        warnings = asked(client, "SHOW WARNINGS")
    assert rows == [(n, "3" if n == 3 else None) for n in range(WINDOW)]
    assert scene.endpoint.calls == WINDOW
    assert {code for _, code, _ in warnings} == {3024}
    assert len(warnings) == WINDOW - 1
