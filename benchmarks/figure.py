"""A figure with its target, and the tables of figures: on a terminal and in docs/benchmarks.md.

It measures nothing.
"""

import operator
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Literal

Sign = Literal["<=", ">=", "="]

_HOLDS = {"<=": operator.le, ">=": operator.ge, "=": operator.eq}
_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
_TOLD = ("duckdb", "httpx", "sqlglot", "uvloop")
_HEAD = """# Benchmarks

`make bench` measures these figures and writes this page. A language model's endpoint is played by
an HTTP server in a process of its own, on the same machine as the proxy and its clients; it answers
after a given latency, fails and refuses as it is told, and counts what it is asked. What runs
through the proxy is a `SELECT` over a table joined to a model, sent by a MySQL client. Data sources
are real servers, MariaDB and PostgreSQL, started for the measurement on the same machine.

T* is the bound for K calls in C slots: the sum of their latencies divided by C, in whole rounds
where the latency is constant, and at least the longest of them. "Direct" is the same
work by a loop of asyncio and httpx alone, a connection for each slot, against the same server in
the same run: what is above 1 there is the machine's and the server's share.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement. `instead` is a figure whose target, if met, stands for this one's."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    sign: Sign = "<="
    instead: "Figure | None" = None

    @property
    def met(self) -> bool:
        """Whether the target, if there is one, is met."""
        if self.target is None or _HOLDS[self.sign](self.value, self.target):
            return True
        return self.instead is not None and self.instead.met

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Name, measured, target, verdict."""
        measured = f"{_number(self.value)} {self.unit}".rstrip()
        if self.target is None:
            return self.name, measured, "", ""
        target = f"{self.sign} {_number(self.target)} {self.unit}".rstrip()
        return self.name, measured, target, "met" if self.met else "MISSED"


Groups = Mapping[str, Sequence[Figure]]
"""The figures of each group, under the words that say what was done."""


def plain(figure: Figure) -> str:
    """One line of the table on a terminal."""
    name, measured, target, verdict = figure.cells
    return f"  {name:<62}{measured:>14}  {target:<14}{verdict}".rstrip()


def page(groups: Groups) -> str:
    """The text of docs/benchmarks.md."""
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    ours = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    packages = ", ".join(f"{name} {version(name)}" for name in _TOLD)
    parts = [
        _HEAD,
        f"Measured on {when}: modelwire {ours}, Python {python_version()}, {packages}.",
    ]
    for did, figures in groups.items():
        rows = [f"| {' | '.join(figure.cells)} |" for figure in figures]
        head = ["| figure | measured | target | |", "|---|---|---|---|"]
        parts.append("\n".join(["", f"## {did.rstrip('.')}", "", *head, *rows]))
    return "\n".join(parts) + "\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
