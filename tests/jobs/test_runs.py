"""What a job does when it is due, seen from outside."""

import threading
import time

from tests.jobs.support import ASK, Scene
from tests.support.endpoint import Reply


def test_a_job_without_a_period_runs_once_and_is_kept(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK})")
    scene.until_runs(1)
    assert scene.history("status, statement, error, warnings") == [("complete", None, None, "0")]
    assert scene.rows("SELECT sentiment FROM log") == [("good",)]
    assert scene.rows("SELECT schedule, next_run_at FROM information_schema.jobs") == [
        ("ONCE", None)
    ]
    assert scene.endpoint.calls == 1


def test_a_period_has_a_run_for_each_of_its_times(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}) EVERY 1 second")
    scene.until_runs(3)
    scene.disable()
    runs = scene.history()
    assert runs == ["complete"] * len(runs)
    assert len(scene.rows("SELECT started FROM log GROUP BY started")) == len(runs)
    assert scene.endpoint.calls == len(runs)


def test_predictions_of_a_job_are_accounted_to_its_owner(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}; {ASK})")
    scene.until_runs(1)
    accounts = "SELECT user, model, calls, status FROM information_schema.model_usage"
    assert scene.rows(accounts) == [("tester", "mood", "1", "complete")] * 2


def test_a_job_runs_in_the_database_that_it_was_made_in(scene: Scene) -> None:
    scene.rows("CREATE DATABASE shop")
    scene.rows("CREATE TABLE shop.seen (place TEXT, who TEXT)")
    scene.rows(
        "CREATE JOB modelwire.j (INSERT INTO seen SELECT DATABASE(), USER())", database="shop"
    )
    scene.until_runs(1)
    assert scene.rows("SELECT * FROM shop.seen") == [("shop", "tester@localhost")]


def test_each_run_knows_when_the_one_before_began(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}) EVERY 1 second")
    scene.until_runs(3)
    scene.disable()
    made = scene.rows("SELECT created_at FROM information_schema.jobs")[0]
    rows = scene.rows("SELECT started, previous FROM log ORDER BY started")
    started = [row[0] for row in rows]
    assert [row[1] for row in rows] == [*made, *started[:-1]]


def test_a_run_that_failed_is_not_the_one_before(scene: Scene) -> None:
    """What came in before it is still to be looked at."""
    scene.rows(f"CREATE JOB j (SELECT * FROM gate; {ASK}) EVERY 1 second")
    scene.until_runs(2)
    scene.rows("CREATE TABLE gate (id INT)")
    scene.until(lambda: "complete" in scene.history())
    made = scene.rows("SELECT created_at FROM information_schema.jobs")[0]
    assert scene.rows("SELECT previous FROM log ORDER BY started LIMIT 1") == [made]


def test_before_the_first_run_the_start_counts_if_it_is_the_earlier(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}) START '2026-01-01 06:00:00'")
    scene.until_runs(1)
    assert scene.rows("SELECT previous FROM log") == [("2026-01-01 06:00:00",)]


def test_a_bare_time_is_a_text_and_a_condition_has_times_too(scene: Scene) -> None:
    scene.rows(
        "CREATE JOB j (INSERT INTO log SELECT {{START_DATE}}, \"{{START_DATE}}\", '') "
        "IF (SELECT 1 WHERE '{{PREVIOUS_START_DATETIME}}' <= {{START_DATETIME}})"
    )
    scene.until_runs(1)
    assert scene.rows("SELECT started = previous, LENGTH(started) FROM log") == [("1", "10")]


def test_statements_run_only_if_the_condition_has_a_row(scene: Scene) -> None:
    scene.rows("CREATE TABLE todo (id INT)")
    scene.rows(f"CREATE JOB j ({ASK}) EVERY 1 second IF (SELECT * FROM todo)")
    scene.until_runs(2)
    assert set(scene.history()) == {"skipped"}
    assert scene.endpoint.calls == 0
    scene.rows("INSERT INTO todo VALUES (1)")
    scene.until(lambda: scene.history()[-1] == "complete")
    scene.disable()
    assert scene.endpoint.calls == scene.history().count("complete")


def test_a_run_ends_at_its_first_failing_statement_and_the_job_goes_on(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}; SELECT * FROM nowhere; {ASK}) EVERY 1 second")
    scene.until_runs(2)
    scene.disable()
    runs = scene.history("status, statement, error")
    failed = (
        "error",
        "SELECT * FROM nowhere",
        "1146 (42S02): Table 'modelwire.nowhere' doesn't exist",
    )
    assert runs == [failed] * len(runs)
    assert scene.endpoint.calls == len(runs)


