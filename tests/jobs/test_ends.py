"""How runs end before their time, and what a restart makes of jobs."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pymysql
import pytest

from tests.jobs.support import ASK, Scene
from tests.support.endpoint import Reply

PROCESS = (
    "SELECT id, user, host, db, info FROM information_schema.processlist WHERE command = 'Job'"
)
INTERRUPTED = "status, error"


def running(scene: Scene, schedule: str = "") -> None:
    """A job `j` that waits for the endpoint."""
    scene.endpoint.replies = Reply(held=threading.Event())
    scene.rows(f"CREATE JOB j ({ASK}) {schedule}")
    scene.until(lambda: scene.endpoint.in_flight == 1)


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def change(scene: Scene, sql: str, values: list[Any]) -> None:
    """Change the catalog of a stopped proxy: time passes faster so."""
    scene.proxy.stop()
    with duckdb.connect(str(scene.proxy.data_dir / "catalog.duckdb")) as catalog:
        catalog.execute(sql, values)
    scene.proxy.start()


def test_a_stop_of_the_server_interrupts_a_run_that_is_not_repeated(scene: Scene) -> None:
    running(scene)
    assert scene.proxy.stop() == 0
    scene.until(lambda: scene.endpoint.in_flight == 0)
    scene.proxy.start()
    assert scene.history(INTERRUPTED) == [("interrupted", "The server was stopped")]
    assert scene.history("statement")[0].startswith("INSERT INTO log SELECT '2")
    scene.rows("CREATE JOB k (SELECT 1)")
    scene.until_runs(1, "k")
    assert scene.endpoint.calls == 1


def test_a_run_of_a_server_that_was_killed_is_interrupted(scene: Scene) -> None:
    running(scene)
    scene.proxy.kill()
    scene.proxy.start()
    assert scene.history(INTERRUPTED) == [("interrupted", "The server ended during the run")]
    assert scene.endpoint.calls == 1


def test_kill_ends_a_run(scene: Scene) -> None:
    running(scene)
    ((number, user, host, database, info),) = scene.rows(PROCESS)
    assert (user, host, database) == ("tester", "modelwire.j", "modelwire")
    assert info.startswith("INSERT INTO log SELECT '2")
    scene.rows(f"KILL QUERY {number}")
    scene.until_runs(1)
    assert scene.history(INTERRUPTED) == [("interrupted", "The run was killed")]
    assert scene.rows(PROCESS) == []
    scene.until(lambda: scene.endpoint.in_flight == 0)


def test_a_killed_run_of_a_period_is_followed_by_the_next(scene: Scene) -> None:
    running(scene, "EVERY 1 second")
    scene.endpoint.replies = "good"
    scene.rows(f"KILL {scene.rows(PROCESS)[0][0]}")
    scene.until_runs(2)
    assert scene.history()[:2] == ["interrupted", "complete"]


def test_dropping_a_job_ends_its_run_and_its_history(scene: Scene) -> None:
    running(scene, "EVERY 1 second")
    scene.rows("DROP JOB j")
    scene.until(lambda: scene.endpoint.in_flight == 0)
    scene.until(lambda: not scene.rows(PROCESS))
    assert scene.rows("SELECT * FROM information_schema.jobs_history") == []
    assert scene.endpoint.calls == 1


def test_a_job_may_drop_itself(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}; DROP JOB j) EVERY 1 second")
    scene.until(lambda: not scene.rows("SHOW JOBS"))
    assert scene.endpoint.calls == 1


def test_dropping_a_database_drops_its_jobs(scene: Scene) -> None:
    scene.rows("CREATE DATABASE shop")
    scene.rows("CREATE JOB shop.j (SELECT 1) EVERY day")
    scene.rows("CREATE JOB k (SELECT 1) EVERY day")
    scene.rows("DROP DATABASE shop")
    assert scene.rows("SELECT name FROM information_schema.jobs") == [("k",)]


def test_times_missed_while_the_server_was_down_are_made_up_once(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}) EVERY 1 hour START '2100-01-01'")
    begun = now() - timedelta(hours=6, minutes=30)
    change(
        scene,
        "UPDATE jobs SET start_at = $1, next_run_at = $2",
        [begun, begun + timedelta(hours=1)],
    )
    scene.until_runs(1)
    due = "SELECT next_run_at FROM information_schema.jobs"
    assert scene.rows(due) == [(str(begun + timedelta(hours=7)),)]
    assert scene.endpoint.calls == 1
    scene.proxy.stop()
    scene.proxy.start()
    scene.rows("CREATE JOB k (SELECT 1)")
    scene.until_runs(1, "k")
    assert scene.history() == ["complete"]
    assert scene.endpoint.calls == 1


def test_a_missed_run_is_made_up_even_when_the_end_has_come(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}) EVERY 1 hour START '2100-01-01' END '2100-01-02'")
    begun = now() - timedelta(hours=6)
    change(
        scene,
        "UPDATE jobs SET start_at = $1, next_run_at = $1, end_at = $2",
        [begun, begun + timedelta(hours=2)],
    )
    scene.until_runs(1)
    assert scene.rows("SELECT next_run_at FROM information_schema.jobs") == [(None,)]
    assert scene.endpoint.calls == 1


def test_times_missed_while_a_job_was_disabled_are_not_made_up(scene: Scene) -> None:
    scene.rows("CREATE JOB j (SELECT 1) EVERY 1 hour START '2100-01-01'")
    scene.rows("ALTER JOB j DISABLE")
    begun = now() - timedelta(hours=6, minutes=30)
    change(scene, "UPDATE jobs SET start_at = $1", [begun])
    scene.rows("ALTER JOB j ENABLE")
    assert scene.rows("SELECT enabled, next_run_at FROM information_schema.jobs") == [
        ("1", str(begun + timedelta(hours=7)))
    ]
    assert scene.history() == []


def test_a_job_of_a_start_to_come_waits_for_it_over_a_restart(scene: Scene) -> None:
    scene.rows(f"CREATE JOB j ({ASK}) START '{now() + timedelta(seconds=3)}'")
    scene.proxy.stop()
    scene.proxy.start()
    scene.until_runs(1)
    assert scene.history() == ["complete"]
    assert scene.endpoint.calls == 1


def test_a_job_whose_database_is_gone_says_so_each_time(scene: Scene) -> None:
    scene.rows("CREATE DATABASE shop")
    scene.rows("CREATE JOB modelwire.j (SELECT 1) START '2100-01-01' EVERY 1 hour", database="shop")
    scene.rows("DROP DATABASE shop")
    change(scene, "UPDATE jobs SET next_run_at = $1", [now()])
    scene.until_runs(1)
    assert scene.history("status, statement, error") == [
        ("error", None, "1049 (42000): Unknown database 'shop'")
    ]


def test_jobs_come_with_several_statements_in_one_text(scene: Scene) -> None:
    flags = pymysql.constants.CLIENT.MULTI_STATEMENTS
    text = "SELECT 1; CREATE JOB j (SELECT 1; SELECT 2) START '2100-01-01'; SELECT 3"
    scene.rows(text, client_flag=flags)
    scene.until(lambda: scene.rows("SHOW JOBS"))
    assert scene.rows("SELECT query FROM information_schema.jobs") == [("SELECT 1; SELECT 2",)]


@pytest.mark.parametrize("module", ["proxy.server", "proxy.answers"])
def test_a_server_without_jobs_does_not_load_the_scheduler(module: str) -> None:
    code = f"import sys, {module}; sys.exit('apscheduler' in sys.modules)"
    root = Path(__file__).parent.parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize(
    "clauses",
    [
        "EVERY 3 months START '2100-01-31 06:00:00' END '2101-01-01'",
        "CRON '0 6 * * 1-5' START '2100-01-01' IF (SELECT 1 WHERE 'a' <> ')')",
        "START '2100-01-01'",
    ],
)
def test_what_show_create_prints_makes_the_job_again(scene: Scene, clauses: str) -> None:
    scene.rows(f"CREATE JOB `my j` (SELECT ';)' /* ; */; SELECT '{{{{START_DATE}}}}') {clauses}")
    look = (
        "SELECT query, if_query, schedule, start_at, end_at, next_run_at "
        "FROM information_schema.jobs"
    )
    before, printed = scene.rows(look), scene.rows("SHOW CREATE JOB `my j`")[0][1]
    scene.rows("DROP JOB `my j`")
    scene.rows(printed)
    assert scene.rows(look) == before
