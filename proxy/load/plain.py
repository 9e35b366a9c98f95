"""A file's text written plainly, all at once: each field apart from the next by one sign that no
field has. For what is enclosed and escaped as programs do it, which is nearly all there is.

It does with a few passes over the text what fields.py does field by field, or leaves it to that.
"""

import re
from dataclasses import dataclass
from itertools import chain

from proxy.load.fields import MEANINGS
from proxy.load.portion import Portion, unused
from proxy.sql.statements import FileFormat


@dataclass(frozen=True, slots=True)
class Signs:
    """What stands for the ends of fields and lines, for NULL, between what is looked at together,
    and for each character that has a meaning in the file and none where it stands."""

    field: str
    line: str
    null: str
    between: str
    stand_ins: dict[str, str]


class Plain:
    """Writes a format's text plainly."""

    def __init__(self, written: FileFormat) -> None:
        self._written = written
        self._ends = (written.field, written.line)
        self._special = dict.fromkeys(
            f"{written.escaped}{written.enclosed}{written.field}{written.line}"
        )
        ends = "|".join(map(re.escape, self._ends))
        behind = "|".join(f"(?<={re.escape(end)})" for end in self._ends)
        self._null = re.compile(rf"(?:\A|{behind})NULL(?={ends}|\Z)")

    @property
    def able(self) -> bool:
        """Whether it makes no difference what is told apart first: lines, fields or escapes."""
        signs = "".join((*self._ends, self._written.escaped, self._written.enclosed))
        plain = not any(sign.isalnum() for sign in signs)
        return plain and len(set(signs)) == len(signs) and not self._written.start

    def write(self, text: str) -> tuple[Portion | None, str] | None:
        """The whole lines at the start of a text, if there are any, and what is left; None for what
        is written too strangely."""
        escaped, quote = self._written.escaped, self._written.enclosed
        has_escapes = bool(escaped) and escaped in text
        if not has_escapes and not (quote and quote in text):
            return self._as_it_is(text)
        signs = self._signs(text)
        open_ = text[-1:] if has_escapes and _odd_at_end(text, escaped) else ""
        inner = text[: len(text) - len(open_)]
        if has_escapes:
            inner = self._without_escapes(inner, signs)
        parts = inner.split(quote) if quote else [inner]
        cut = self._cut(parts)
        if cut is None:
            return None, text
        parts, rest = cut
        written = self._joined(parts, signs)
        if written is None:
            return None
        count = written.count(signs.line) + 1
        portion = Portion(written, signs.field, signs.line, signs.null, count)
        return portion, self._with_escapes(rest, signs) + open_

    def _as_it_is(self, text: str) -> tuple[Portion | None, str]:
        field, line = self._ends
        end = text.rfind(line)
        if end < 0:
            return None, text
        whole = text[:end]
        null = "NULL" if self._written.enclosed else unused(whole, 3)[2]
        portion = Portion(whole, field, line, null, whole.count(line) + 1)
        return portion, text[end + len(line) :]

    def _signs(self, text: str) -> Signs:
        own = "".join(self._special)
        field, line, null, between, *others = unused(text + own, 4 + len(own))
        return Signs(field, line, null, between, dict(zip(self._special, others, strict=True)))

    def _without_escapes(self, text: str, signs: Signs) -> str:
        """Every escaped character as itself, or as its stand-in."""
        escaped = self._written.escaped
        text = text.replace(escaped * 2, signs.stand_ins[escaped])
        text = text.replace(f"{escaped}NULL", "NULL").replace(f"{escaped}N", signs.null)
        meanings = {**MEANINGS, **{sign: sign for sign in self._special}}
        for sign, meant in meanings.items():
            if sign != escaped:
                text = text.replace(escaped + sign, signs.stand_ins.get(meant, meant))
        return text.replace(escaped, "")

    def _with_escapes(self, text: str, signs: Signs) -> str:
        """The text as the file may have it, which is read again with what follows."""
        escaped = self._written.escaped
        for sign, stand_in in signs.stand_ins.items():
            text = text.replace(stand_in, escaped + sign)
        return text.replace(signs.null, f"{escaped}N")

    def _cut(self, parts: list[str]) -> tuple[list[str], str] | None:
        """Parts in turn outside and inside of quotes, up to the last end of a line outside, and
        what is behind that; None without any."""
        line, quote = self._written.line, self._written.enclosed
        for at in range((len(parts) - 1) // 2 * 2, -1, -2):
            end = parts[at].rfind(line)
            if end >= 0:
                end += len(line)
                rest = quote.join([parts[at][end:], *parts[at + 1 :]])
                return [*parts[:at], parts[at][:end]], rest
        return None

    def _joined(self, parts: list[str], signs: Signs) -> str | None:
        """Lines out of their parts, without the end of the last; None where a quote stands in
        another place than at the ends of a field, or doubled within."""
        outside, inside = parts[::2], parts[1::2]
        if inside and not self._apart(outside):
            return None
        outside = [
            outside[0],
            *(part or signs.stand_ins[self._written.enclosed] for part in outside[1:]),
        ]
        text = self._ended(signs.between.join(outside), signs)
        if inside:
            kept = self._kept(signs.between.join(inside), signs).split(signs.between)
            text = "".join(
                chain.from_iterable(zip(text.split(signs.between), [*kept, ""], strict=True))
            )
        text = self._nulls(text.removesuffix(signs.line), signs)
        for sign, stand_in in signs.stand_ins.items():
            text = text.replace(stand_in, sign)
        return text

    def _apart(self, outside: list[str]) -> bool:
        """Whether quotes open behind an end and close before one, or are doubled."""
        first, *others, last = outside
        return (
            (not first or first.endswith(self._ends))
            and last.startswith(self._ends)
            and all(
                not part or (part.startswith(self._ends) and part.endswith(self._ends))
                for part in others
            )
        )

    def _ended(self, text: str, signs: Signs) -> str:
        if self._written.enclosed and "NULL" in text:
            text = self._null.sub(signs.null, text)
        return text.replace(self._written.line, signs.line).replace(
            self._written.field, signs.field
        )

    def _kept(self, text: str, signs: Signs) -> str:
        for sign in chain(*self._ends):
            text = text.replace(sign, signs.stand_ins[sign])
        return text

    def _nulls(self, text: str, signs: Signs) -> str:
        """NULL is a whole field; in another it was an escaped N."""
        if signs.null not in text:
            return text
        ends = f"[^{re.escape(signs.field + signs.line)}]"
        lone = rf"{signs.null}(?:(?<={ends}{signs.null})|(?={ends}))"
        return re.sub(lone, "N", text)


def _odd_at_end(text: str, sign: str) -> bool:
    return (len(text) - len(text.rstrip(sign))) % 2 == 1
