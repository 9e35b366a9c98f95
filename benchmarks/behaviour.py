"""How the played endpoint behaves, as data: what a prompt gets, after how long.

Pure: the same behaviour gives the same prompt the same latency, failure and text in every run.
"""

import math
import re
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist
from typing import Any, Literal

ROW = re.compile(r"\brow (\d+)\b")
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Times in seconds, rates in calls a second, shares from 0 to 1.

    `sigma` spreads the latency lognormally around the mean `latency`. A prompt that holds
    `refused_part` is a 400 each time; of all tries the share `failing` gets one of `failures`.
    Beyond `rate` a call is a 429 at once: by a bucket of `burst` calls, or by whole seconds where
    `windows` is set; `retry_after` is sent along with it. `prefix_seconds` is added for each
    character of a prompt whose prefix is not among the `prefix_blocks` blocks seen last.
    """

    latency: float = 0.0
    sigma: float = 0.0
    failing: float = 0.0
    failures: tuple[int, ...] = (429, 500)
    refused_part: str = ""
    rate: float = 0.0
    burst: float = 5.0
    windows: bool = False
    retry_after: float | None = None
    prefix_seconds: float = 0.0
    prefix_blocks: int = 256
    reply: Literal["word", "row", "label"] = "word"
    labels: tuple[str, ...] = ()
    seed: int = 1


def from_json(said: dict[str, Any]) -> Behaviour:
    """Make a behaviour of a JSON object. Raises TypeError for a name that there is not."""
    lists = {name: tuple(value) for name, value in said.items() if isinstance(value, list)}
    return Behaviour(**{**said, **lists})


def seconds(behaviour: Behaviour, prompt: str) -> float:
    """The latency of a prompt, without what its prefix adds."""
    if not behaviour.sigma:
        return behaviour.latency
    drawn = _NORMAL.inv_cdf(min(max(_share(behaviour, "latency", prompt), 1e-9), 1 - 1e-9))
    mu = math.log(behaviour.latency) - behaviour.sigma**2 / 2
    return math.exp(mu + behaviour.sigma * drawn)


def failure(behaviour: Behaviour, prompt: str, attempt: int) -> int | None:
    """The HTTP status of a try that fails, None where it does not."""
    if behaviour.refused_part and behaviour.refused_part in prompt:
        return 400
    drawn = _share(behaviour, "failure", f"{attempt} {prompt}")
    if drawn >= behaviour.failing:
        return None
    return behaviour.failures[int(drawn / behaviour.failing * len(behaviour.failures))]


def text(behaviour: Behaviour, prompt: str) -> str:
    """The model's answer: the number of the row, a label drawn by the prompt, or the same word."""
    if behaviour.reply == "row":
        found = ROW.search(prompt)
        return found[1] if found else "none"
    if behaviour.reply == "label":
        return behaviour.labels[int(_share(behaviour, "label", prompt) * len(behaviour.labels))]
    return "positive"


def _share(behaviour: Behaviour, what: str, of: str) -> float:
    """A number from 0 to 1, always the same for the same seed and text."""
    digest = blake2b(f"{behaviour.seed} {what} {of}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) / (1 << 48)
