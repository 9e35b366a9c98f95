"""LIMIT costs what it needs: the rows, and what was in flight when the last one was found."""

from tests.predictions.support import WINDOW, Scene, joined, number, numbered
from tests.support.endpoint import Reply

# Of the rows 0 to 999 those that end in 3 or 7 are the right ones: the tenth of them is row 47.
RIGHT = [n for n in range(1000) if n % 10 in (3, 7)][:10]


def right_or_wrong(prompt: str) -> Reply:
    return Reply("right" if number(prompt)[-1] in "37" else "wrong", delay=0.05)


def test_limit_on_the_prediction_gives_the_first_right_rows(scene: Scene) -> None:
    scene.endpoint.replies = right_or_wrong
    sql = joined(scene.source(1000), scene.model(), "WHERE m.answer = 'right' LIMIT 10")
    assert scene.rows(sql) == [(n, "right") for n in RIGHT]
    assert scene.endpoint.calls <= RIGHT[-1] + 1 + WINDOW


def test_limit_on_the_prediction_in_the_order_of_the_source(scene: Scene) -> None:
    scene.endpoint.replies = right_or_wrong
    more = "WHERE m.answer = 'right' ORDER BY s.id DESC LIMIT 3"
    assert scene.rows(joined(scene.source(1000), scene.model(), more)) == [
        (997, "right"),
        (993, "right"),
        (987, "right"),
    ]
    assert scene.endpoint.calls <= 13 + WINDOW


def test_limit_with_an_offset_counts_both(scene: Scene) -> None:
    scene.endpoint.replies = right_or_wrong
    sql = joined(scene.source(1000), scene.model(), "WHERE m.answer = 'right' LIMIT 2 OFFSET 8")
    assert scene.rows(sql) == [(n, "right") for n in RIGHT[8:]]
    assert scene.endpoint.calls <= RIGHT[-1] + 1 + WINDOW


def test_limit_alone_asks_for_its_rows_and_no_more(scene: Scene) -> None:
    assert scene.rows(joined(scene.source(1000), scene.model(), "LIMIT 5")) == numbered(5)
    assert scene.endpoint.calls == 5


def test_order_by_a_column_of_the_source_asks_for_the_last_rows_alone(scene: Scene) -> None:
    more = "ORDER BY s.id DESC LIMIT 5"
    rows = scene.rows(joined(scene.source(1000), scene.model(), more))
    assert rows == [(n, str(n)) for n in (999, 998, 997, 996, 995)]
    assert scene.endpoint.calls == 5


def test_what_a_limit_paid_for_is_not_paid_again(scene: Scene) -> None:
    scene.endpoint.replies = right_or_wrong
    sql = joined(scene.source(1000), scene.model(), "WHERE m.answer = 'right' LIMIT 10")
    scene.rows(sql)
    scene.until(lambda endpoint: endpoint.in_flight == 0)
    before = scene.endpoint.calls
    assert scene.rows(sql) == [(n, "right") for n in RIGHT]
    # all that its rows needed was answered: only what it reads ahead may be asked
    assert scene.endpoint.calls - before <= WINDOW
