"""Prepared statements: values bound as tokens, where their `?` stood. No text is ever pasted."""

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlglot import Token, TokenType

from engines.errors import OptionError
from proxy.errors import NotPreparable, WrongParameters
from proxy.sql.parser import one_statement, parse_tokens
from proxy.sql.statements import LoadData, Statement

Value = str | bytes | int | float | Decimal | date | datetime | timedelta | None


@dataclass(frozen=True, slots=True)
class PreparedStatement:
    """A statement's text, read once into tokens."""

    sql: str
    tokens: tuple[Token, ...]
    parameters: int

    def bind(self, values: Sequence[Value]) -> Statement:
        """The statement with its values. Raises WrongParameters, SyntaxFault, Unsupported."""
        if len(values) != self.parameters:
            raise WrongParameters(
                f"Incorrect arguments to EXECUTE: {self.parameters} expected, {len(values)} given"
            )
        remaining = iter(values)
        tokens: list[Token] = []
        for token in self.tokens:
            is_parameter = token.token_type is TokenType.PLACEHOLDER
            tokens += _literal(next(remaining), token) if is_parameter else [token]
        return parse_tokens(self.sql, tokens)


def prepare(sql: str) -> PreparedStatement:
    """Read a statement with `?` in it. Raises SyntaxFault, Unsupported: what cannot be parsed is
    refused now, not at EXECUTE; NotPreparable for LOAD DATA. OptionError comes now from a statement
    without `?` alone."""
    tokens = tuple(one_statement(sql))
    count = sum(token.token_type is TokenType.PLACEHOLDER for token in tokens)
    prepared = PreparedStatement(sql, tokens, count)
    # the zeros that stand in for values to come need not be good ones for an option
    with suppress(OptionError) if count else nullcontext():
        _refuse_load(prepared.bind([0] * count))
    return prepared


def _refuse_load(statement: Statement) -> None:
    if isinstance(statement, LoadData):
        raise NotPreparable("This command is not supported in the prepared statement protocol yet")


def _literal(value: Value, place: Token) -> list[Token]:
    if value is None:
        return [_token(TokenType.NULL, "NULL", place)]
    if isinstance(value, bytes):
        return [_token(TokenType.HEX_STRING, value.hex(), place)]
    if isinstance(value, int | float | Decimal):
        return _number(value, place)
    text = _time(value) if isinstance(value, timedelta) else str(value)
    return [_token(TokenType.STRING, text, place)]


def _number(value: float | Decimal, place: Token) -> list[Token]:
    text = f"{abs(value):f}" if isinstance(value, Decimal) else repr(abs(value))
    number = _token(TokenType.NUMBER, text, place)
    if value >= 0:
        return [number]
    opening, closing = _token(TokenType.L_PAREN, "(", place), _token(TokenType.R_PAREN, ")", place)
    return [opening, _token(TokenType.DASH, "-", place), number, closing]


def _time(value: timedelta) -> str:
    """MySQL's TIME: hours may pass 24, the sign stands in front."""
    micros = abs(value) // timedelta(microseconds=1)
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}{text}.{fraction:06}" if fraction else f"{sign}{text}"


def _token(kind: TokenType, text: str, place: Token) -> Token:
    return Token(kind, text, place.line, place.col, place.start, place.end)
