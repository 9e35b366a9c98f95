"""The figures of a job: of its events while it runs, of its result file when it is done.

Pure. Endpoints differ in what they give; what cannot be read is no figure, never an error.
"""

import csv
import json
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from math import isfinite
from typing import Any

from engines.task import Value
from engines.tuning.job import Job

_STEP = re.compile(r"\bstep (\d+)\s*(?:/|of)\s*(\d+)", re.IGNORECASE)
_MOST_METRICS, _LONGEST_NAME = 50, 64
_DECIMALS = 6


def with_events(job: Job, value: Value) -> Job:
    """Return the job with what its newest event of figures says; `value` is the list of events,
    newest first."""
    listed = value.get("data") if isinstance(value, dict) else value
    listed = listed if isinstance(listed, list) else []
    events = [event for event in listed if isinstance(event, dict)]
    figures = map(_figures, (event.get("data") for event in events))
    metrics = next(filter(None, figures), {})
    steps = next((share for share in map(_steps, events) if share is not None), None)
    progress = job.progress if steps is None or job.done else steps
    return replace(job, metrics={**job.metrics, **metrics}, progress=progress)


def with_results(job: Job, content: bytes) -> Job:
    """Return the job with the last figure of each column of its result file: CSV, or JSON lines;
    OpenAI's may be in base64."""
    text = _text(content)
    read = (
        _json_lines(text) if text.lstrip()[:1] in ("{", "[") else csv.DictReader(text.splitlines())
    )
    figures: dict[str, Value] = {}
    for row in read:
        figures.update(_figures(row))
    return replace(job, metrics=dict(islice({**job.metrics, **figures}.items(), _MOST_METRICS)))


def _figures(data: object) -> dict[str, Value]:
    if not isinstance(data, Mapping):
        return {}
    found = ((str(name)[:_LONGEST_NAME], _figure(value)) for name, value in data.items())
    return {name: value for name, value in found if value is not None and name}


def _figure(value: object) -> int | float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not isfinite(value):
        return None
    return int(value) if value == int(value) else round(value, _DECIMALS)


def _steps(event: Mapping[str, Any]) -> float | None:
    figures = _figures(event.get("data"))
    done, total = figures.get("step"), figures.get("total_steps")
    if not total and (said := _STEP.search(str(event.get("message")))):
        done, total = int(said[1]), int(said[2])
    if not isinstance(done, int | float) or not isinstance(total, int | float) or total <= 0:
        return None
    return min(max(done / total, 0.0), 1.0)


def _text(content: bytes) -> str:
    try:
        return b64decode(content, validate=True).decode()
    except ValueError:
        return content.decode("utf-8", "replace")


def _json_lines(text: str) -> Iterable[object]:
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
