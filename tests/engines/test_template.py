import pytest

from engines.chat.template import Template, parse_template, render, shown
from engines.errors import OptionError


@pytest.mark.parametrize(
    ("text", "literals", "mentions"),
    [
        ("{{a}}", ("", ""), (("a", None),)),
        ("x {{ a }} y", ("x ", " y"), (("a", None),)),
        ("{{a | default('b')}}", ("", ""), (("a", "b"),)),
        ('{{a|default("it\'s")}}', ("", ""), (("a", "it's"),)),
        (r"{{a | default('it\'s \\ \n')}}", ("", ""), (("a", r"it's \ \n"),)),
        ("{{a | default('')}}", ("", ""), (("a", ""),)),
        ("{{a | default('{{b}} } }}')}}", ("", ""), (("a", "{{b}} } }}"),)),
        ("{{a}}{{a | default('x')}}", ("", "", ""), (("a", None), ("a", "x"))),
        ("{{ ü.x }}", ("", ""), (("ü.x", None),)),
    ],
)
def test_placeholders_are_found_with_their_defaults(
    text: str, literals: tuple[str, ...], mentions: tuple[tuple[str, str | None], ...]
) -> None:
    template = parse_template(text)
    assert (template.literals, template.mentions) == (literals, mentions)


@pytest.mark.parametrize(
    "text", ["{{a b}}", "{{}}", "{{ }}", "{a}", "{{{}}}", '{"x": {"y": 1}}', "{{a b | c}}", "{{"]
)
def test_other_braces_stay_text(text: str) -> None:
    assert parse_template(text) == Template((text,), ())


@pytest.mark.parametrize(
    "text",
    [
        "{{a | upper}}",
        "{{a|b}}",
        "{{a | default}}",
        "{{a | default(3)}}",
        "{{a | default('x', true)}}",
        "{{a | default('x') | upper}}",
        "{{a | Default('x')}}",
    ],
)
def test_unknown_filter_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(OptionError, match=r"may have a default, like \{\{column \| default"):
        parse_template(text)


def test_template_without_defaults_is_what_it_was() -> None:
    assert parse_template("a {{b}} c") == Template(("a ", " c"), ("b",))


def test_inputs_are_not_read_again() -> None:
    template = parse_template("{{a}} {{b | default('x')}}")
    assert render(template, {"a": "{{b}}", "b": "{{a | upper}}"}) == "{{b}} {{a | upper}}"


def test_template_is_shown_without_its_defaults() -> None:
    assert shown(parse_template("x {{ a | default('b') }} y")) == "x {{a}} y"
