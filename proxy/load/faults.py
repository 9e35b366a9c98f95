"""What is wrong with the rows of a portion, as errors in MySQL's words.

Whether they end the statement or become its warnings, is for loading to say.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from catalog.errors import CatalogError
from proxy.errors import NullSupplied, ProxyError, TooFewFields, TooManyFields
from proxy.load.portion import Portion
from proxy.load.rows import RowQuery
from proxy.load.target import TargetColumn
from proxy.load.values import complaint, has_unsound, unsound

Fault = CatalogError | ProxyError


def faults_of(found: Sequence[tuple[Any, ...]], query: RowQuery, before: int) -> Iterator[Fault]:
    """What the rows of `query.faults()` say; `before` rows of the file came before theirs."""
    columns = query.results
    for number, count, places, texts in found:
        row = before + number
        for place in places:
            if texts[place] is not None:
                yield complaint(columns[place].name, columns[place].type, texts[place], row)
            elif count >= len(query.given):
                yield _null(columns[place], row)
        if count < len(query.given):
            yield TooFewFields(f"Row {row} doesn't contain data for all columns")
        if count > len(query.given):
            yield TooManyFields(
                f"Row {row} was truncated; it contained more data than there were input columns"
            )


def is_sound(portion: Portion) -> bool:
    """Whether all of it is text."""
    try:
        portion.text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unsound_fields(portion: Portion, query: RowQuery, before: int) -> Iterator[Fault]:
    """A fault for each field that holds bytes which are no text in the file's character set."""
    for number, fields in enumerate(portion.rows(), 1):
        for given, text in zip(query.given, fields, strict=False):
            if has_unsound(text):
                name = given.column.name if given.column else given.name
                yield unsound(name, text, before + number)


def _null(column: TargetColumn, row: int) -> NullSupplied:
    return NullSupplied(
        f"Column set to default value; NULL supplied to NOT NULL column '{column.name}' "
        f"at row {row}"
    )
