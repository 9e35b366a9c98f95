"""What CREATE MODEL says of the prompt, read: templates, columns in their place, conversations.

It asks nobody and checks no types; how a prompt becomes messages is chat/prompt.py's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engines.base import Option
from engines.chat.template import Template, parse_template
from engines.errors import OptionError
from engines.options import did_you_mean
from engines.task import Mode, Struct, Target, Value
from engines.types import TEXT, Type

PROMPT_TEMPLATE = Option(
    "prompt_template",
    (str,),
    "the prompt, with a {{column}}, or {{column | default('…')}}, for each input",
)
PROMPT_OPTIONS = (
    PROMPT_TEMPLATE,
    Option("system", (str,), "what the model is told before all else; may have {{column}}s, too"),
    Option("prompt", (str,), "the same, by its other name"),
    Option("question_column", (str,), "in place of prompt_template: the column with the question"),
    Option("context_column", (str,), "the column with what the question is about"),
    Option(
        "mode",
        (str,),
        "'default': each row alone; 'conversational': the last row, those before it as what was "
        "said; 'conversational-full': every row; 'embedding': a vector for each row",
    ),
    Option("user_column", (str,), "in a conversation: the column with what the user says"),
    Option("assistant_column", (str,), "in a conversation: the column with the answers given"),
    Option("json_struct", (dict,), "JSON object of keys to be found, each with what it means"),
    Option("input_text", (str,), "with json_struct: the column with the text that is read"),
)
"""How a prompt may be said: for every chat handler."""

_MODES: tuple[Mode, ...] = ("default", "conversational", "conversational-full", "embedding")
_COLUMNS = ("question_column", "context_column", "input_text", "user_column", "assistant_column")
_SOURCES = ("prompt_template", "question_column", "input_text")
_SAYINGS = ("user_column", "question_column", "prompt_template")
_JSON = Type("json")
_VECTOR = Type("vector")


@dataclass(frozen=True, slots=True)
class Prompting:
    """How a model is asked. `given_answer` names the input with an earlier row's known answer."""

    template: Template
    targets: tuple[Target, ...]
    system: Template | None
    mode: Mode
    given_answer: str | None


def take_prompting(checked: dict[str, Value], targets: Sequence[Target], owner: str) -> Prompting:
    """Take the options about the prompt out of `checked`, which has them checked for their types.

    The targets come back with what these options say of them. Raises OptionError: a prompt that is
    missing or said twice, a filter that is unknown, a mode or a structure that is none.
    """
    said = {option.name: checked.pop(option.name, None) for option in PROMPT_OPTIONS}
    mode = _mode(said, owner)
    given = {name: value for name, value in said.items() if isinstance(value, str)}
    _refuse_empty(given, owner)
    template = _conversation(given, owner) if _talks(mode) else _template(given, owner)
    struct = _structure(said["json_struct"], owner)
    return Prompting(
        template,
        _typed(targets, mode, struct, owner),
        _system(given, mode, owner),
        mode,
        _given_answer(given, template, targets, owner),
    )


def _mode(said: Mapping[str, Value], owner: str) -> Mode:
    wanted = str(said["mode"] or "default").lower()
    for mode in _MODES:
        if mode == wanted:
            return mode
    raise OptionError(f"option 'mode' of {owner} is not '{wanted}'{did_you_mean(wanted, _MODES)}")


def _talks(mode: Mode) -> bool:
    return mode.startswith("conversational")


def _refuse_empty(given: Mapping[str, str], owner: str) -> None:
    for name in _COLUMNS:
        if name in given and not given[name].strip():
            raise OptionError(f"option '{name}' of {owner} takes the name of a column")


def _template(given: Mapping[str, str], owner: str) -> Template:
    """The template of a model that is asked row by row."""
    for name in ("user_column", "assistant_column"):
        if name in given:
            raise OptionError(f"option '{name}' of {owner} is for mode = 'conversational'")
    template = _from(_SOURCES, given, owner)
    if template is None:
        raise OptionError(
            f"{owner} needs the option 'prompt_template': {PROMPT_TEMPLATE.description} "
            "(or 'question_column')"
        )
    return template


