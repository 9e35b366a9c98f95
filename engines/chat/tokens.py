"""How many tokens a task takes, estimated: no tokenizer's vocabulary is at hand for every model.

`count_tokens` is calibrated on Qwen2.5's tokenizer, whose word splitting is that of most others;
a `TokenGauge` learns from what the endpoint reports how its own model differs. It bills nobody.
"""

import re
from dataclasses import dataclass

from engines.chat import prompt
from engines.task import ModelSpec, Target, Task, Usage

_EAST = "\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_PIECE = re.compile(
    r" ?[A-Za-z]+|[0-9]"
    r"|'(?:s|t|re|ve|m|ll|d)\b"  # a contraction's end
    rf"|[{_EAST}]"  # one by one, as no spaces part the words
    rf"|[^\W\d_{_EAST}A-Za-z]+"  # the letters of all other scripts
    r"|\n\s*|[^\s\w]|_"
)
_MARK, _SYMBOL, _HAN, _HANGUL = 0.8, 1.5, 0.55, 0.8
_SHORT_WORD, _LONG_PART = 8, 4.5
_CAPITALS, _LETTERS = 3.2, 2.8
_KNOWN_PIECES, _KNOWN_LENGTH = 50_000, 24
_WHOLE, _PARTS, _PART = 8192, 16, 256

_CHAT = 8
"""What a chat template puts around a prompt."""
_TURN = 5
"""What it puts around a turn before."""
_PERSONAS = (("qwen2.5", 21), ("qwen2-", 16))
"""What the templates of some models add: a system message of their own."""
_LABELLED = 10
"""An empty system message and the answer's start, or a schema's share of the prompt."""
_PER_ITEM = 10
"""What stands around an item of a pack."""
_PACK_TEXT = 110

_ANSWER_AROUND = 2
_UNKNOWN_ANSWER = 64
_AROUND_MEMBER, _KNOWN_ANSWER = 5, 4
"""Quotes, colon and comma of a JSON object's member; a number, a date or a label in it."""
_MOST = 4096
"""Tokens at most of an answer that has no max_tokens: a guess that no sane answer passes."""

_FORGET = 0.98
_PRIOR_WEIGHT = 0.1
_SPREAD = 400.0
"""Variance of the inputs' lengths that counts as much as one observation of the slope."""
_OUTLIER = 2.0


def count_tokens(text: str) -> int:
    """Estimate the tokens of `text`: within 10 % for English prose and Markdown on Qwen2.5's
    tokenizer, within 20 % for most other languages, more for rare words."""
    return round(_measure(text))


@dataclass(frozen=True, slots=True)
class GaugeState:
    """What a gauge has learned, to be kept: prompt tokens are slope · inputs' estimate + offset;
    `completion` is the mean, `weight` the number of calls that this is worth."""

    slope: float
    offset: float
    completion: float
    weight: float


class TokenGauge:
    """Estimates the tokens of one model's tasks, better with each report; O(1) memory."""

    def __init__(self, spec: ModelSpec, state: GaugeState | None = None) -> None:
        self._spec = spec
        names = spec.template.slots + (() if spec.system is None else spec.system.slots)
        self._mentions = [names.count(name) for name in spec.inputs]
        self._before = state or GaugeState(1.0, _offset(spec), _answer(spec), _PRIOR_WEIGHT)
        self._weight = 0.0
        self._x = self._y = self._completion = 0.0
        self._xx = self._xy = 0.0

    def prompt(self, task: Task) -> int:
        """Return the prompt tokens that the endpoint will count for `task`, all around it too."""
        return max(1, round(self._slope * self._inputs(task) + self._offset))

    def completion(self, task: Task) -> int:
        """Return the tokens that its answer is expected to have: the mean of those so far."""
        before = self._before
        total = self._weight * self._completion + before.weight * before.completion
        return min(max(1, round(total / (self._weight + before.weight))), self.most(task))

    def most(self, task: Task) -> int:
        """Return the tokens that its answer has at most, for reservations."""
        if self._spec.mode == "embedding":
            return 0
        if self._spec.is_labelled:
            return 2 * max(count_tokens(label) for label in self._spec.target.labels) + 16
        return _limit(task.spec) or _MOST

    def learn(self, task: Task, usage: Usage) -> None:
        """Take in what the endpoint reported for `task`; nothing where it reported nothing.

        A report twice off what is expected counts as twice only, once there is an expectation: it
        may be that of a repair, or leave out what a prefix cache served.
        """
        if usage.prompt_tokens <= 0:
            return
        x, y = self._inputs(task), float(usage.prompt_tokens)
        if self._weight + self._before.weight >= 3:
            expected = self._slope * x + self._offset
            y = min(max(y, expected / _OUTLIER), expected * _OUTLIER)
        self._weight = self._weight * _FORGET + 1
        step = 1 / self._weight
        dx, dy = x - self._x, y - self._y
        self._x += step * dx
        self._y += step * dy
        self._xx = (1 - step) * (self._xx + step * dx * dx)
        self._xy = (1 - step) * (self._xy + step * dx * dy)
        self._completion += step * (usage.completion_tokens - self._completion)

    @property
    def state(self) -> GaugeState:
        """What was learned so far: what a new gauge may start from."""
        before = self._before
        weight = self._weight + before.weight
        completion = (self._weight * self._completion + before.weight * before.completion) / weight
        return GaugeState(self._slope, self._offset, completion, weight)

    @property
    def _slope(self) -> float:
        """The regression's slope, drawn to the one before where the inputs hardly differ."""
        prior = _SPREAD * self._before.weight
        along = self._weight * self._xy + prior * self._before.slope
        return max(0.1, along / (self._weight * self._xx + prior))

    @property
    def _offset(self) -> float:
        before = self._before
        learned = self._y - self._slope * self._x
        total = self._weight * learned + before.weight * before.offset
        return total / (self._weight + before.weight)

    def _inputs(self, task: Task) -> float:
        pairs = zip(self._mentions, task.inputs, strict=True)
        own = sum(mentions * _measure(text) for mentions, text in pairs if text and mentions)
        if not task.history:
            return own
        return own + sum(
            2 * _TURN + _measure(asked) + _measure(said) for asked, said in task.history
        )


