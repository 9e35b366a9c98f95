"""kill -9: on the next run no call is repeated whose answer was 50 ms old."""

import time
from contextlib import closing
from threading import Thread

from tests.predictions.support import WINDOW, FirstOnly, Scene, fails, number, numbered
from tests.support.endpoint import Reply

ROWS = 300

COMMIT_SECONDS = 0.05
SLOW_MACHINE_SECONDS = 0.2


def test_answers_before_a_pause_are_all_kept(scene: Scene) -> None:
    """The last 50 ms hold no answer: the calls are those without one, to the number."""
    sql = scene.batch(ROWS)
    scene.endpoint.replies = FirstOnly(100)
    with closing(scene.connect()) as client:
        thread = Thread(target=fails, args=(client, sql))
        thread.start()
        scene.until(lambda endpoint: endpoint.in_flight == WINDOW and len(endpoint.answered) == 100)
        time.sleep(COMMIT_SECONDS + SLOW_MACHINE_SECONDS)
        scene.proxy.kill()
        thread.join(30)
    scene.endpoint.replies = number
    scene.proxy.start()
    assert scene.calls(sql) == ROWS - 100


def test_in_the_middle_of_answers_at_most_the_last_are_asked_again(scene: Scene) -> None:
    """Their number is what the endpoint answered in the last moments before the kill.

    An answer that was sent and not received is among them; those in flight have none yet.
    """
    sql = scene.batch(ROWS)
    scene.endpoint.replies = lambda prompt: Reply(number(prompt), delay=0.03)
    with closing(scene.connect()) as client:
        thread = Thread(target=fails, args=(client, sql))
        thread.start()
        scene.until(lambda endpoint: len(endpoint.answered) >= ROWS // 2)
        killed = time.monotonic()
        scene.proxy.kill()
        thread.join(30)
    scene.until(lambda endpoint: endpoint.in_flight == 0)
    answered = list(scene.endpoint.answered)
    late = sum(moment > killed - COMMIT_SECONDS - SLOW_MACHINE_SECONDS for moment in answered)
    assert late < len(answered)  # else there is nothing to keep
    scene.proxy.start()
    assert scene.calls(sql) <= ROWS - len(answered) + late
    assert scene.rows(sql) == numbered(ROWS)


def test_a_crash_loses_no_answer_of_a_statement_that_is_done(scene: Scene) -> None:
    sql = scene.batch(ROWS)
    assert scene.calls(sql) == ROWS
    time.sleep(COMMIT_SECONDS + SLOW_MACHINE_SECONDS)
    scene.proxy.kill()
    scene.proxy.start()
    assert scene.calls(sql) == 0
