"""Every function of DuckDB's catalogue, called over the wire: each that is not on the list is
refused by its name, and each that is reaches DuckDB's binder.
"""

import pytest

from proxy.sql.allowed import FUNCTIONS
from proxy.sql.mysql_to_duckdb import WITHOUT_PARENTHESES
from tests.safety.attempts import Intruder
from tests.safety.catalogue import TABLE_KINDS, everything
from tests.safety.decided import SIGNS

CATALOGUE = everything()
ELSEWHERE = (
    *("getenv", "load_file", "set_config", "pg_read_file", "pg_ls_dir", "lo_import", "dblink"),
    *("sys_exec", "sys_eval", "extractvalue", "updatexml", "sleep", "benchmark", "get_lock"),
)
"""What reaches out in DuckDB's shell and in other servers, and is in no catalogue here."""
WORDS = frozenset({"glob"})
"""Two texts in its parentheses are an operator's to the parser; none reaches the function."""
CONSTANTS = ("(('data',),)", "(('duckdb',),)", "(('main',),)", "(('tester@%',),)")
OF_THE_SESSION = frozenset(
    {"current_database", "current_schema", "current_user", "session_user", "user", "version"}
)
"""Names that mean the session's own values, before any function of DuckDB's."""
LISTED = FUNCTIONS | SIGNS | OF_THE_SESSION
REFUSED = [*(name for name in CATALOGUE if name not in LISTED), *ELSEWHERE]
TABLES = [name for name, kinds in CATALOGUE.items() if kinds & TABLE_KINDS and name != "unnest"]

CALLS = [
    "{name}",
    "{name}()",
    "{name}('{file}')",
    "{name}('{planted}')",
    "{name}('{file}', '{file}')",
    "{name}('x', 'SELECT 1', 1)",
    "{name}(1)",
    "{name}([1, 2], 'sum')",
]
WAYS = [
    "`{name}`('{file}')",
    "main.{name}('{file}')",
    "system.main.{name}('{planted}')",
    "`system`.`main`.`{name}`('{planted}')",
    "('{file}').{name}()",
    "reviews.product.{name}()",
    "{name} ('{file}')",
    "{name}/**/('{file}')",
    "{name}\N{ZERO WIDTH SPACE}('{file}')",
    "{name}\N{NO-BREAK SPACE}('{file}')",
    "LIST_TRANSFORM(['{file}'], x -> {name}(x))",
    "LIST_TRANSFORM(['{file}'], {name})",
    "(SELECT {name}('{file}'))",
    "-{name}('{file}')",
    "NOT{name}('{file}')",
    "{name}('{file}') OVER ()",
    "{name}(DISTINCT '{file}')",
    "{name}(*)",
    "CAST({name}('{file}') AS CHAR)",
    "'AS ' '{file}' = {name}('{file}')",
    "'INTO `' = {name}('{file}')",
    '"\\"" = {name}(\'{file}\')',
]
PLACES = [
    "SELECT * FROM {name}('{file}')",
    "SELECT * FROM {name}()",
    "SELECT * FROM `{name}`('{file}') AS t",
    "SELECT * FROM main.{name}('{file}')",
    "SELECT * FROM (SELECT * FROM {name}('{file}')) AS t",
    "SELECT * FROM TABLE({name}('{file}'))",
    "SELECT * FROM demo.reviews JOIN {name}('{file}') AS t",
    "SELECT r.id FROM demo.reviews r, LATERAL {name}('{file}') AS t",
    "SELECT r.id FROM demo.reviews r JOIN LATERAL {name}() AS t",
    "SELECT 1 WHERE 1 IN (SELECT 1 FROM {name}('{file}'))",
    "SELECT 1 UNION ALL SELECT * FROM {name}('{file}')",
    "WITH t AS (SELECT * FROM {name}('{file}')) SELECT * FROM t",
    "INSERT INTO demo.reviews SELECT * FROM {name}('{file}')",
    "CREATE TABLE made AS SELECT * FROM {name}('{file}')",
    "CREATE VIEW made AS SELECT * FROM {name}('{file}')",
    "CALL {name}('{file}')",
    "PRAGMA {name}",
    "PRAGMA {name}('{file}')",
]


