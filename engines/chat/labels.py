"""The labels that a prompt template writes out: `positive`, `neutral` or `negative`.

It reads the template's own text, never an input, and would rather see no labels than wrong ones:
a list of labels that is missed costs a free text, one that is imagined costs the answer.
"""

import re
from dataclasses import dataclass

from engines.chat.template import Template

_SLOT = "\0"
_QUOTED = re.compile(
    r'(?<!\w)(?:"([^"\n]*)"|`([^`\n]*)`|“([^”\n]*)”|‘([^’\n]*)’|\'([^\'\n]*)\')(?!\w)'
)
_SEPARATOR = re.compile(r"\s*(?:,\s*(?:(?:or|and|and/or)\b)?|/|\||or\b|and\b)\s*", re.IGNORECASE)
_CUT_SENTENCE = re.compile(r"(?:[.!?;:]\s|\n)")
_NOT_A_CHOICE = re.compile(
    r"\b(?:keys?|fields?|columns?|propert(?:y|ies)|json|such as|for (?:example|instance)|including"
    r"|difference|like|not|never|avoid|without|except|ignore)\b|n't\b|\be\.\s?g\.",
    re.IGNORECASE,
)
_MAX_LENGTH = 40


@dataclass(frozen=True, slots=True)
class _Quote:
    """One quoted piece of the template: its text without the commas of American quoting."""

    text: str
    comma_inside: bool
    start: int
    end: int


def infer_labels(template: Template) -> tuple[str, ...]:
    """Return the labels that the template's text lists in quotes or back-quotes, else ().

    A list is at least two quoted texts of at most 40 characters, different in more than case,
    without placeholder, with nothing between them but commas, "or", "and", "/" and "|". Two joined
    by a mere "and" are no choice, nor is a list whose sentence speaks of keys, examples or things
    to avoid. Two different lists are no choice either.
    """
    text = _SLOT.join(template.literals)
    runs = {
        tuple(quote.text for quote in run)
        for run in _runs(text, _quotes(text))
        if _is_choice(text, run)
    }
    return runs.pop() if len(runs) == 1 else ()


def _quotes(text: str) -> list[_Quote]:
    quotes = []
    for match in _QUOTED.finditer(text):
        raw = next(group for group in match.groups() if group is not None)
        label = raw.strip().rstrip(",.;").rstrip()
        quotes.append(_Quote(label, raw.rstrip().endswith(","), match.start(), match.end()))
    return quotes


def _runs(text: str, quotes: list[_Quote]) -> list[list[_Quote]]:
    """Group the quotes that follow each other with nothing but a separator between."""
    runs: list[list[_Quote]] = []
    for quote in quotes:
        if runs and _joined(text, runs[-1][-1], quote):
            runs[-1].append(quote)
        else:
            runs.append([quote])
    return runs


def _joined(text: str, left: _Quote, right: _Quote) -> bool:
    between = text[left.end : right.start]
    if left.comma_inside:
        between = f",{between}"
    return _SEPARATOR.fullmatch(between) is not None


def _is_choice(text: str, run: list[_Quote]) -> bool:
    labels = {quote.text.casefold() for quote in run}
    if len(run) < 2 or len(labels) < len(run):
        return False
    if any(not q.text or _SLOT in q.text or len(q.text) > _MAX_LENGTH for q in run):
        return False
    if len(run) == 2 and text[run[0].end : run[1].start].strip().lower() == "and":
        return False
    sentence = _CUT_SENTENCE.split(text[: run[0].start])[-1]
    lead = text[max(0, run[0].start - 8) : run[0].start]
    return not (_NOT_A_CHOICE.search(sentence) or _NOT_A_CHOICE.search(lead))
