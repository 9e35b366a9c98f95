"""`make bench`: every group of figures against its targets, as a table and as docs/benchmarks.md.

`make bench ARGS="narrow crash"` measures these groups alone and leaves the page as it is.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    cancel,
    distinct,
    evaluation,
    failures,
    overhead,
    prefixes,
    sources,
    streaming,
    window,
)
from benchmarks.figure import Figure, page, plain

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
GROUPS: dict[str, Callable[[], list[Figure]]] = {
    "overhead": overhead.overhead,
    "narrow": window.narrow,
    "wide": window.wide,
    "distinct": distinct.distinct,
    "streaming": streaming.streaming,
    "filtered": streaming.filtered,
    "failures": failures.failures,
    "rate": failures.rate,
    "cancel": cancel.cancel,
    "crash": cancel.crash,
    "prefixes": prefixes.prefixes,
    "embedded": prefixes.embedded,
    "evaluation": evaluation.evaluation,
    "sources": sources.sources,
    "write_back": sources.write_back,
}


def main(names: list[str]) -> int:
    """Measure the groups of these names, or all; 1 if a target is missed, 2 for a wrong name."""
    if unknown := set(names) - GROUPS.keys():
        print(f"no such group: {', '.join(sorted(unknown))}; there is {', '.join(GROUPS)}")
        return 2
    measured = {name: _measure(name) for name in names or GROUPS}
    if not names:
        PAGE.parent.mkdir(exist_ok=True)
        told = {_did(name): figures for name, figures in measured.items() if figures}
        PAGE.write_text(page(told), encoding="utf-8")
    return int(not all(figure.met for figures in measured.values() for figure in figures))


def _measure(name: str) -> list[Figure]:
    print(f"{name}: {_did(name)}", flush=True)
    figures = GROUPS[name]()
    print(*map(plain, figures), sep="\n", flush=True)
    return figures


def _did(name: str) -> str:
    """What a group does, in its own words."""
    return (GROUPS[name].__doc__ or "").strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
