"""What the order of prompts is worth: documents by questions, on servers that keep prefixes.

The played endpoint counts the characters that it had to read; the embedded model is the real one.
"""

from hashlib import md5
from importlib import import_module
from importlib.util import find_spec

from benchmarks.behaviour import Behaviour
from benchmarks.direct import run_direct
from benchmarks.figure import Figure
from benchmarks.stage import Stage, measured, stage
from benchmarks.tally import Stats

DOCUMENTS = 40
QUESTIONS = 25
REPEATS = 60
# A document has about 20 blocks of 64 characters: twelve documents are kept.
CACHING = Behaviour(latency=0.01, prefix_seconds=0.00001, prefix_blocks=240, reply="row")


def prefixes() -> list[Figure]:
    """40 documents by 25 questions in no order; the endpoint keeps about 12 documents."""
    with stage() as here:
        table = _documents(here)
        model = here.model(template="{{text}} Question: {{question}}")
        sql = (
            f"SELECT s.id, m.answer FROM {table} AS s "
            f"JOIN {model} AS m ON m.text = s.text AND m.question = s.question"
        )
        through = measured(here, CACHING, sql)
        here.endpoint.play(CACHING)
        seconds = run_direct(here.endpoint.url, _prompts(), 32)
        direct = here.endpoint.stats()
    return [
        Figure("prompt characters read anew, of all", _fresh(through.stats), "%"),
        Figure("the same, direct and in the order given", _fresh(direct), "%"),
        Figure("seconds, of those of the direct loop", through.seconds / seconds),
    ]


def embedded() -> list[Figure]:
    """The embedded model: 200 prompts, in prefix order and not."""
    if find_spec("benchmarks.prefix") is None:
        return []
    ordered, shuffled, *_ = import_module("benchmarks.prefix").measure()
    return [
        Figure("in prefix order", ordered, "s"),
        Figure("in random order", shuffled, "s"),
        Figure("prefix order / random order", ordered / shuffled),
    ]


def _documents(here: Stage) -> str:
    """A table of every document with every question, in no order of documents."""
    name = "documents"
    here.run(
        f"CREATE TABLE {name} AS SELECT n AS id, "
        f"REPEAT(CONCAT('document ', n % {DOCUMENTS}, ' says '), {REPEATS}) AS text, "
        f"CONCAT('row ', n) AS question "
        f"FROM (SELECT UNNEST(RANGE({DOCUMENTS * QUESTIONS})) AS n) AS numbers "
        "ORDER BY MD5(CAST(n AS CHAR))"
    )
    return name


def _prompts() -> list[str]:
    """The same prompts in the same order."""
    numbers = sorted(range(DOCUMENTS * QUESTIONS), key=lambda n: md5(str(n).encode()).hexdigest())
    return [f"document {n % DOCUMENTS} says " * REPEATS + f"Question: row {n}" for n in numbers]


def _fresh(stats: Stats) -> float:
    return 100 * stats.fresh_characters / stats.prompt_characters
