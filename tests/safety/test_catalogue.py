"""Every function of the installed DuckDB is allowed or refused on purpose: a new version of DuckDB
with a new function fails here until somebody decides.
"""

import duckdb
import pytest
from sqlglot import exp
from sqlglot.errors import ErrorLevel

from catalog.calls import GRAMMAR
from catalog.errors import FunctionUnknown
from proxy.sql.allowed import FAMILIES, FUNCTIONS
from proxy.sql.mysql_to_duckdb import WITHOUT_PARENTHESES, to_duckdb
from tests.safety.catalogue import EXTENSIONS, everything, extension_file, functions, reasons
from tests.safety.decided import SIGNS

FORMS = ("", "(1)", "(1, 1)", "(1, 1, 1)", "(x) FROM (SELECT 1 AS x) GROUP BY ROLLUP (x)")
VALUES = frozenset({"false", "null", "true"})
PLAIN_TIMES = frozenset({"current_date"})


def undecided(names: dict[str, frozenset[str]]) -> list[str]:
    return [n for n in names if n not in FUNCTIONS | SIGNS and not any(reasons(n))]


def test_every_function_is_decided() -> None:
    names = functions()
    assert len(names) > 900
    assert undecided(names) == []


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_function_of_an_extension_is_refused(extension: str) -> None:
    file = extension_file(extension)
    if file is None:
        pytest.skip(f"duckdb-extension-{extension.replace('_', '-')} is not installed")
    added = functions(file).keys() - functions().keys()
    assert extension == "httpfs" or added
    assert [name for name in added if not any(reasons(name))] == []


def test_no_function_is_allowed_and_refused() -> None:
    assert {name: list(reasons(name)) for name in FUNCTIONS if any(reasons(name))} == {}


def test_no_function_is_in_two_families() -> None:
    names = [name for family in FAMILIES.values() for name in family.split()]
    assert len(names) == len(FUNCTIONS)


def test_every_allowed_function_is_known_to_duckdb() -> None:
    names = everything()
    with duckdb.connect() as connection:
        unknown = [n for n in FUNCTIONS - names.keys() if not is_known(n, connection)]
    assert unknown == []


def is_known(name: str, connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether DuckDB's grammar has a function of that name that its catalogue does not list."""
    return any(binds(f"SELECT {name}{form}", connection) for form in FORMS)


def binds(sql: str, connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        connection.sql(sql)
    except (duckdb.Error, RuntimeError):
        return False
    return True


def test_no_word_of_the_grammar_is_a_function() -> None:
    assert (GRAMMAR & everything().keys()) - FUNCTIONS == set()


def test_what_duckdb_calls_without_parentheses_is_quoted() -> None:
    with duckdb.connect() as connection:
        words = connection.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()
        names = everything().keys() | {word for (word,) in words}
        called = {name for name in names if binds(f"SELECT {name}", connection)}
    assert called - VALUES - PLAIN_TIMES == WITHOUT_PARENTHESES


def test_no_typed_node_is_a_call_without_parentheses() -> None:
    """Its DuckDB text is a bare word, which the gate does not look at."""
    kinds = [kind for kind in vars(exp).values() if isinstance(kind, type)]
    bare = [kind for kind in kinds if issubclass(kind, exp.Func) and text(kind)]
    assert {kind.__name__ for kind in bare} >= {"CurrentCatalog", "SessionUser"}
    for kind in bare:
        with pytest.raises(FunctionUnknown):
            to_duckdb(exp.select(kind()))


def text(kind: type[exp.Func]) -> str | None:
    """The word that a node without arguments is to DuckDB, if DuckDB calls it."""
    try:
        word = kind().sql("duckdb", unsupported_level=ErrorLevel.IGNORE).lower()
    except Exception:  # it needs arguments
        return None
    return word if word in WITHOUT_PARENTHESES else None
