"""DROP CACHE, CREATE BUDGET and DROP BUDGET: what answers may cost, and what is kept of them.

It knows the grammar; whether a user, a model or an engine is there, it does not.
"""

from collections.abc import Callable, Mapping

from sqlglot import TokenType

from engines.base import Option
from engines.errors import OptionError
from engines.options import check_options
from engines.task import Value
from proxy.sql.ml_parser import parse_name
from proxy.sql.options import parse_options
from proxy.sql.statements import CreateBudget, DropBudget, DropCache, Name, Statement
from proxy.sql.tokens import Cursor

_MAXIMA = (
    Option("max_calls", (int,), "most calls of a day"),
    Option("max_tokens", (int,), "most tokens of a day, of prompts and answers together"),
    Option("max_cost", (float,), "most that the calls of a day may cost"),
)


def parse_money(cursor: Cursor) -> Statement | None:
    """One of these statements, or None, with nothing read. Raises SyntaxFault, OptionError."""
    parse = _PARSERS.get(cursor.words(2))
    return parse(cursor) if parse else None


def _drop_cache(cursor: Cursor) -> DropCache:
    """DROP CACHE [FOR [MODEL] [database.]model]."""
    cursor.expect("DROP", "CACHE")
    model = None
    if cursor.take("FOR"):
        cursor.take("MODEL")
        model = parse_name(cursor)
    cursor.end()
    return DropCache(model)


def _create_budget(cursor: Cursor) -> CreateBudget:
    """CREATE BUDGET [IF NOT EXISTS] name [FOR USER 'u' | MODEL m | ENGINE e] USING max_… = …."""
    cursor.expect("CREATE", "BUDGET")
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = cursor.name()
    user, model, engine = _scope(cursor)
    maxima = _maxima(name, parse_options(cursor))
    return CreateBudget(name, if_not_exists, user, model, engine, **maxima)  # type: ignore[arg-type] # by the types of _MAXIMA


def _scope(cursor: Cursor) -> tuple[str | None, Name | None, str | None]:
    if not cursor.take("FOR"):
        return None, None, None
    match cursor.take_any("USER", "MODEL", "ENGINE", "ML_ENGINE"):
        case "USER":
            quoted = [token.token_type for token in cursor.rest[:1]] == [TokenType.STRING]
            return (cursor.string() if quoted else cursor.name()), None, None
        case "MODEL":
            return None, parse_name(cursor), None
        case None:
            raise cursor.fault()
        case _:
            return None, None, cursor.name()


def _maxima(name: str, given: Mapping[str, Value]) -> dict[str, Value]:
    maxima = check_options(_MAXIMA, given, f"budget {name}")
    if not maxima:
        raise OptionError(f"budget {name} needs max_calls, max_tokens or max_cost")
    for option, value in maxima.items():
        if not (isinstance(value, int | float) and 0 < value < 2**63):
            raise OptionError(
                f"option '{option}' of budget {name} takes a number above 0, not {value}"
            )
    return maxima


def _drop_budget(cursor: Cursor) -> DropBudget:
    cursor.expect("DROP", "BUDGET")
    if_exists = cursor.take("IF", "EXISTS")
    name = cursor.name()
    cursor.end()
    return DropBudget(name, if_exists)


_PARSERS: dict[tuple[str, ...], Callable[[Cursor], Statement]] = {
    ("DROP", "CACHE"): _drop_cache,
    ("CREATE", "BUDGET"): _create_budget,
    ("DROP", "BUDGET"): _drop_budget,
}
