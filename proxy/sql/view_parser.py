"""CREATE VIEW, ALTER VIEW and DROP VIEW, in MySQL's forms and MindsDB's.

It reads the SELECT of a view, so that a wrong one is said at once, and keeps its text; it binds
none.
"""

from collections.abc import Callable, Sequence

from sqlglot import Token, TokenType, exp

from proxy.errors import Unsupported, ViewVariable
from proxy.sql.ml_parser import parse_name, parse_rows
from proxy.sql.prediction_options import STATEMENT_OPTIONS
from proxy.sql.statements import AlterView, CreateView, DropView, Name, Query, Statement
from proxy.sql.tokens import Cursor, tokenize

_Parse = Callable[[str], Statement]

_VARIABLES = (exp.Parameter, exp.SessionParameter)
_CHECKED = (
    ("WITH", "CHECK", "OPTION"),
    ("CASCADED", "CHECK", "OPTION"),
    ("LOCAL", "CHECK", "OPTION"),
)


def parse_view(cursor: Cursor, parse: _Parse) -> Statement | None:
    """One of these statements, or None, with nothing read; `parse` reads a view's own SELECT.

    Raises SyntaxFault, Unsupported, ViewVariable, and what `parse` raises.
    """
    ahead = Cursor(cursor.sql, cursor.rest)
    verb = ahead.take_any("CREATE", "ALTER", "DROP")
    if verb is None:
        return None
    or_replace = verb == "CREATE" and ahead.take("OR", "REPLACE")
    if verb != "DROP":
        _skip_clauses(ahead)
    if not ahead.take("VIEW"):
        return None
    if verb == "DROP":
        return _drop(ahead)
    if verb == "ALTER":
        return AlterView(parse_name(ahead), _columns(ahead), *_definition(ahead, parse))
    if_not_exists = ahead.take("IF", "NOT", "EXISTS")
    name, columns = parse_name(ahead), _columns(ahead)
    return CreateView(name, columns, *_definition(ahead, parse), or_replace, if_not_exists)


def read_query(query: str, parse: _Parse) -> Query:
    """The SELECT of a view. Raises SyntaxFault, Unsupported, ViewVariable, and what `parse` does.

    Options of its models may stand behind USING; those of a statement are for whoever reads it.
    """
    if any(token.token_type is TokenType.PLACEHOLDER for token in tokenize(query)):
        raise _variable()
    statement = parse(query)
    if not isinstance(statement, Query):
        raise Unsupported("A view is made of a SELECT")
    if statement.tree.find(*_VARIABLES):
        raise _variable()
    _refuse_bounds(statement)
    return statement


def _skip_clauses(cursor: Cursor) -> None:
    """ALGORITHM = …, DEFINER = user, SQL SECURITY …, as mysqldump writes them: views are planned
    as is best, and there is one kind of user."""
    if cursor.take("ALGORITHM", "="):
        cursor.token()
    if cursor.take("DEFINER", "="):
        while cursor.words(1) not in ((), ("SQL",), ("VIEW",)):
            cursor.token()
    if cursor.take("SQL", "SECURITY"):
        cursor.token()


def _columns(cursor: Cursor) -> tuple[str, ...]:
    """`(name, …)`, or none."""
    if not cursor.take("("):
        return ()
    names = [cursor.name()]
    while cursor.take(","):
        names.append(cursor.name())
    cursor.expect(")")
    return tuple(names)


def _definition(cursor: Cursor, parse: _Parse) -> tuple[str, str | None]:
    """`AS SELECT …`, with or without parentheses: its text; or `FROM source (native query)`."""
    if cursor.take("FROM"):
        source, query = parse_rows(cursor)
        cursor.end()
        return query, source
    cursor.expect("AS")
    tokens = _bare(cursor.rest)
    if not tokens:
        raise cursor.fault()
    if tuple(token.text.upper() for token in tokens[-3:]) in _CHECKED:
        raise Unsupported("WITH CHECK OPTION is not supported: a view is not updatable")
    query = cursor.sql[tokens[0].start : tokens[-1].end + 1]
    read_query(query, parse)
    return query, None


def _bare(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens without parentheses around all of them."""
    while tokens and tokens[0].token_type is TokenType.L_PAREN and _closing(tokens) == len(tokens):
        tokens = tokens[1:-1]
    return tokens


def _closing(tokens: Sequence[Token]) -> int:
    """How many tokens there are up to the parenthesis that closes the first."""
    depth = 0
    for at, token in enumerate(tokens, 1):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth == 0:
            return at
    return 0


def _drop(cursor: Cursor) -> DropView:
    """DROP VIEW [IF EXISTS] name, … [RESTRICT | CASCADE]: as in MySQL these two do nothing."""
    if_exists = cursor.take("IF", "EXISTS")
    names: list[Name] = [parse_name(cursor)]
    while cursor.take(","):
        names.append(parse_name(cursor))
    cursor.take_any("RESTRICT", "CASCADE")
    cursor.end()
    return DropView(tuple(names), if_exists)


def _refuse_bounds(statement: Query) -> None:
    for option in STATEMENT_OPTIONS:
        if getattr(statement.options, option.name) is not None:
            raise Unsupported(
                f"Option '{option.name}' is one of a statement: "
                "give it to the SELECT that reads the view"
            )


def _variable() -> ViewVariable:
    return ViewVariable("View's SELECT contains a variable or parameter")
