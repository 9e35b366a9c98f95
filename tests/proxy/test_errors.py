import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from catalog.errors import CatalogError
from engines.errors import EngineError
from proxy import errors
from proxy.errors import CODES, UNKNOWN, UNKNOWN_TEXT, ProxyError, code_of, text_of

ROOTS = (EngineError, CatalogError, ProxyError)
ROOMS = Path(errors.__file__).parent.parent


def descendants(root: type[Exception]) -> set[type[Exception]]:
    """Those of our own rooms: other tests may have loaded some of theirs."""
    children = [c for c in root.__subclasses__() if not c.__module__.startswith("tests")]
    return {c for child in children for c in (child, *descendants(child))}


@cache
def raised_names() -> Counter[str]:
    """The names of what stands behind `raise` in our code, and of what its tables make."""
    files = [f for room in ("engines", "catalog", "proxy") for f in (ROOMS / room).rglob("*.py")]
    nodes = [node for f in files for node in ast.walk(ast.parse(f.read_text(encoding="utf-8")))]
    names = [n.id for n in nodes if isinstance(n, ast.Name)]
    return Counter([*names, *(n.attr for n in nodes if isinstance(n, ast.Attribute))])


ALL = sorted({c for root in ROOTS for c in descendants(root)}, key=lambda c: c.__name__)


@pytest.mark.parametrize("class_", ALL, ids=lambda c: c.__name__)
def test_class_has_a_code(class_: type[Exception]) -> None:
    assert class_ in CODES


@pytest.mark.parametrize("class_", ALL, ids=lambda c: c.__name__)
def test_class_stands_in_the_tree_of_its_root(class_: type[Exception]) -> None:
    root = next(r for r in ROOTS if issubclass(class_, r))
    assert re.search(rf"\b{class_.__name__}\b", root.__doc__ or "")


@pytest.mark.parametrize("root", ROOTS, ids=lambda c: c.__name__)
def test_tree_of_a_root_names_no_class_that_is_gone(root: type[Exception]) -> None:
    named = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", root.__doc__ or ""))
    assert named <= {c.__name__ for c in (root, *descendants(root))}


@pytest.mark.parametrize("class_", ALL, ids=lambda c: c.__name__)
def test_class_is_used(class_: type[Exception]) -> None:
    """The table of codes mentions each class once: a class that is raised is mentioned twice."""
    assert raised_names()[class_.__name__] > 1


def test_table_has_no_other_class() -> None:
    assert set(CODES) == set(ALL)


@pytest.mark.parametrize("class_", CODES, ids=lambda c: c.__name__)
def test_code_is_one_of_mysqls(class_: type[Exception]) -> None:
    code = CODES[class_]
    assert 1000 <= code.code < 5000
    assert re.fullmatch(r"[0-9A-Z]{5}", code.sqlstate)


def test_one_number_has_one_sqlstate() -> None:
    assert len({c.code for c in CODES.values()}) == len(set(CODES.values()))


@pytest.mark.parametrize("error", [ValueError("path /secret"), KeyError("x"), RuntimeError("y")])
def test_foreign_exception_has_a_fixed_text(error: Exception) -> None:
    assert (code_of(error), text_of(error)) == (UNKNOWN, UNKNOWN_TEXT)


@pytest.mark.parametrize("root", ROOTS, ids=lambda c: c.__name__)
def test_a_root_itself_is_never_shown(root: type[Exception]) -> None:
    assert (code_of(root("detail")), text_of(root("detail"))) == (UNKNOWN, UNKNOWN_TEXT)


def test_our_own_error_shows_its_words() -> None:
    assert text_of(errors.Unsupported("SAVEPOINT is not supported")) == "SAVEPOINT is not supported"