def wrong(intruder: Intruder, template: str, names: list[str], *, named: bool) -> list[str]:
    """What became of the calls that were not refused as they are to be."""
    found = []
    for name in names:
        sql = template.replace("{name}", name)
        outcome = intruder.attempt(sql)
        is_named = not named or outcome.code == 1064 or name in outcome.text.lower()
        if outcome.leaks or not outcome.is_refusal or not is_named:
            found.append(f"{sql} → {outcome}")
    assert intruder.is_alive()
    return found


@pytest.mark.parametrize("call", CALLS)
def test_a_function_that_is_not_listed_does_not_exist(call: str, intruder: Intruder) -> None:
    assert len(REFUSED) > 380
    exempt = WORDS if "(" in call else WORDS | WITHOUT_PARENTHESES
    names = [name for name in REFUSED if name not in exempt]
    assert wrong(intruder, f"SELECT {call}", names, named=True) == []


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_writing_a_call_goes_round_the_list(way: str, intruder: Intruder) -> None:
    names = [name for name in REFUSED if not name.startswith("icu_collate_")]
    sql = f"SELECT {way} FROM demo.reviews"
    assert wrong(intruder, sql, names, named=False) == []


@pytest.mark.parametrize("place", PLACES)
def test_no_table_function_is_served(place: str, intruder: Intruder) -> None:
    assert len(TABLES) > 140
    assert wrong(intruder, place, TABLES, named=False) == []


@pytest.mark.parametrize("name", sorted(OF_THE_SESSION))
def test_the_sessions_names_say_nothing_of_duckdb(name: str, intruder: Intruder) -> None:
    outcome = intruder.attempt(f"SELECT {name}()")
    assert (
        outcome.code == 1305
        or outcome.text
        in (
            "(('modelwire',),)",
            "(('tester@localhost',),)",
            "(('tester@127.0.0.1',),)",
            "(('tester@%',),)",
        )
        or outcome.text.startswith("(('8.0.")
    )


@pytest.mark.parametrize("name", sorted(WITHOUT_PARENTHESES))
def test_a_bare_word_that_is_no_column_says_a_constant(name: str, intruder: Intruder) -> None:
    """DuckDB 1.5.5 takes it for a call, quoted or not, where there is no such column."""
    outcome = intruder.attempt(f"SELECT {name}")
    assert outcome.text in CONSTANTS or outcome.code == 1054


def test_glob_compares_texts_alone(intruder: Intruder) -> None:
    assert intruder.attempt("SELECT GLOB('{file}', '{file}'), GLOB('/*', '/etc')").code == 0
    assert intruder.attempt("SELECT GLOB('*')").code == 1064
    assert intruder.attempt("SELECT * FROM GLOB('/etc/*')").is_refusal


def test_every_listed_function_exists(intruder: Intruder) -> None:
    missing = [name for name in sorted(FUNCTIONS) if not exists(name, intruder)]
    assert missing == []
    assert intruder.is_alive()


def exists(name: str, intruder: Intruder) -> bool:
    """Whether some call of it comes past the list: DuckDB computes it, or tells that its arguments
    do not fit."""
    forms = ("()", "(1)", "(1, 1)", "('a', 'b', 'c')", "(id)", "(id, id) OVER ()", "")
    outcomes = [intruder.attempt(f"SELECT {name}{form} FROM demo.reviews") for form in forms]
    assert not any(outcome.leaks for outcome in outcomes)
    gone = f"function {name} does not exist"
    return any(o.code in (0, 1690, 1366) or gone not in o.text.lower() for o in outcomes[:-1])