class _Costs(dict[str, float]):
    """The tokens of each piece met so far: the same words come again and again."""

    def __missing__(self, piece: str) -> float:
        if len(self) >= _KNOWN_PIECES:
            self.clear()
        cost = _cost(piece)
        if len(piece) <= _KNOWN_LENGTH:
            self[piece] = cost
        return cost


_costs = _Costs()


def _measure(text: str) -> float:
    """Sum the pieces of `text`; of a long one only those of parts spread over it."""
    if len(text) <= _WHOLE:
        return sum(map(_costs.__getitem__, _PIECE.findall(text)))
    stride = len(text) // _PARTS
    parts = (text[start : start + _PART] for start in range(0, stride * _PARTS, stride))
    return sum(map(_measure, parts)) * len(text) / (_PARTS * _PART)


def _cost(piece: str) -> float:
    piece = piece.strip(" ")
    first = piece[0]
    if first.isascii():
        if first.isalpha():
            return _word(piece)
        return 1.0 if first.isdigit() or first.isspace() or len(piece) > 1 else _MARK
    if not first.isalpha():
        return _HAN if "\u3000" <= first <= "\uffef" else _SYMBOL
    if "\u2e80" <= first <= "\ua4cf" or "\uf900" <= first <= "\uffef":
        return _HAN
    return _HANGUL if "\uac00" <= first <= "\ud7af" else max(1.0, len(piece) / _LETTERS)


def _word(word: str) -> float:
    if len(word) > 3 and word.isupper():
        return len(word) / _CAPITALS
    return 1.0 + max(0, len(word) - _SHORT_WORD) / _LONG_PART


def _offset(spec: ModelSpec) -> float:
    """Guess what is the same in all prompts of a model."""
    fixed = sum(map(_measure, spec.template.literals))
    if spec.mode == "embedding":
        return fixed + 1
    name = spec.model_name.lower()
    persona = next((tokens for family, tokens in _PERSONAS if family in name), 0)
    fixed += _CHAT + _examples(spec)
    if spec.system is not None:
        fixed, persona = fixed + _TURN + sum(map(_measure, spec.system.literals)), 0
    if spec.is_object:
        fixed += _measure(prompt.instruction(spec))
    if spec.rows_per_prompt > 1:
        return _PER_ITEM + (fixed + persona + _PACK_TEXT) / spec.rows_per_prompt
    if spec.is_labelled:
        return fixed + _LABELLED
    return fixed + persona


def _examples(spec: ModelSpec) -> float:
    """What the examples take, told as turns of the chat."""
    asked = sum(_measure(text) for example in spec.examples for text in example.inputs)
    said = sum(_measure(prompt.answer_of(spec, example)) for example in spec.examples)
    each = sum(map(_measure, spec.template.literals)) + 2 * _TURN
    return asked + said + each * len(spec.examples)


def _answer(spec: ModelSpec) -> float:
    """Guess the tokens of an answer before there was one."""
    labels = spec.target.labels
    if spec.is_labelled:
        return sum(map(_measure, labels)) / len(labels) + _ANSWER_AROUND
    if spec.is_object:
        return min(_limit(spec) or _MOST, sum(map(_member, spec.targets)) + _ANSWER_AROUND)
    return min(_limit(spec) or _MOST, _UNKNOWN_ANSWER)


def _member(target: Target) -> float:
    """Guess the tokens of a target's member in an object."""
    around = _measure(target.name) + _AROUND_MEMBER
    if target.struct or target.type.name in ("text", "varchar", "json"):
        return around + _UNKNOWN_ANSWER / 2
    return around + _KNOWN_ANSWER


def _limit(spec: ModelSpec) -> int | None:
    given = dict(spec.parameters)
    limits = [given.get("max_tokens"), given.get("max_completion_tokens")]
    return min((limit for limit in limits if isinstance(limit, int)), default=None)
