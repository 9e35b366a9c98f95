import pytest

from engines.chat.labels import infer_labels
from engines.chat.template import parse_template

MOODS = ("positive", "neutral", "negative")


@pytest.mark.parametrize(
    "template",
    [
        'Predict the sentiment of the text strictly as "positive", "neutral", or "negative". {{t}}',
        "Classify {{t}} as `positive`, `neutral` or `negative`.",
        "Is {{t}} 'positive', 'neutral' or 'negative'?",
        "Is {{t}} “positive”, “neutral” or “negative”?",
        "{{t}}\nMood (`positive` | `neutral` | `negative`):",
        'One of "positive"/"neutral"/"negative": {{t}}',
        "Labels: `positive`, `neutral`, and `negative`. {{t}}",
        'Say "positive," "neutral," or "negative." {{t}}',
        'Say "positive",\n"neutral",\n"negative": {{t}}',
        'Classify "{{t}}" as "positive", "neutral" or "negative"; "{{t}}":',
        'As "positive", "neutral", or "negative". "I love it":positive "A scam":negative "{{t}}":',
        "Don't explain. Answer `positive`, `neutral` or `negative`: {{t}}",
        "`positive`, `neutral` or `negative`? Again: `positive`, `neutral` or `negative`? {{t}}",
    ],
)
def test_labels_are_read_from_a_list_of_quoted_words(template: str) -> None:
    assert infer_labels(parse_template(template)) == MOODS


@pytest.mark.parametrize(
    ("template", "labels"),
    [
        ("Spam? `yes` or `no`: {{t}}", ("yes", "no")),
        ("Choose `very good`, `so-so` or `bad`: {{t}}", ("very good", "so-so", "bad")),
        ("Choose `1`/`2`/`3`: {{t}}", ("1", "2", "3")),
    ],
)
def test_labels_may_be_two_or_have_several_words(template: str, labels: tuple[str, ...]) -> None:
    assert infer_labels(parse_template(template)) == labels


@pytest.mark.parametrize(
    "template",
    [
        "What is the capital of {{t}}?",
        'Translate "{{t}}" to French.',
        'Compare "{{a}}" and "{{b}}".',
        'Compare "{{a}}", "{{b}}" or "{{c}}".',
        'Choose from "{{a}}", "good" or "bad".',
        "Answer `yes` if {{t}} is spam.",
        'Say "good" if you like {{t}}, "bad" if not.',
        "Join `foo` and `bar` for {{t}}.",
        "Explain the difference between `foo` or `bar` to {{t}}.",
        'Return JSON with the keys "name", "age" and "city" of {{t}}.',
        'Describe {{t}}, but never say "maybe" or "unknown".',
        'Don\'t use "very" or "really" in the summary of {{t}}.',
        'Name a fruit (e.g. "apple" or "pear") for {{t}}.',
        'Name a fruit, such as "apple" or "pear", for {{t}}.',
        "It's John's or Mary's {{t}}, isn't it?",
        'Is it "yes", "Yes" or "YES"? {{t}}',
        'Is it "" or "b"? {{t}}',
        f'Is it "{"a" * 41}" or "b"? {{{{t}}}}',
        '"a" "b" "c" {{t}}',
        '"a"; "b" {{t}}',
        "First `a` or `b`? Then `c` or `d`? {{t}}",
    ],
)
def test_no_labels_are_imagined(template: str) -> None:
    assert infer_labels(parse_template(template)) == ()
