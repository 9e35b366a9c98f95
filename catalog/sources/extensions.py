"""DuckDB's extensions, from the packages that hold its signed builds: nothing is ever fetched."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from catalog.errors import SourceUnknown


def extension_file(extension: str) -> Path:
    """The file of an extension. Raises SourceUnknown where its package is not installed."""
    package = f"duckdb_extension_{extension}"
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        for file in sorted(Path(folder).glob(f"extensions/*/{extension}.duckdb_extension")):
            return file
    raise SourceUnknown(
        f"This engine needs the package '{package.replace('_', '-')}', which is not installed"
    )


def extension_version(extension: str) -> str | None:
    """The version of an extension, None where its package is not installed."""
    try:
        return version(f"duckdb-extension-{extension.replace('_', '-')}")
    except PackageNotFoundError:
        return None
