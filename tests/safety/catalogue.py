"""DuckDB's own catalogue of functions: of the installed DuckDB, and of the extensions that a proxy
loads for its sources.
"""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import duckdb

from tests.safety.decided import REFUSED

EXTENSIONS = ("httpfs", "mysql_scanner", "postgres_scanner", "sqlite_scanner")
TABLE_KINDS = frozenset({"table", "table_macro", "pragma"})
_NAMES = "SELECT lower(function_name), function_type FROM duckdb_functions()"


def extension_file(name: str) -> Path | None:
    """The signed build that its package holds for this DuckDB, where it is installed."""
    package = find_spec(f"duckdb_extension_{name}")
    places = package.submodule_search_locations if package is not None else None
    found = [
        file
        for place in places or ()
        for file in Path(place).glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension")
    ]
    return found[0] if found else None


def functions(*extensions: Path) -> dict[str, frozenset[str]]:
    """The kinds that each name has: scalar, aggregate, macro, table, table_macro, pragma."""
    kinds: dict[str, set[str]] = {}
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        for file in extensions:
            connection.execute(f"LOAD '{file}'")
        for name, kind in connection.execute(_NAMES).fetchall():
            kinds.setdefault(name, set()).add(kind)
    return {name: frozenset(found) for name, found in sorted(kinds.items())}


def everything() -> dict[str, frozenset[str]]:
    """All functions, those of the extensions that are installed too."""
    return functions(*(file for name in EXTENSIONS if (file := extension_file(name))))


def reasons(name: str) -> Iterator[str]:
    """Why a function is refused."""
    return (reason for reason, names in REFUSED.items() if re.fullmatch(names, name))
