"""A text in MySQL's SQL as its single statements.

It knows where one ends, and nothing else of them.
"""

import re

_LEXEMES = re.compile(
    r"""'(?:[^'\\]|\\.|'')*+'|"(?:[^"\\]|\\.|"")*+"|`(?:[^`]|``)*+`"""
    r"""|--(?=\s|\Z)[^\n]*+|\#[^\n]*+|/\*.*?\*/|(?P<end>;)""",
    re.DOTALL,
)
# Their bodies are statements, each with its semicolon.
_COMPOUND = re.compile(
    r"(?:\s|/\*.*?\*/|--\s[^\n]*+\n|\#[^\n]*+\n)*+(?:BEGIN\s+NOT\s+ATOMIC\b"
    r"|(?:CREATE|ALTER)\b(?:(?!\b(?:TABLE|VIEW|INDEX|DATABASE|SCHEMA|USER)\b)[^;])*?"
    r"\b(?:PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE)\b)",
    re.DOTALL | re.IGNORECASE,
)


def split(text: str) -> list[str]:
    """The statements of a text without their semicolons, empty ones left out. One that defines a
    procedure, trigger or the like is the last: all behind its beginning is its own."""
    statements, start = [], 0
    for lexeme in _LEXEMES.finditer(text):
        if lexeme["end"] and not _COMPOUND.match(text, start):
            statements.append(text[start : lexeme.start()])
            start = lexeme.end()
    return [each for each in (*statements, text[start:]) if each.strip()]
