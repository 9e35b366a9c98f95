"""A file with a secret, of a folder that is allowed: found without leaving it, read with a bound.

It tells nothing of a path outside, not even whether there is something.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from engines.errors import OptionError

MOST_BYTES = 64 * 1024


class Found(NamedTuple):
    """A path with all symbolic links followed, and the allowed folder or file that it is in."""

    real: Path
    entry: Path


def find_allowed(path: Path, allowed: Iterable[Path]) -> Found | None:
    """Return where `path` leads to and the narrowest of the `allowed` that this is in; None if it
    leads out of all of them. A path that is outside as it is written is not looked up at all."""
    if not path.is_absolute() or not str(path).isprintable():
        return None
    entries = {Path(os.path.realpath(entry)): entry for entry in allowed}
    written = Path(os.path.normpath(path))
    if not any(map(written.is_relative_to, (*entries, *entries.values()))):
        return None
    real = Path(os.path.realpath(path))
    inside = filter(real.is_relative_to, entries)
    narrowest = max(inside, key=lambda entry: len(entry.parts), default=None)
    return None if narrowest is None else Found(real, entries[narrowest])


def read_secret_file(path: Path, shown: str) -> str:
    """Return the text of a file without the line end behind it. `shown` stands in the messages.

    Raises OptionError for what is not there, no regular file, longer than MOST_BYTES or no text.
    """
    try:
        # Not opened to see: a named pipe would keep us waiting for somebody who writes.
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OptionError(f"{shown} is no regular file on the server")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise OptionError(f"{shown} cannot be read on the server: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise OptionError(f"{shown} is longer than the {MOST_BYTES:,} bytes of a secret")
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # Not chained: the error holds the bytes.
        raise OptionError(f"{shown} is no text in UTF-8") from None
