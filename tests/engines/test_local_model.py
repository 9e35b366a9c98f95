"""The embedded model for real: fetched, loaded, asked. Never skipped: it is the product.

The file is shared by all runs: MODELWIRE_TEST_MODEL_DIR names a data directory to keep it in,
else it is in the user's cache.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from engines.base import Environment
from engines.chat.tokens import TokenGauge
from engines.chat.values import values
from engines.errors import EndpointUnreachable, ModelNotServed
from engines.local.asking import MODEL_NAME, body
from engines.local.engine import SharedEngine
from engines.local.model_file import find_model_file
from engines.local.process import Launch, StartLimit, start
from engines.model import compile_model
from engines.registry import find_handler, open_engine
from engines.task import ModelSpec, Prediction, Target, Task, Value
from engines.types import parse_type
from tests.engines.sentiment import SENTENCES, TEMPLATE
from tests.engines.shares import Kept, Purse, answered, dispatcher_of, limits
from tests.engines.test_tokens import reviews

T = TypeVar("T")
CACHE = Path(os.environ.get("MODELWIRE_TEST_MODEL_DIR") or Path.home() / ".cache" / "modelwire")


@pytest.fixture(scope="module")
def model_path() -> Path:
    return asyncio.run(find_model_file(Environment(data_dir=CACHE)))


@pytest.fixture
def environment(model_path: Path, tmp_path: Path) -> Environment:
    return Environment(data_dir=tmp_path, local_model_path=model_path)


def local_spec(template: str, *labels: str, **options: Value) -> ModelSpec:
    given = {"prompt_template": template, **options}
    return compile_model("m", [Target("sentiment", labels)], given, find_handler("local"))


def with_local(environment: Environment, use: Callable[[SharedEngine], Awaitable[T]]) -> T:
    async def run() -> T:
        engine = open_engine("e", find_handler("local"), {}, environment)
        assert isinstance(engine, SharedEngine)
        try:
            return await use(engine)
        finally:
            await engine.aclose()

    return asyncio.run(run())


async def predicted(engine: SharedEngine, asked: list[Task]) -> list[Prediction]:
    async with dispatcher_of(
        engine, limits(engine.max_concurrency, retry_deadline=300)
    ) as dispatcher:
        return await answered(dispatcher.open(Purse(), Kept()), asked)


def test_thirty_sentences_are_labelled(environment: Environment) -> None:
    spec = local_spec(TEMPLATE)

    async def use(engine: SharedEngine) -> list[Prediction]:
        asked = [Task(spec, (text,)) for text, _ in SENTENCES]
        return await predicted(engine, asked)

    predictions = with_local(environment, use)
    wrong = [
        (text, prediction)
        for (text, label), prediction in zip(SENTENCES, predictions, strict=True)
        if prediction.value != label
    ]
    assert len(SENTENCES) - len(wrong) >= 26, wrong
    assert all(prediction.usage.prompt_tokens > 10 for prediction in predictions)


LABELLED = (
    ("The food was delicious and the staff were lovely.", "positive"),
    ("The library closes at six on weekdays.", "neutral"),
    ("It broke after two days and nobody helped me.", "negative"),
    ("This is the best phone I have ever had.", "positive"),
    ("The parcel weighs two kilograms.", "neutral"),
    ("I want my money back, what a terrible product.", "negative"),
)


def typed_spec(
    template: str, examples: tuple[tuple[str, ...], ...] = (), **kinds: str
) -> ModelSpec:
    targets = [Target(name, type=parse_type(kind)) for name, kind in kinds.items()]
    given = {"prompt_template": template}
    return compile_model("m", targets, given, find_handler("local"), examples)


def test_examples_make_a_bland_question_as_good_as_a_strict_one(environment: Environment) -> None:
    """Without them it is 22 of 30, told as turns of the chat 26 at most."""
    spec = typed_spec(
        "What is the sentiment of this text? {{text}}",
        LABELLED,
        sentiment="enum('positive','neutral','negative')",
    )
    asked = [Task(spec, (text,)) for text, _ in SENTENCES]
    predictions = with_local(environment, lambda engine: predicted(engine, asked))
    right = [p.value == label for p, (_, label) in zip(predictions, SENTENCES, strict=True)]
    assert sum(right) >= 26


def test_examples_of_labels_are_listed_in_the_system_message() -> None:
    kinds = "enum('positive','neutral','negative')"
    spec = typed_spec("Mood: {{text}}", LABELLED[:2], sentiment=kinds)
    chat = body(Task(spec, ("x",)), None)["messages"]
    assert chat == [
        {
            "role": "system",
            "content": "For example:\n"
            "positive: The food was delicious and the staff were lovely.\n"
            "neutral: The library closes at six on weekdays.",
        },
        {"role": "user", "content": "Mood: x"},
        {"role": "assistant", "content": '{"sentiment": "'},
    ]


def test_typed_targets_are_answered_in_their_types(environment: Environment) -> None:
    spec = typed_spec(
        "Read this order: {{text}}",
        item="varchar(20)",
        pieces="smallint unsigned",
        price="decimal(8,2)",
        ordered="date",
        paid="boolean",
        size="enum('small','large')",
        words="json",
    )
    text = "Ordered 3 large lamps for 12.50 each on 2024-03-05, paid already, fragile"
    asked = [Task(spec, (text,)), Task(spec, ("nothing",)), Task(spec, ("",))]
    first, *others = with_local(environment, lambda engine: predicted(engine, asked))
    said = values(spec, first.value or "")
    assert said[1:6] == ("3", "12.50", "2024-03-05", "true", "large")
    json.loads(said[6] or "")
    for one in others:
        assert one.error is None
        assert len(values(spec, one.value or "")) == 7


def test_typed_pack_gives_an_object_for_each_row(environment: Environment) -> None:
    spec = typed_spec("Who is this about? {{text}}", name="varchar(30)", age="tinyint unsigned")
    asked = [Task(spec, (text,)) for text in ("Ann is 30 years old.", "Bob is 41 years old.")]
    answers = with_local(environment, lambda engine: engine.predict_pack(asked))
    said = [values(spec, one.value or "") for one in answers if isinstance(one, Prediction)]
    assert said == [("Ann", "30"), ("Bob", "41")]


def test_json_struct_has_all_its_keys(environment: Environment) -> None:
    given: dict[str, Value] = {
        "json_struct": {"city": "name of the city", "rent": {"amount": "rent in a month"}},
        "input_text": "text",
    }
    spec = compile_model("m", [Target("found")], given, find_handler("local"))
    task = Task(spec, ("A flat with 3 rooms in Berlin for 1800 euros a month",))
    found = json.loads(with_local(environment, lambda e: e.predict(task)).value or "")
    assert (found["city"], list(found), list(found["rent"])) == (
        "Berlin",
        ["city", "rent"],
        ["amount"],
    )


def test_free_text_is_answered(environment: Environment) -> None:
    spec = local_spec("What is the capital of {{country}}? One word.", max_tokens=20)
    prediction = with_local(environment, lambda e: e.predict(Task(spec, ("France",))))
    assert "Paris" in (prediction.value or "")


def test_pack_of_labels_gives_a_label_for_each_row(environment: Environment) -> None:
    spec = local_spec(TEMPLATE)
    asked = [Task(spec, (text,)) for text, _ in SENTENCES[7:13]]
    answers = with_local(environment, lambda engine: engine.predict_pack(asked))
    assert {getattr(answer, "value", answer) for answer in answers} <= set(spec.target.labels)


def test_pack_of_texts_gives_a_text_for_each_row(environment: Environment) -> None:
    spec = local_spec("What is the capital of {{country}}? One word.", max_tokens=20)
    asked = [Task(spec, (country,)) for country in ("France", "Italy", "Spain")]
    answers = with_local(environment, lambda engine: engine.predict_pack(asked))
    assert [isinstance(answer, Prediction) and bool(answer.value) for answer in answers] == [
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "template", [TEMPLATE, "Name the product in one word, no more. Review: {{text}}"]
)
def test_tokens_are_known_before_the_first_call(environment: Environment, template: str) -> None:
    """The estimates of a batch, made before it, against what it took: labels, and free text."""
    spec = local_spec(template, max_tokens=6)
    asked = [Task(spec, (text,)) for text in reviews()]
    gauge = TokenGauge(spec)
    estimate = sum(map(gauge.prompt, asked)) + sum(map(gauge.completion, asked))

    async def use(engine: SharedEngine) -> int:
        answers = await asyncio.gather(*map(engine.predict, asked))
        return sum(one.usage.prompt_tokens + one.usage.completion_tokens for one in answers)

    assert estimate == pytest.approx(with_local(environment, use), rel=0.1)


@pytest.mark.parametrize("label", ['say "hi"', "back\\slash", "é, ü", "a b/c"])
def test_any_label_is_given_back_as_declared(environment: Environment, label: str) -> None:
    spec = local_spec("Repeat: {{text}}", label, "zzz", max_tokens=1)
    prediction = with_local(environment, lambda e: e.predict(Task(spec, (label,))))
    assert prediction.value in (label, "zzz")


def test_another_model_is_not_served(environment: Environment) -> None:
    spec = local_spec("{{text}}", model_name="gpt-4")
    with pytest.raises(ModelNotServed, match=f"it serves {MODEL_NAME}"):
        with_local(environment, lambda e: e.check(spec))


def test_one_process_serves_all_who_ask_at_once(environment: Environment) -> None:
    async def use(engine: SharedEngine) -> int:
        await asyncio.gather(*(engine.check(None) for _ in range(5)))
        return len(children())

    assert with_local(environment, use) == 1
    assert children() == []


def test_engines_of_one_data_directory_share_a_process(environment: Environment) -> None:
    async def use(engine: SharedEngine) -> tuple[int, int]:
        other = open_engine("e2", find_handler("local"), {}, environment)
        await engine.check(None)
        await other.check(None)
        both = len(children())
        await other.aclose()
        await other.aclose()
        return both, len(children())

    assert with_local(environment, use) == (1, 1)
    assert children() == []


def test_engine_that_is_closed_while_it_starts_fails_those_who_wait(
    environment: Environment,
) -> None:
    async def use(engine: SharedEngine) -> None:
        waiting = asyncio.create_task(engine.check(None))
        await asyncio.sleep(0.2)
        await engine.aclose()
        with pytest.raises(EndpointUnreachable, match="was closed"):
            await waiting

    with_local(environment, use)
    assert children() == []


def test_process_that_died_is_started_again(environment: Environment) -> None:
    task = Task(local_spec(TEMPLATE), ("I love it",))

    async def use(engine: SharedEngine) -> list[str | None]:
        await engine.check(None)
        os.kill(children()[0], signal.SIGKILL)
        return [prediction.value for prediction in await predicted(engine, [task])]

    assert with_local(environment, use) == ["positive"]


def test_file_that_is_no_model_gives_the_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(EndpointUnreachable, match=r"the embedded model did not start: \w+"):
        asyncio.run(start(Launch(broken, "m", tmp_path / "log")))
    assert children() == []


def test_process_that_keeps_dying_is_given_up() -> None:
    async def use() -> None:
        limit = StartLimit(starts=2, seconds=60)
        limit.count()
        limit.count()
        with pytest.raises(EndpointUnreachable, match="ended 2 times in 60 seconds"):
            limit.count()

    asyncio.run(use())


def test_key_is_in_no_command_line(environment: Environment) -> None:
    async def use(engine: SharedEngine) -> str:
        await engine.check(None)
        return command_line(children()[0])

    assert with_local(environment, use).count("\0") == 3  # python, -P, the file


def test_process_ends_with_its_parent(environment: Environment) -> None:
    """The parent is killed, so that it can clean up nothing."""
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from engines.local.process import Launch, start\n"
        "async def main():\n"
        "    server = await start(Launch(Path(sys.argv[1]), 'm', Path(sys.argv[2])))\n"
        "    print(server.process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    arguments = [str(environment.local_model_path), str(environment.data_dir / "log")]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, cwd=root
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    assert ends(child)


def children() -> list[int]:
    """Return this process's own children that run the model."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            found += [int(pid)] if "local/server.py" in command_line(int(pid)) else []
    return found


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def ends(pid: int, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            return True
        time.sleep(0.05)
    return False
