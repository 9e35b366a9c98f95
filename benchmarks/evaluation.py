"""How often the embedded model is right: the same sentences, asked in three ways, by EVALUATE.

Sentences and their sentiments stand in sentences.csv, written for this; the model is the real one.
"""

import asyncio
import csv
import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure
from benchmarks.stage import ask
from engines.base import Environment
from engines.local.model_file import find_model_file
from tests.support.proxy import ProxyProcess

SENTENCES = Path(__file__).resolve().parent / "sentences.csv"
_DATA = Path(os.environ.get("MODELWIRE_TEST_MODEL_DIR") or Path.home() / ".cache" / "modelwire")
# No label stands in quotes: none is inferred from a template.
_TEMPLATES = {
    "sentence last": "Classify the sentiment of the text as positive, neutral or negative. "
    "Text: {{text}}",
    "sentence first": "What is the sentiment of this sentence: {{text}}\n"
    "Answer with one word: positive, neutral or negative.",
}
_TYPED = "PREDICT sentiment ENUM('positive', 'neutral', 'negative')"
_WAYS = {
    "plain template": "PREDICT sentiment",
    "typed target": _TYPED,
    "typed target, 6 examples": "FROM modelwire "
    f"(SELECT text, sentiment FROM labelled WHERE part = 'example') {_TYPED}",
}


def evaluation() -> list[Figure]:
    """60 easy sentences on the embedded model: the share whose sentiment is its whole answer."""
    path = asyncio.run(find_model_file(Environment(data_dir=_DATA)))
    with (
        tempfile.TemporaryDirectory() as directory,
        ProxyProcess(Path(directory) / "data", {"MODELWIRE_LOCAL_MODEL": str(path)}) as proxy,
        closing(proxy.connect(autocommit=True, database="modelwire")) as client,
    ):
        _furnish(client)
        found = {
            (place, way): _accuracy(
                client, f"{body} USING engine = 'embedded', prompt_template = '{template}'"
            )
            for place, template in _TEMPLATES.items()
            for way, body in _WAYS.items()
        }
    return [Figure(f"{place}, {way}: accuracy", value) for (place, way), value in found.items()]


def sentences() -> list[tuple[str, str, str]]:
    """Part ('example' or 'test'), text and sentiment of each sentence."""
    with SENTENCES.open(encoding="utf-8", newline="") as file:
        return [(row["part"], row["text"], row["sentiment"]) for row in csv.DictReader(file)]


def _furnish(client: Any) -> None:
    ask(client, "CREATE ML_ENGINE embedded FROM local")
    ask(client, "CREATE TABLE labelled (part VARCHAR(10), text TEXT, sentiment VARCHAR(10))")
    with client.cursor() as cursor:
        cursor.executemany("INSERT INTO labelled VALUES (%s, %s, %s)", sentences())


def _accuracy(client: Any, definition: str) -> float:
    """That of a model of this definition; its case and punctuation make no difference."""
    ask(client, f"CREATE OR REPLACE MODEL asked {definition}")
    ((_, _, _, value, rows, skipped),) = ask(
        client,
        "EVALUATE accuracy FROM (SELECT s.sentiment AS actual, m.sentiment AS prediction "
        "FROM labelled AS s JOIN asked AS m ON m.text = s.text WHERE s.part = 'test') "
        "USING ignore_case = true, ignore_punctuation = true",
    )
    assert (rows, skipped) == (60, 0)
    return float(value)
