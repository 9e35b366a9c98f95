"""What one statement says about its predictions: `SELECT … USING cache = 'off', max_calls = 100`.

It reads and checks words; what they do is for those who carry the statement out, and which options
the models have, the binder sees.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import Token, TokenType

from catalog.suggest import did_you_mean
from engines.base import Option
from engines.errors import OptionError
from engines.options import check_options
from proxy.errors import SyntaxFault
from proxy.sql.hints import hinted
from proxy.sql.options import parse_owned_options
from proxy.sql.statements import Override, PredictionOptions
from proxy.sql.tokens import Cursor
from proxy.variables import PREDICTION_WORDS, Value, Variables

STATEMENT_OPTIONS = (
    Option("cache", (str,), "whether stored answers are used, and new ones stored"),
    Option("on_error", (str,), "what becomes of a row whose prediction fails"),
    Option("max_calls", (int,), "most calls of the statement, 0 for no bound"),
    Option("max_cost", (float,), "most that its calls may cost, 0 for no bound"),
    Option("commit_every", (int,), "rows after which what is written into a source is committed"),
    Option("max_seconds", (float,), "after which rows still without answer are NULL, 0 for never"),
)
_WORDS = {"cache": "prediction_cache", "on_error": "prediction_on_error"}
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})


def options_start(tokens: Sequence[Token]) -> int:
    """Where a statement's options begin, its length if it has none: at a USING outside of
    parentheses that `name =` or `model.name =` follows. JOIN … USING (column) is another one."""
    depth = 0
    for at, token in enumerate(tokens):
        kind = token.token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if at and kind is TokenType.USING and depth == 0 and _assigns(tokens[at + 1 : at + 5]):
            return at
    return len(tokens)


def read_options(sql: str, tokens: Sequence[Token]) -> PredictionOptions:
    """The options that these tokens are, and before them those in the hints of `sql`. Raises
    SyntaxFault, OptionError."""
    return _options({**_hinted_options(sql), **parse_owned_options(Cursor(sql, tokens))})


def checked_options(given: Mapping[str, Any]) -> PredictionOptions:
    """The options of these names. Raises OptionError."""
    return _options({(None, name): value for name, value in given.items()})


def _options(given: Mapping[tuple[str | None, str], Any]) -> PredictionOptions:
    own = {option.name for option in STATEMENT_OPTIONS}
    overrides = tuple(
        Override(name, value, model)
        for (model, name), value in given.items()
        if model is not None or name not in own
    )
    words = {name: value for (model, name), value in given.items() if not model and name in own}
    return PredictionOptions(**_checked(words), overrides=overrides)


def _hinted_options(sql: str) -> dict[tuple[str | None, str], Any]:
    options: dict[tuple[str | None, str], Any] = {}
    for cursor in hinted(sql):
        for key, value in parse_owned_options(cursor).items():
            if key in options:
                raise SyntaxFault(f"Option '{key[1]}' is given twice")
            options[key] = value
    return options


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the statement's own options, in their one spelling."""
    words = {name: "null" if value is None else value for name, value in given.items()}
    checked = check_options(STATEMENT_OPTIONS, words, "the statement")
    for name, variable in _WORDS.items():
        if name in checked:
            checked[name] = _word(name, str(checked[name]), PREDICTION_WORDS[variable])
    for name in ("max_calls", "max_cost", "max_seconds"):
        value = checked.get(name, 0)
        if not (isinstance(value, int | float) and 0 <= value < 2**63):
            raise OptionError(
                f"option '{name}' of the statement takes a number from 0, not {value}"
            )
    return checked


def prediction_options(options: PredictionOptions, variables: Variables) -> PredictionOptions:
    """All that holds for a statement: what it says itself, else what its session has set.

    `cache` and `on_error` stay None where neither asks for more than the usual: the model's options
    say then. A bound of 0, of either, is None: there is none.
    """

    def held(own: Value, name: str) -> Value:
        return variables.get(name) if own is None else own

    def word(own: str | None, name: str) -> str | None:
        set_word = str(variables.get(name))
        return own or (None if set_word == PREDICTION_WORDS[name][0] else set_word)

    return PredictionOptions(
        cache=word(options.cache, "prediction_cache"),
        on_error=word(options.on_error, "prediction_on_error"),
        max_calls=int(held(options.max_calls, "max_prediction_calls") or 0) or None,
        max_cost=float(held(options.max_cost, "max_prediction_cost") or 0) or None,
        max_seconds=float(held(options.max_seconds, "max_prediction_seconds") or 0) or None,
    )


def _assigns(following: Sequence[Token]) -> bool:
    kinds = [token.token_type for token in following]
    return TokenType.EQ in (kinds[1:2] if kinds[1:2] != [TokenType.DOT] else kinds[3:])


def _word(name: str, value: str, words: Sequence[str]) -> str:
    if value.lower() in words:
        return value.lower()
    *most, last = (f"'{word}'" for word in words)
    raise OptionError(
        f"option '{name}' of the statement takes {', '.join(most)} or {last}, not '{value}'"
        f"{did_you_mean(value, words)}"
    )
