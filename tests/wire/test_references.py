import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_a_docstring_names_exists() -> None:
    named = [
        match.groups()
        for file in (ROOT / "proxy" / "wire").glob("*.py")
        for match in re.finditer(r"(tests/wire/\w+\.py)(?:::(\w+))?", file.read_text())
    ]
    assert named
    for path, test in named:
        assert f"def {test or 'test_'}" in (ROOT / path).read_text(), (path, test)
