"""The options of USING, checked against what a handler declares.

It knows names, types and ranges; what a value means is for who declared it.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from engines.base import Option
from engines.errors import OptionError
from engines.secrets import SecretReference, refers
from engines.task import Value

_TYPE_NAMES: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a JSON array",
    dict: "a JSON object",
}


def check_options(
    options: Sequence[Option], given: Mapping[str, Value], owner: str
) -> dict[str, Value]:
    """Return `given` with lower-case names, whole numbers made float where asked, and defaults.

    An option that is neither given nor has a default is absent. `owner` stands in the messages:
    "model mood". Raises OptionError: unknown, given twice, missing, or of a wrong type. A message
    never holds the value of a secret option.
    """
    known = {option.name: option for option in options}
    checked: dict[str, Value] = {o.name: o.default for o in options if o.default is not None}
    seen: set[str] = set()
    for written, value in given.items():
        name = written.lower()
        if name not in known:
            raise OptionError(f"unknown option '{written}' of {owner}{did_you_mean(name, known)}")
        if name in seen:
            raise OptionError(f"option '{name}' of {owner} is given twice")
        seen.add(name)
        checked[name] = _typed(known[name], value, owner)
    for option in options:
        if option.required and option.name not in checked:
            raise OptionError(f"{owner} needs the option '{option.name}': {option.description}")
    return checked


def check_ranges(
    checked: Mapping[str, Value], ranges: Mapping[str, tuple[float, float]], owner: str
) -> None:
    """Raise OptionError for a number out of its range, both ends of which are allowed."""
    for option, (least, most) in ranges.items():
        value = checked.get(option)
        if isinstance(value, int | float) and not least <= value <= most:
            raise OptionError(
                f"option '{option}' of {owner} takes {least:,} to {most:,}, not {value}"
            )


def with_common(declared: Sequence[Option], common: Sequence[Option]) -> tuple[Option, ...]:
    """Return what a handler declares and the common options that it does not declare itself."""
    own = {option.name for option in declared}
    return (*declared, *(option for option in common if option.name not in own))


def only(options: Sequence[Option], given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the part of `given` that `options` are about."""
    names = {option.name for option in options}
    return {name: value for name, value in given.items() if name.lower() in names}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """End a message about an unknown name: the near miss, else all that there is (at most ten)."""
    names = sorted(known)
    if near := get_close_matches(name, names, n=1):
        return f": did you mean '{near[0]}'?"
    more = ", …" if len(names) > 10 else ""
    return f" (there is {', '.join(names[:10])}{more})" if names else ""


def _typed(option: Option, value: Value, owner: str) -> Value:
    if refers(value) and not option.by_reference:
        raise OptionError(
            f"option '{option.name}' of {owner} takes no env('…') or file('…'): "
            "only keys and headers of an ML engine do"
        )
    if isinstance(value, SecretReference) and str in option.types:
        return value
    if type(value) is int and float in option.types and int not in option.types:
        return float(value)
    if option.types == (bool,) and type(value) is int and value in (0, 1):
        return bool(value)
    if type(value) in option.types:
        return value
    expected = " or ".join(_TYPE_NAMES[kind] for kind in option.types)
    shown = "" if option.secret else f", not {value!r}"
    raise OptionError(f"option '{option.name}' of {owner} takes {expected}{shown}")
