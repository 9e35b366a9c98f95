"""The rows that FROM source (query) gives a model as examples: theirs is a column for each input
and each target.

Which of them are shown to the model, and how, the engines say.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engines.errors import OptionError
from engines.task import ModelSpec
from proxy.errors import UnknownColumn

MOST_ROWS = 1_000
MOST_TEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under the names of their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


def refuse_too_many(rows: Sequence[Sequence[str | None]], size: int) -> None:
    """Raises OptionError for more rows, or characters in them, than a model keeps."""
    if len(rows) > MOST_ROWS:
        raise OptionError(
            f"the query gives more than {MOST_ROWS:,} examples: add a LIMIT, like LIMIT 20"
        )
    if size > MOST_TEXT:
        raise OptionError(
            f"the examples of the query are larger than {MOST_TEXT >> 20} MiB: add a LIMIT"
        )


def examples_of(table: Table, spec: ModelSpec) -> tuple[tuple[str | None, ...], ...]:
    """The rows as the model keeps them: its inputs, then its targets; other columns are left out.

    Raises UnknownColumn where one is missing that is not optional.
    """
    if not table.rows:
        return ()
    places = {name.casefold(): at for at, name in enumerate(table.columns)}
    wanted = [*spec.inputs, *(target.name for target in spec.targets)]
    found = [places.get(name.casefold()) for name in wanted]
    missing = [
        name
        for name, at in zip(wanted, found, strict=True)
        if at is None and name not in spec.optional
    ]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise UnknownColumn(
            f"The examples have no column {names}: FROM … (SELECT …) needs one for each input and "
            f"each target ({', '.join(wanted)})"
        )
    return tuple(tuple(None if at is None else row[at] for at in found) for row in table.rows)
