import csv
from pathlib import Path

import pytest

from engines.chat.tokens import TokenGauge, count_tokens
from engines.task import Task, Usage
from tests.engines.support import MOODS, spec

REVIEWS = Path(__file__).resolve().parents[2] / "catalog" / "demo" / "reviews.csv"


def reviews() -> list[str]:
    with REVIEWS.open(encoding="utf-8") as file:
        return [row["review"] for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("text", "tokens"),  # tokens: what Qwen2.5's tokenizer makes of it
    [
        ("El perro corre por el parque todas las mañanas, aunque llueva a cántaros.", 23),
        ("Поезд отправляется с четвёртой платформы в девять часов утра.", 21),
        ("这家餐厅的服务非常好，食物也很美味，我们一定会再来。", 13),
        ("오늘 회의는 아홉 시에 시작합니다.", 12),
        ('{"id": 17, "name": "x", "tags": ["a", "b"], "price": 12.5}', 31),
        (
            "Order #4711 from 2024-03-17: 12 items at 1,299.95 EUR, total 15,599.40 EUR; "
            "ref 0049-89-123456.",
            65,
        ),
        ("HELLO WORLD THIS IS SHOUTING", 8),
    ],
)
def test_estimate_is_near_a_real_tokenizer(text: str, tokens: int) -> None:
    assert abs(count_tokens(text) - tokens) <= 0.2 * tokens


def test_nothing_is_no_token() -> None:
    assert count_tokens("") == 0


def test_long_text_is_measured_by_its_parts() -> None:
    text = " ".join(reviews())
    assert count_tokens(text * 50) == pytest.approx(50 * count_tokens(text), rel=0.05)


def foreign(content: str) -> int:
    """Another tokenizer than the one that the estimate is calibrated on."""
    return round(len(content) / 3.1 + 11)


def test_gauge_learns_another_tokenizer() -> None:
    model = spec(MOODS, "Tell the mood of this review: {{text}}")
    gauge = TokenGauge(model)
    asked = [Task(model, (text,)) for text in reviews()]

    def tokens(task: Task) -> int:
        return foreign(f"Tell the mood of this review: {task.inputs[0]}")

    for task in asked[:10]:
        gauge.learn(task, Usage(tokens(task), 7))
    rest = asked[10:]
    estimate = sum(gauge.prompt(task) + gauge.completion(task) for task in rest)
    assert estimate == pytest.approx(sum(tokens(task) + 7 for task in rest), rel=0.05)


def test_gauge_learns_the_slope_from_inputs_of_all_lengths() -> None:
    model = spec(template="{{text}}")
    gauge = TokenGauge(model)
    texts = [" ".join(reviews()[:count]) for count in (1, 30, 2, 20, 5, 10, 1, 40)]
    for text in texts:
        gauge.learn(Task(model, (text,)), Usage(foreign(text), 1))
    whole = " ".join(reviews())
    assert gauge.prompt(Task(model, (whole,))) == pytest.approx(foreign(whole), rel=0.1)


def test_gauge_goes_on_where_another_stopped() -> None:
    model = spec(template="{{text}}")
    first = TokenGauge(model)
    for text in reviews()[:20]:
        first.learn(Task(model, (text,)), Usage(foreign(text), 9))
    second = TokenGauge(model, first.state)
    task = Task(model, (reviews()[30],))
    assert (second.prompt(task), second.completion(task)) == (first.prompt(task), 9)


@pytest.mark.parametrize("report", [Usage(0, 0), Usage(0, 5)])
def test_report_of_nothing_teaches_nothing(report: Usage) -> None:
    model = spec(template="{{text}}")
    gauge = TokenGauge(model)
    task = Task(model, ("some text",))
    before = (gauge.prompt(task), gauge.completion(task), gauge.state)
    gauge.learn(task, report)
    assert (gauge.prompt(task), gauge.completion(task), gauge.state) == before


def test_single_odd_report_moves_little() -> None:
    model = spec(template="{{text}}")
    gauge = TokenGauge(model)
    for text in reviews():
        gauge.learn(Task(model, (text,)), Usage(foreign(text), 9))
    task = Task(model, (reviews()[0],))
    before = gauge.prompt(task)
    gauge.learn(task, Usage(100_000, 9))
    assert gauge.prompt(task) == pytest.approx(before, rel=0.15)


def test_answers_are_guessed_from_labels_or_max_tokens_then_learned() -> None:
    labelled, short, free = spec(MOODS), spec(max_tokens=5), spec()
    assert TokenGauge(labelled).completion(Task(labelled, ("x",))) <= 6
    assert TokenGauge(short).completion(Task(short, ("x",))) == 5
    gauge = TokenGauge(free)
    gauge.learn(Task(free, ("x",)), Usage(9, 200))
    assert gauge.completion(Task(free, ("y",))) == pytest.approx(200, rel=0.1)


def test_most_is_max_tokens() -> None:
    limited = spec(max_tokens=50, max_completion_tokens=40)
    assert TokenGauge(limited).most(Task(limited, ("x",))) == 40
    assert TokenGauge(spec()).most(Task(spec(), ("x",))) >= 1000
    assert TokenGauge(spec(MOODS)).most(Task(spec(MOODS), ("x",))) < 50
