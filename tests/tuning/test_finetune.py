"""Fine-tuning from end to end: a client, a proxy that may die, an endpoint."""

import threading
from contextlib import closing

import pymysql
import pytest

from tests.support.proxy import ProxyProcess
from tests.tuning.datasets import BAD
from tests.tuning.scene import STATUS, Scene, finetune

TUNED = "ft:llama:me:ftjob-1"


def test_a_job_that_succeeds_makes_the_version_that_answers(scene: Scene) -> None:
    assert scene.asked("a") == "llama"
    scene.fine_tune("n_epochs = 3, context_length = 512")
    scene.until_status("succeeded")
    assert scene.active() == (2, "complete", TUNED)
    assert scene.asked("a") == TUNED
    assert scene.desk.orders[0]["hyperparameters"] == {"context_length": 512, "n_epochs": 3}
    assert [len(upload.chats) for upload in scene.desk.uploads] == [30, 20]
    assert [upload.purpose for upload in scene.desk.uploads] == ["fine-tune", "fine-tune"]


@pytest.mark.parametrize("end", [ProxyProcess.stop, ProxyProcess.kill], ids=["stopped", "killed"])
def test_a_job_goes_on_over_a_restart_of_the_proxy(scene: Scene, end: object) -> None:
    scene.desk.outcome = "never"
    scene.fine_tune()
    scene.until_status("running")
    assert scene.asked("before") == "llama"
    end(scene.proxy)  # type: ignore[operator]
    scene.desk.end("ftjob-1", "succeeded")
    scene.proxy.start()
    scene.until_status("succeeded")
    assert scene.active() == (2, "complete", TUNED)
    assert scene.asked("after") == TUNED
    assert len(scene.desk.orders) == 1


def test_active_false_leaves_the_old_version_active(scene: Scene) -> None:
    scene.fine_tune("active = false")
    scene.until_status("succeeded")
    assert scene.active() == (1, "complete", "llama")
    assert scene.asked("a") == "llama"
    assert scene.rows("SELECT version, fine_tuned_model FROM information_schema.fine_tunings") == [
        (2, TUNED)
    ]


def test_a_job_that_fails_leaves_the_old_version_and_the_endpoints_words(scene: Scene) -> None:
    scene.desk.outcome = "failed"
    scene.fine_tune()
    scene.until_status("failed")
    ((error, finished),) = scene.rows(
        "SELECT error, finished_at FROM information_schema.fine_tunings"
    )
    assert error == "The training data has no signal"
    assert finished is not None
    assert scene.active() == (1, "complete", "llama")


def test_trouble_while_looking_is_shown_and_is_no_end(scene: Scene) -> None:
    scene.desk.troubles = 1_000_000
    scene.fine_tune()
    scene.until(
        lambda: scene.rows("SELECT error FROM information_schema.fine_tunings") != [(None,)]
    )
    ((status, error),) = scene.rows("SELECT status, error FROM information_schema.fine_tunings")
    assert (status, "try again" in error) == ("queued", True)
    scene.desk.troubles = 0
    scene.until_status("succeeded")
    assert scene.rows("SELECT error FROM information_schema.fine_tunings") == [(None,)]
    assert scene.active() == (2, "complete", TUNED)


def test_a_job_that_the_endpoint_has_lost_has_failed(scene: Scene) -> None:
    scene.desk.outcome = "never"
    scene.fine_tune()
    scene.desk.lose("ftjob-1")
    scene.until_status("failed")
    assert scene.active() == (1, "complete", "llama")


def test_cancel_ends_the_job_at_the_endpoint(scene: Scene) -> None:
    scene.desk.outcome = "never"
    scene.fine_tune()
    scene.rows("CANCEL FINETUNE mood")
    assert scene.desk.cancels == ["ftjob-1"]
    assert scene.rows(STATUS) == [("cancelled",)]
    assert scene.active() == (1, "complete", "llama")
    assert scene.refusal("CANCEL FINETUNE mood") == (
        1305,
        "No fine-tuning of model 'modelwire.mood' is running",
    )


def test_a_model_can_be_fine_tuned_again_after_a_job_was_cancelled(scene: Scene) -> None:
    scene.desk.outcome = "never"
    scene.fine_tune()
    scene.rows("CANCEL FINETUNE mood")
    scene.desk.outcome = "succeeded"
    scene.fine_tune()
    scene.until(lambda: scene.active() == (3, "complete", "ft:llama:me:ftjob-2"))


def test_a_second_job_of_a_model_is_refused_while_one_runs(scene: Scene) -> None:
    scene.desk.outcome = "never"
    scene.fine_tune()
    assert scene.refusal(finetune()) == (
        1451,
        "Model 'modelwire.mood' is being fine-tuned already (job ftjob-1): "
        "CANCEL FINETUNE mood ends that",
    )
    assert len(scene.desk.uploads) == 2


def test_an_engine_is_not_dropped_while_it_trains(scene: Scene) -> None:
    scene.desk.outcome = "never"
    scene.fine_tune()
    code, text = scene.refusal("DROP ML_ENGINE e")
    assert (code, "fine-tuning job ftjob-1 of model 'modelwire.mood'" in text) == (1451, True)


def test_dropping_a_model_cancels_its_job_and_frees_its_engine(scene: Scene) -> None:
    scene.desk.outcome = "never"
    scene.fine_tune()
    scene.rows("DROP MODEL mood")
    assert scene.desk.cancels == ["ftjob-1"]
    assert scene.rows(STATUS) == [("cancelled",)]
    scene.rows("DROP ML_ENGINE e")