def _from(sources: Sequence[str], given: Mapping[str, str], owner: str) -> Template | None:
    """The template that one of these options says, None where none of them is given."""
    found = [name for name in sources if name in given]
    if len(found) > 1:
        raise OptionError(f"{owner} takes one of {' and '.join(found)}, not both")
    if "context_column" in given and "question_column" not in given:
        raise OptionError(f"{owner} needs the option 'question_column' beside 'context_column'")
    match found:
        case ["prompt_template"]:
            return _parsed("prompt_template", given, owner)
        case ["question_column"]:
            return _question(given["question_column"], given.get("context_column"))
        case ["input_text"]:
            return Template(("Read the values from this text:\n", ""), (given["input_text"],))
        case ["user_column"]:
            return Template(("", ""), (given["user_column"],))
    return None


def _question(question: str, context: str | None) -> Template:
    """Context first: many questions about one text share their beginning."""
    if context is None:
        return Template(("", ""), (question,))
    lead = "Answer the question by the context.\n\nContext:\n"
    return Template((lead, "\n\nQuestion: ", ""), (context, question))


def _conversation(given: Mapping[str, str], owner: str) -> Template:
    """The template of a conversation: what the user says in a row."""
    if "input_text" in given:
        raise OptionError(f"a conversation has no 'input_text': {owner} takes 'user_column'")
    template = _from(_SAYINGS, given, owner)
    if template is None:
        raise OptionError(
            f"{owner} needs the option 'user_column': it is a conversation "
            "(or 'question_column', or 'prompt_template')"
        )
    return template


def _given_answer(
    given: Mapping[str, str], template: Template, targets: Sequence[Target], owner: str
) -> str | None:
    """The input with the answers given: no input has the name of a target."""
    column = given.get("assistant_column")
    if column is None:
        return None
    if column.lower() in {name.lower() for name in template.placeholders}:
        raise OptionError(f"'assistant_column' of {owner} has answers: the user needs another one")
    taken = {target.name.lower() for target in targets}
    return f"given_{column}" if column.lower() in taken else column


def _system(given: Mapping[str, str], mode: Mode, owner: str) -> Template | None:
    names = [name for name in ("system", "prompt") if name in given]
    if len(names) > 1:
        raise OptionError(f"{owner} takes one of system and prompt, which are the same, not both")
    if names and mode == "embedding":
        raise OptionError(f"an embedding has no '{names[0]}': {owner} makes vectors of its prompt")
    return _parsed(names[0], given, owner) if names else None


def _parsed(name: str, given: Mapping[str, str], owner: str) -> Template:
    try:
        return parse_template(given[name])
    except OptionError as error:
        raise OptionError(f"option '{name}' of {owner}: {error}") from error


def _structure(said: Value, owner: str) -> Struct:
    """Read json_struct: keys with descriptions, or with keys of their own."""
    if said is None:
        return ()
    if not isinstance(said, dict) or not said:
        raise OptionError(f"option 'json_struct' of {owner} takes a JSON object with keys")
    return tuple((key, _part(key, part, owner)) for key, part in said.items())


def _part(key: str, part: Value, owner: str) -> str | Struct:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part:
        return _structure(part, owner)
    raise OptionError(
        f"option 'json_struct' of {owner} takes a text for '{key}' that says what it means, "
        f"or an object, not {part!r}"
    )


def _typed(targets: Sequence[Target], mode: Mode, struct: Struct, owner: str) -> tuple[Target, ...]:
    """The targets with the types that a mode or a structure gives them."""
    if mode == "embedding":
        if struct:
            raise OptionError(f"an embedding has no 'json_struct': {owner} makes vectors")
        return (_only(targets, _VECTOR, "an embedding", owner),)
    if wrong := next((target for target in targets if target.type == _VECTOR), None):
        raise OptionError(
            f"{owner} cannot predict the vector '{wrong.name}' without mode = 'embedding'"
        )
    if not struct:
        return tuple(targets)
    return (replace(_only(targets, _JSON, "json_struct", owner), struct=struct),)


def _only(targets: Sequence[Target], wanted: Type, what: str, owner: str) -> Target:
    """The one target there is, of the type that is wanted, whether that was said or nothing."""
    if len(targets) != 1 or targets[0].type not in (TEXT, wanted) or targets[0].labels:
        raise OptionError(f"{what} has one target, a {wanted}: {owner} has others")
    return replace(targets[0], type=wanted)
