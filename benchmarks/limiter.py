"""What makes the played endpoint say 429, and what makes it fast: its rate limit, its prefix cache.

Neither knows HTTP nor a clock; time is passed in.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from benchmarks.behaviour import Behaviour

BLOCK = 64


@dataclass(slots=True)
class Limiter:
    """Says of each call whether it is within `behaviour.rate`. Times in seconds."""

    behaviour: Behaviour
    tokens: float = field(init=False)
    filled: float = field(default=0.0, init=False)
    taken: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Begin with a full bucket."""
        self.tokens = self.behaviour.burst

    def admits(self, now: float) -> bool:
        """Take a call in, or refuse it."""
        if not self.behaviour.rate:
            return True
        return self._window(now) if self.behaviour.windows else self._bucket(now)

    def _bucket(self, now: float) -> bool:
        gained = (now - self.filled) * self.behaviour.rate
        self.tokens, self.filled = min(self.behaviour.burst, self.tokens + gained), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def _window(self, now: float) -> bool:
        if int(now) != int(self.filled):
            self.filled, self.taken = now, 0
        self.taken += 1
        return self.taken <= self.behaviour.rate


@dataclass(slots=True)
class PrefixCache:
    """The prefixes of prompts in blocks, as servers keep them; the `size` used last stay."""

    size: int
    kept: OrderedDict[int, None] = field(default_factory=OrderedDict)

    def fresh(self, prompt: str) -> int:
        """Characters of the prompt behind the longest prefix that is kept; it is kept from here."""
        prefixes = [hash(prompt[:end]) for end in range(BLOCK, len(prompt) + 1, BLOCK)]
        known = next((n for n, key in enumerate(prefixes) if key not in self.kept), len(prefixes))
        for key in reversed(prefixes):  # the shortest prefix is the one used last
            self.kept[key] = None
            self.kept.move_to_end(key)
        while len(self.kept) > self.size:
            self.kept.popitem(last=False)
        return len(prompt) - known * BLOCK
