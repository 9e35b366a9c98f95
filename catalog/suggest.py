"""The near miss: which known name somebody may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """': did you mean 'x'?' for the nearest of the known names, or '' if none is near."""
    by_key = {k.casefold(): k for k in known}
    near = get_close_matches(name.casefold(), by_key, n=1, cutoff=0.6)
    return f": did you mean '{by_key[near[0]]}'?" if near else ""
