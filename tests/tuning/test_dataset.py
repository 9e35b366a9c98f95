import json
from collections.abc import Callable
from typing import Any

import pytest

from engines.errors import DatasetRejected
from engines.tuning.dataset import Dataset, make_dataset
from tests.tuning.datasets import (
    BAD,
    Bad,
    Table,
    chat_json,
    messages,
    plain_messages,
    questions,
    said,
)


def made(table: Table, context_length: int | None = None) -> Dataset:
    return make_dataset(table.columns, table.rows, context_length)


def chats(lines: bytes) -> list[list[tuple[str, str]]]:
    read: list[dict[str, Any]] = [json.loads(line) for line in lines.decode().splitlines()]
    return [[(m["role"], m["content"]) for m in chat["messages"]] for chat in read]


@pytest.mark.parametrize("shape", [messages, plain_messages, chat_json, questions])
def test_the_last_fifth_is_for_validation(shape: Callable[[int], Table]) -> None:
    dataset = made(shape(150))
    assert (dataset.training_chats, dataset.validation_chats) == (120, 30)
    assert len(chats(dataset.training)) == 120
    assert "149" in str(chats(dataset.validation)[-1])


@pytest.mark.parametrize(("count", "training"), [(40, 20), (99, 79), (101, 81), (105, 84)])
def test_never_less_than_twenty_chats_are_for_validation(count: int, training: int) -> None:
    dataset = made(messages(count))
    assert (dataset.training_chats, dataset.validation_chats) == (training, count - training)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_data_set_is_refused_with_its_own_message(bad: Bad) -> None:
    with pytest.raises(DatasetRejected) as refused:
        made(bad.table, bad.context_length)
    assert str(refused.value) == bad.told


def test_messages_are_grouped_by_chat_and_ordered_by_number() -> None:
    table = messages(40)
    shuffled = sorted(table.rows, key=lambda row: (-int(row[1] or 0), int(row[0] or 0) % 7))
    read = chats(made(Table(table.columns, tuple(shuffled))).training)
    assert all([role for role, _ in chat] == ["system", "user", "assistant"] for chat in read)
    assert all(chat[1][1].split()[1][:-1] == chat[2][1].split()[2][:-1] for chat in read)


def test_message_ids_are_ordered_as_numbers() -> None:
    turns = [("user", "assistant")[n % 2] for n in range(12)]
    rows = [
        (str(c), str(n), turns[n], f"{n}") for c in range(40) for n in sorted(range(12), key=str)
    ]
    table = Table(("chat_id", "message_id", "role", "content"), tuple(rows))
    assert [text for _, text in chats(made(table).training)[0]] == [str(n) for n in range(12)]


def test_chats_stand_in_the_order_in_which_the_query_begins_them() -> None:
    table = messages(40)
    backwards = Table(table.columns, table.rows[::-1])
    assert chats(made(backwards).training)[0][1] == ("user", "Number 39?")


def test_message_id_alone_orders_the_rows() -> None:
    table = plain_messages(40)
    numbered = [(str(n), *row) for n, row in enumerate(table.rows)]
    backwards = Table(("message_id", *table.columns), tuple(numbered[::-1]))
    assert made(backwards) == made(table)


def test_names_of_columns_and_roles_have_no_case() -> None:
    table = messages(40)
    loud = Table(
        tuple(map(str.upper, table.columns)),
        tuple((a, b, (c or "").upper(), d) for a, b, c, d in table.rows),
    )
    assert made(loud) == made(table)


def test_a_question_is_asked_under_the_instruction_and_its_context() -> None:
    assert chats(made(questions(40)).training)[0] == [
        ("system", "You are a helpful assistant.\n0 is Ann."),
        ("user", "Who is 0?"),
        ("assistant", "Ann"),
    ]


def test_an_instruction_of_the_row_stands_in_for_ours() -> None:
    table = Table(("instruction", "question", "answer"), (("Be brief.", "Who?", "Ann"),) * 40)
    assert chats(made(table).training)[0][0] == ("system", "Be brief.")


def test_a_bare_array_of_messages_is_a_chat() -> None:
    bare = json.dumps(json.loads(said(("user", "Hi"), ("assistant", "Hello")))["messages"])
    table = Table(("chat_json",), ((bare,),) * 40)
    assert chats(made(table).training)[0] == [("user", "Hi"), ("assistant", "Hello")]


def test_text_is_sent_as_it_is_and_half_an_emoji_as_a_sign_that_can_be() -> None:
    table = Table(("question", "answer"), (('{{x}} "ä"\n\u2028', "\ud83d!"),) * 40)
    assert chats(made(table).training)[0][1:] == [
        ("user", '{{x}} "ä"\n\u2028'),
        ("assistant", "\ufffd!"),
    ]


def test_a_chat_that_fits_the_context_is_taken() -> None:
    assert made(messages(40), 100).training_chats == 20
