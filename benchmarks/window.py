"""How near a batch comes to its bound: the sliding window at 32 slots, and at 256.

Nothing fails here.
"""

from benchmarks.behaviour import Behaviour
from benchmarks.direct import bound, run_direct
from benchmarks.figure import Figure
from benchmarks.stage import Run, Stage, join, measured, stage, wrong_rows

LATENCY = 0.1
SIGMA = 0.5
CONSTANT = Behaviour(latency=LATENCY, reply="row")
VARYING = Behaviour(latency=LATENCY, sigma=SIGMA, reply="row")


def narrow() -> list[Figure]:
    """1,000 distinct rows in 32 slots."""
    with stage() as here:
        table = here.table(1000)
        figures = []
        for kind, behaviour, target in (
            ("100 ms", CONSTANT, 1.05),
            (f"lognormal, sigma {SIGMA}", VARYING, 1.12),
        ):
            model = here.model()
            run = measured(here, behaviour, join(table, model))
            figures += [
                Figure(f"{kind}: wall / T*", run.seconds / bound(run.stats, 32), "", target),
                Figure(f"{kind}: wall / T*, direct", _direct(here, behaviour, model, 1000, 32)),
                Figure(f"{kind}: wrong rows", wrong_rows(run.rows, 1000), "", 0, "="),
            ]
        return figures


def wide() -> list[Figure]:
    """10,000 distinct rows, 100 ms, max_concurrency = 256."""
    with stage() as here:
        table, model = here.table(10_000), here.model(max_concurrency=256)
        run = measured(here, CONSTANT, join(table, model))
        return [
            *_wide(run),
            Figure("wall / T*, direct", _direct(here, CONSTANT, model, 10_000, 256)),
        ]


def _wide(run: Run) -> list[Figure]:
    per_call = 1000 * run.cpu_seconds / run.stats.calls
    processor = Figure("processor time of the proxy for a call", per_call, "ms", 0.6)
    ratio = run.seconds / bound(run.stats, 256)
    return [
        Figure("wall / T*, or else bound by the processor", ratio, "", 1.25, instead=processor),
        Figure(processor.name, per_call, "ms", None if ratio <= 1.25 else 0.6),
        Figure("calls in flight at most, as the endpoint saw it", run.stats.max_in_flight),
        Figure("wrong rows", wrong_rows(run.rows, 10_000), "", 0, "="),
    ]


def _direct(here: Stage, behaviour: Behaviour, model: str, rows: int, slots: int) -> float:
    """Wall / T* of the direct loop over the same prompts."""
    here.endpoint.play(behaviour)
    seconds = run_direct(here.endpoint.url, here.prompts(model, range(rows)), slots)
    return seconds / bound(here.endpoint.stats(), slots)
