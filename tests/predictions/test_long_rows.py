"""Rows with long texts: what is held of them is bounded by their length, not by their number."""

from pathlib import Path

from proxy.execute.relations import portions
from tests.predictions.support import Scene
from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess

ROWS = 8000


def test_long_texts_are_computed_in_little_memory(tmp_path: Path) -> None:
    proxy = ProxyProcess(tmp_path / "data", {"MODELWIRE_MEMORY_LIMIT": "200MB"})
    with proxy, Endpoint("seen") as endpoint:
        scene = Scene(proxy, endpoint)
        model = scene.model()
        scene.rows(
            "CREATE TABLE long_rows AS SELECT n AS id, CONCAT('row ', n % 10) AS text, "
            f"CONCAT(n, REPEAT('y', 10000)) AS body FROM (SELECT UNNEST(RANGE({ROWS})) AS n) AS q"
        )
        # once before, so that no row waits for an answer: as many as can be come at once
        scene.rows(f"SELECT m.answer FROM long_rows AS s JOIN {model} AS m ON m.text = s.text")
        rows = scene.rows(
            "SELECT s.id, LENGTH(CONCAT(s.body, m.answer)) FROM long_rows AS s "
            f"JOIN {model} AS m ON m.text = s.text"
        )
        assert [length for _, length in rows] == [10004 + len(str(n)) for n in range(ROWS)]
        assert [n for n, _ in rows] == list(range(ROWS))


def test_a_portion_ends_where_its_text_is_long() -> None:
    long, short = ("x" * 1_500_000, None), ("x", "y")
    assert list(portions([short, long, short, long, long])) == [
        [short, long, short],
        [long],
        [long],
    ]
    assert list(portions([])) == []


def test_a_prompt_that_is_long_is_asked_once(scene: Scene) -> None:
    model = scene.model()
    scene.rows(
        "CREATE TABLE long_rows AS SELECT n AS id, "
        "CONCAT('row ', n % 3, REPEAT(' y', 1000)) AS text "
        "FROM (SELECT UNNEST(RANGE(5000)) AS n) AS q ORDER BY n"
    )
    rows = scene.rows(
        f"SELECT s.id, m.answer FROM long_rows AS s JOIN {model} AS m ON m.text = s.text "
        "USING cache = 'off'"
    )
    assert rows == [(n, str(n % 3)) for n in range(5000)]
    assert scene.endpoint.calls == 3
