"""What SHOW PROCESSLIST and information_schema.PROCESSLIST tell of a running statement."""

from collections.abc import Callable, Iterator

import pytest

from proxy.result import Cell
from proxy.wire.processes import Entry, Progress
from tests.fixtures.house import SmallHouse, small_house

TEXT = "Predicting: 120 of 1000 rows, 32 calls in flight"
STAGES = "SELECT STATE, STAGE, MAX_STAGE, PROGRESS FROM information_schema.PROCESSLIST"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallHouse]:
    with small_house(tmp_path_factory.mktemp("processes")) as house:
        processes = house.state.processes
        processes.remove(processes.add("127.0.0.1", lambda _: None))  # the session's own id
        yield house


@pytest.fixture
def entry(house: SmallHouse) -> Iterator[Entry]:
    """Another connection of the session's user, as the wire keeps it."""
    processes = house.state.processes
    entry = processes.add("127.0.0.1", lambda _: None)
    entry.user = "tester"
    entry.enter("Query")
    yield entry
    processes.remove(entry)


def watched(house: SmallHouse, entry: Entry, progress: Progress | None, query: str) -> list[Cell]:
    """The only row of a query that was answered while the statement had this progress."""
    house.state.processes.watch(entry.connection_id, lambda: progress)
    (row,) = house.rows(query)
    return list(row)


@pytest.mark.parametrize(
    ("progress", "row"),
    [
        (Progress(1, 1, 0.12, TEXT), [TEXT, "1", "1", "12.000"]),
        (Progress(2, 3, 0.123456, TEXT), [TEXT, "2", "3", "12.346"]),
        (Progress(1, 1, None, TEXT), [TEXT, "1", "1", "0.000"]),
        (None, ["", "0", "0", "0.000"]),
    ],
)
def test_stages_and_the_share_of_this_one(
    house: SmallHouse, entry: Entry, progress: Progress | None, row: list[Cell]
) -> None:
    assert watched(house, entry, progress, STAGES) == row


@pytest.mark.parametrize(
    ("progress", "total"),
    [
        (Progress(1, 1, 0.12, TEXT), "12.000"),
        (Progress(2, 4, 0.5, TEXT), "37.500"),
        (Progress(3, 3, 1.0, TEXT), "100.000"),
        (None, "0.000"),
    ],
)
def test_show_tells_the_share_of_all_stages(
    house: SmallHouse, entry: Entry, progress: Progress | None, total: str
) -> None:
    assert watched(house, entry, progress, "SHOW PROCESSLIST")[-1] == total


@pytest.mark.parametrize(("full", "shown"), [("", 100), ("FULL ", 10_000)])
def test_show_has_mariadbs_columns_and_cuts_the_statement(
    house: SmallHouse, entry: Entry, full: str, shown: int
) -> None:
    sql = f"SELECT '{'x' * 200}'"
    house.state.processes.publish(entry.connection_id, sql)
    columns, (row,) = house.table(f"SHOW {full}PROCESSLIST")
    assert [column.name for column in columns] == [
        *("Id", "User", "Host", "db", "Command", "Time", "State", "Info", "Progress")
    ]
    assert row[0] == str(entry.connection_id)
    assert row[1:] == ("tester", "127.0.0.1", None, "Query", "0", "", sql[:shown], "0.000")


@pytest.mark.parametrize(
    "end",
    [
        lambda house, entry: entry.enter("Sleep"),
        lambda house, entry: house.state.processes.publish(entry.connection_id, "SELECT 2"),
    ],
    ids=["command", "statement"],
)
def test_progress_ends_with_its_command_and_with_its_statement(
    house: SmallHouse, entry: Entry, end: Callable[[SmallHouse, Entry], None]
) -> None:
    assert watched(house, entry, Progress(1, 1, 0.5, TEXT), STAGES)[0] == TEXT
    end(house, entry)
    assert house.rows(STAGES) == [("", "0", "0", "0.000")]


def test_time_is_in_seconds_and_in_milliseconds(house: SmallHouse, entry: Entry) -> None:
    entry.since -= 75.5
    (row,) = house.rows("SELECT TIME, TIME_MS FROM information_schema.PROCESSLIST")
    seconds, milliseconds = row
    assert seconds == "75"
    assert 75_500 <= float(str(milliseconds)) < 76_000


def test_progress_of_a_connection_that_is_gone_is_no_error(house: SmallHouse) -> None:
    house.state.processes.watch(77, lambda: None)
    assert house.state.processes.list() == ()
