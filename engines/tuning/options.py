"""What FINETUNE … USING takes: hyperparameters, a suffix, and whether the new version is used.

It checks them; which of them an endpoint knows, the endpoint says.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engines.base import Option
from engines.errors import OptionError
from engines.options import check_options, check_ranges
from engines.task import Value

TUNING_OPTIONS = (
    Option("n_epochs", (int,), "times that the chats are gone through"),
    Option("context_length", (int,), "tokens of the longest chat"),
    Option("learning_rate_multiplier", (float,), "factor of the endpoint's own learning rate"),
    Option("batch_size", (int,), "chats of a batch"),
    Option("suffix", (str,), "stands in the new model's name, up to 64 characters"),
    Option("seed", (int,), "makes training repeatable where the endpoint supports it"),
    Option("active", (bool,), "whether the new version becomes the active one", default=True),
)
_RANGES: Mapping[str, tuple[float, float]] = {
    "n_epochs": (1, 1000),
    "context_length": (1, 100_000_000),
    "learning_rate_multiplier": (1e-9, 1000),
    "batch_size": (1, 1_000_000),
}
_MOST_SUFFIX = 64
_NO_HYPERPARAMETERS = ("suffix", "seed", "active")


@dataclass(frozen=True, slots=True)
class TuningOptions:
    """Checked: `hyperparameters` are those that were given, in name order."""

    hyperparameters: tuple[tuple[str, Value], ...] = ()
    suffix: str | None = None
    seed: int | None = None
    active: bool = True

    @property
    def context_length(self) -> int | None:
        """The most tokens of a chat, None where nobody said."""
        length = dict(self.hyperparameters).get("context_length")
        return length if isinstance(length, int) else None


def read_tuning_options(given: Mapping[str, Value], owner: str) -> TuningOptions:
    """Check what USING gives; `owner` stands in the messages. Raises OptionError."""
    checked = check_options(TUNING_OPTIONS, given, owner)
    check_ranges(checked, _RANGES, owner)
    suffix, seed = checked.get("suffix"), checked.get("seed")
    if isinstance(suffix, str) and not 0 < len(suffix) <= _MOST_SUFFIX:
        raise OptionError(f"option 'suffix' of {owner} takes 1 to {_MOST_SUFFIX} characters")
    return TuningOptions(
        tuple(sorted((k, v) for k, v in checked.items() if k not in _NO_HYPERPARAMETERS)),
        suffix if isinstance(suffix, str) else None,
        seed if isinstance(seed, int) else None,
        checked["active"] is True,
    )