def test_dropping_a_database_cancels_the_jobs_of_its_models(scene: Scene) -> None:
    scene.desk.outcome = "never"
    scene.rows("CREATE DATABASE shop")
    scene.rows(
        "CREATE MODEL shop.mood PREDICT sentiment USING engine = 'e', model_name = 'llama', "
        "prompt_template = 'Mood of {{text}}'"
    )
    scene.rows("FINETUNE shop.mood FROM modelwire (SELECT role, content, chat_id FROM chats)")
    scene.rows("DROP DATABASE shop")
    assert scene.desk.cancels == ["ftjob-1"]


def test_a_base_model_that_is_not_offered_is_told_and_leaves_nothing(scene: Scene) -> None:
    scene.desk.base_models = ("mistral-7b", "llama-3-8b")
    code, text = scene.refusal(finetune())
    assert (code, text) == (
        1430,
        "the endpoint does not fine-tune 'llama': Model llama cannot be fine-tuned.; "
        "it fine-tunes mistral-7b, llama-3-8b",
    )
    assert scene.rows("SELECT * FROM information_schema.fine_tunings") == []
    assert scene.desk.deleted == ["file-1", "file-2"]
    scene.desk.base_models = None
    scene.fine_tune()
    scene.until(lambda: scene.active() == (2, "complete", TUNED))


def test_the_embedded_model_is_not_fine_tuned(scene: Scene) -> None:
    scene.rows("CREATE ML_ENGINE here FROM local USING skip_validation = true")
    scene.rows(
        "CREATE MODEL small PREDICT mood USING engine = 'here', "
        "prompt_template = '{{text}}', skip_validation = true"
    )
    assert scene.refusal("FINETUNE small FROM modelwire (SELECT * FROM chats)") == (
        1235,
        "Engine 'here' fine-tunes no model: its handler 'local' has no fine-tuning",
    )


def test_bad_data_sets_are_refused_each_in_its_own_words_and_nothing_is_uploaded(
    scene: Scene,
) -> None:
    for number, bad in enumerate(BAD):
        scene.table(f"bad_{number}", bad.table)
        length = 100_000 if bad.context_length is None else bad.context_length
        seen = scene.refusal(finetune(f"context_length = {length}", f"bad_{number}"))
        assert seen == (1366, bad.told)
    assert len({bad.told for bad in BAD}) == len(BAD) >= 12
    assert scene.desk.uploads == []
    assert scene.rows("SELECT * FROM information_schema.fine_tunings") == []


def test_a_crash_before_the_endpoint_took_the_order_leaves_nothing(scene: Scene) -> None:
    scene.desk.stalls = "order"
    _kill_while_stalled(scene)
    scene.proxy.start()
    scene.until(lambda: scene.rows("SELECT * FROM information_schema.fine_tunings") == [])
    assert scene.active() == (1, "complete", "llama")
    assert scene.desk.deleted == ["file-1", "file-2"]
    assert scene.desk.orders == []


def test_a_crash_before_the_endpoints_answer_loses_no_job(scene: Scene) -> None:
    scene.desk.stalls = "answer"
    _kill_while_stalled(scene)
    scene.proxy.start()
    scene.until_status("succeeded")
    assert scene.active() == (2, "complete", TUNED)
    assert len(scene.desk.orders) == 1


def test_a_client_that_leaves_during_an_upload_leaves_nothing(scene: Scene) -> None:
    scene.desk.stalls = "upload"
    client = scene.proxy.connect(autocommit=True)
    thread = threading.Thread(target=_fails, args=(client, finetune()))
    thread.start()
    scene.until(lambda: scene.desk.stalled)
    scene.rows(f"KILL QUERY {client.thread_id()}")
    thread.join(10)
    scene.desk.stalls = ""
    assert scene.desk.orders == []
    assert scene.rows("SELECT * FROM information_schema.fine_tunings") == []
    scene.fine_tune()
    scene.until(lambda: scene.active() == (2, "complete", TUNED))


def test_a_client_that_leaves_while_its_job_is_ordered_leaves_a_job_that_is_looked_after(
    scene: Scene,
) -> None:
    scene.desk.stalls = "answer"
    client = scene.proxy.connect(autocommit=True)
    thread = threading.Thread(target=_fails, args=(client, finetune()))
    thread.start()
    scene.until(lambda: scene.desk.stalled)
    scene.rows(f"KILL QUERY {client.thread_id()}")
    scene.desk.stalls = ""
    scene.until(lambda: scene.active() == (2, "complete", TUNED))
    thread.join(10)
    assert scene.desk.deleted == []


def test_of_two_that_begin_at_once_the_second_is_refused(scene: Scene) -> None:
    scene.desk.stalls = "upload"
    first = threading.Thread(target=scene.fine_tune)
    first.start()
    scene.until(lambda: scene.desk.stalled)
    assert scene.refusal(finetune())[0] == 1451
    scene.desk.stalls = ""
    first.join(10)
    scene.until_status("succeeded")
    assert len(scene.desk.orders) == 1


def _kill_while_stalled(scene: Scene) -> None:
    client = scene.proxy.connect(autocommit=True)
    thread = threading.Thread(target=_fails, args=(client, finetune()))
    thread.start()
    scene.until(lambda: scene.desk.stalled)
    scene.proxy.kill()
    thread.join(10)
    scene.desk.stalls = ""


def _fails(client: "pymysql.Connection[pymysql.cursors.Cursor]", sql: str) -> None:
    with closing(client), client.cursor() as cursor, pytest.raises((pymysql.MySQLError, OSError)):
        cursor.execute(sql)