def test_of_a_condition_only_the_first_rows_are_asked_for(scene: Scene) -> None:
    """A window of calls at a time: not one for each of the rows."""
    scene.rows(
        "CREATE TABLE many AS SELECT CONCAT('row ', n) AS text "
        "FROM (SELECT UNNEST(RANGE(5000)) AS n) AS numbers"
    )
    scene.rows("CREATE JOB j (SELECT 1) IF (SELECT m.sentiment FROM many JOIN mood AS m)")
    scene.until_runs(1)
    assert scene.history() == ["complete"]
    assert 1 <= scene.endpoint.calls <= 500


def test_a_condition_that_fails_fails_the_run(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}) IF (SELECT * FROM nowhere)")
    scene.until_runs(1)
    assert scene.history("status, statement") == [("error", "SELECT * FROM nowhere")]
    assert scene.endpoint.calls == 0


def test_rows_without_an_answer_are_warnings_of_the_run(scene: Scene) -> None:
    scene.endpoint.replies = Reply("no such thing", 400)
    scene.rows(f"CREATE JOB j ({ASK})")
    scene.until_runs(1)
    assert scene.history("status, warnings") == [("complete", "1")]
    assert scene.rows("SELECT sentiment FROM log") == [(None,)]


def test_what_a_run_leaves_open_is_rolled_back(scene: Scene) -> None:
    scene.rows("CREATE JOB j (BEGIN; INSERT INTO log VALUES ('a', 'b', 'c'))")
    scene.until_runs(1)
    assert scene.history() == ["complete"]
    assert scene.rows("SELECT * FROM log") == []


def test_a_job_runs_once_at_a_time_and_makes_up_once_for_what_it_missed(scene: Scene) -> None:
    """Behind a run that took over its next times comes one at once, and then that of the next
    time: no two begin in the same second."""
    gate = threading.Event()
    scene.endpoint.replies = Reply("late", held=gate)
    scene.rows(f"CREATE JOB j ({ASK}) EVERY 1 second")
    scene.until(lambda: scene.endpoint.calls == 1)
    time.sleep(3)  # the time of three more runs
    assert scene.endpoint.calls == 1
    gate.set()
    scene.until_runs(3)
    scene.disable()
    starts = scene.history("run_start")
    assert len(set(starts)) == len(starts)
    assert scene.endpoint.max_in_flight == 1
    assert scene.endpoint.calls == len(starts)


def test_a_replaced_job_runs_as_it_is_now_and_keeps_its_history(scene: Scene) -> None:
    scene.rows("CREATE JOB j (SELECT 1)")
    scene.until_runs(1)
    scene.rows(f"CREATE OR REPLACE JOB J ({ASK})")
    scene.until_runs(2)
    assert scene.history("name, status") == [("j", "complete")] * 2
    assert scene.endpoint.calls == 1


def test_jobs_do_not_wait_for_one_another(scene: Scene) -> None:
    gate = threading.Event()
    scene.endpoint.replies = Reply("late", held=gate)
    scene.rows(f"CREATE JOB slow ({ASK})")
    scene.until(lambda: scene.endpoint.in_flight == 1)
    scene.rows("CREATE JOB j (SELECT 1)")
    scene.until_runs(1)
    assert scene.history(job="slow") == []
    gate.set()
    scene.until_runs(1, "slow")
    assert scene.endpoint.calls == 1


def test_no_more_than_eight_jobs_run_at_once_and_the_others_follow(scene: Scene) -> None:
    gate = threading.Event()
    scene.endpoint.replies = Reply("late", held=gate)
    for number in range(10):
        ask = ASK.replace("'x'", f"'x{number}'")  # the same prompt would be one call
        scene.rows(f"CREATE JOB j{number} ({ask})")
    running = "SELECT 1 FROM information_schema.jobs_history WHERE status = 'running'"
    scene.until(lambda: len(scene.rows(running)) == 8)
    scene.until(lambda: scene.endpoint.in_flight == 8)
    assert (
        len(scene.rows("SELECT * FROM information_schema.processlist WHERE command = 'Job'")) == 8
    )
    gate.set()
    scene.until(lambda: len(scene.rows("SELECT * FROM log")) == 10)
    assert scene.endpoint.max_in_flight <= 8
    assert scene.endpoint.calls == 10
