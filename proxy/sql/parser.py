"""From a client's text to statements: ours by our own parsers, all other SQL by sqlglot.

What neither knows is refused; nothing is guessed.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlglot import Token, TokenType, exp
from sqlglot.errors import ParseError

from proxy.errors import EmptyQuery, SyntaxFault, Unsupported
from proxy.sql.evaluate_parser import parse_evaluate
from proxy.sql.having import having_as_where
from proxy.sql.hints import without_hints
from proxy.sql.jobs_parser import parse_job, parts_of
from proxy.sql.labels import label_columns
from proxy.sql.load_parser import parse_load
from proxy.sql.ml_parser import parse_ml
from proxy.sql.model_parser import parse_model
from proxy.sql.money_parser import parse_money
from proxy.sql.native_query import mark_natives
from proxy.sql.prediction_options import options_start, read_options
from proxy.sql.set_parser import parse_set
from proxy.sql.show_parser import parse_describe, parse_kill, parse_show, parse_use
from proxy.sql.source_parser import parse_execute, parse_source_statement
from proxy.sql.statements import (
    Explain,
    Modify,
    PredictionOptions,
    Query,
    Statement,
    Transaction,
)
from proxy.sql.tokens import DIALECT, Cursor, syntax_fault, tokenize
from proxy.sql.tuning_parser import parse_tuning
from proxy.sql.view_parser import parse_view

# sqlglot warns of every statement that it keeps as text; such a statement is refused below.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_MODIFY = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Create,
    exp.Alter,
    exp.Drop,
    exp.TruncateTable,
)
_CREATED = frozenset({"TABLE"})
_QUERY_STARTS = frozenset({"SELECT", "WITH", "(", "VALUES", "TABLE"})


def split(sql: str) -> list[str]:
    """The texts of the single statements, without their semicolons; empty ones are left out."""
    return [sql[part[0].start : part[-1].end + 1] for part in parts_of(tokenize(sql)) if part]


def parse(sql: str) -> Statement:
    """One statement. Raises SyntaxFault, or Unsupported for what is SQL and not offered, or
    EmptyQuery."""
    tokens = one_statement(sql)
    for token in tokens:
        if token.token_type is TokenType.PLACEHOLDER:
            raise syntax_fault(sql[token.start :], token.line)
    return parse_tokens(sql, tokens)


def one_statement(sql: str) -> list[Token]:
    """The tokens of a text's only statement. Raises SyntaxFault, EmptyQuery."""
    parts = [part for part in parts_of(tokenize(sql)) if part]
    if not parts:
        raise EmptyQuery("Query was empty")
    if len(parts) > 1:
        raise syntax_fault(sql[parts[1][0].start :], parts[1][0].line)
    return parts[0]


def parse_tokens(sql: str, tokens: Sequence[Token]) -> Statement:
    """One statement from its tokens; `sql` is the text that they point into."""
    cursor = Cursor(sql, tokens)
    own = (
        parse_source_statement(cursor)
        or parse_ml(cursor)
        or parse_model(cursor)
        or parse_money(cursor)
        or parse_tuning(cursor)
        or parse_job(cursor, parse)
        or parse_view(cursor, parse)
    )
    if own is not None:
        return own
    first = cursor.words(1)[0]
    if first in _OWN:
        return _OWN[first](cursor)
    return _parse_sql(sql, tokens)


def _parse_sql(sql: str, tokens: Sequence[Token]) -> Statement:
    tokens = without_hints(tokens)
    at = options_start(tokens)
    statement = _parse_plain(sql, tokens[:at])
    options = read_options(sql, tokens[at:])
    if at == len(tokens) and options == PredictionOptions():
        return statement
    if isinstance(statement, Query) or (isinstance(statement, Modify) and _runs_select(statement)):
        return replace(statement, options=options)
    raise Unsupported("USING … is for statements that run a SELECT")


def _runs_select(statement: Modify) -> bool:
    """Whether a SELECT runs with it, or what may be a model."""
    return statement.tree.find(exp.Query, exp.Anonymous) is not None


def _parse_plain(sql: str, tokens: Sequence[Token]) -> Statement:
    tree = _tree(sql, tokens)
    if isinstance(tree, exp.Query):
        return Query(label_columns(tree, sql, tokens))
    if isinstance(tree, _MODIFY):
        made = tree.args.get("expression")
        if isinstance(tree, exp.Create) and isinstance(made, exp.Query):
            label_columns(made, sql, tokens)
        return Modify(_offered(tree))
    if isinstance(tree, exp.Transaction | exp.Commit | exp.Rollback):
        return _transaction(tree)
    if isinstance(tree, exp.Command):
        words = " ".join(Cursor(sql, tokens).words(2)).strip()
        raise Unsupported(f"{words or tree.name.upper()} is not supported")
    raise syntax_fault(sql[tokens[0].start :], tokens[0].line)


def _tree(sql: str, tokens: Sequence[Token]) -> exp.Expr | None:
    """sqlglot's tree, without parentheses around it; None where it sees no statement at all."""
    try:
        tree = next(iter(DIALECT.parser().parse(list(tokens), sql)), None)
    except ParseError as error:
        raise _fault(error) from error
    if not isinstance(tree, exp.Expr):
        return None
    if tree.find(exp.Into):  # sqlglot would make a CREATE TABLE of it
        raise Unsupported("SELECT … INTO is not supported")
    mark_natives(tree, sql)
    for select in list(tree.find_all(exp.Select)):
        having_as_where(select)
    return tree.unnest() if isinstance(tree, exp.Subquery) else tree


def _offered(tree: exp.Expr) -> exp.Expr:
    if isinstance(tree, exp.Create | exp.Drop | exp.Alter):
        kind = str(tree.args.get("kind", "")).upper()
        if kind not in _CREATED:
            raise Unsupported(f"{tree.key.upper()} {kind} is not supported")
        if tree.find(exp.TemporaryProperty):
            raise Unsupported("CREATE TEMPORARY TABLE is not supported")
    return tree


def _transaction(tree: exp.Expr) -> Transaction:
    if isinstance(tree, exp.Rollback) and tree.args.get("savepoint"):
        raise Unsupported("SAVEPOINT is not supported")
    return Transaction({"transaction": "BEGIN"}.get(tree.key, tree.key.upper()))


def _fault(error: ParseError) -> SyntaxFault:
    """sqlglot's error in MySQL's words: the text from the token that it stumbled over."""
    details = error.errors[0] if error.errors else {}
    near = f"{details.get('highlight') or ''}{details.get('end_context') or ''}"
    return syntax_fault(near, int(details.get("line") or 1))


def _explain(cursor: Cursor) -> Statement:
    cursor.token()
    analyze = cursor.take("ANALYZE")
    if not _QUERY_STARTS.intersection(cursor.words(1)):
        if cursor.take("FORMAT"):
            raise Unsupported("EXPLAIN FORMAT is not supported")
        if analyze:
            raise Unsupported("EXPLAIN ANALYZE takes a SELECT")
        return parse_describe(cursor)
    statement = _parse_sql(cursor.sql, cursor.rest)
    if not isinstance(statement, Query):
        raise Unsupported("EXPLAIN takes a SELECT")
    return Explain(statement, analyze)


def _start(cursor: Cursor) -> Statement:
    """START TRANSACTION in all its forms: every transaction is a consistent snapshot."""
    cursor.expect("START", "TRANSACTION")
    read_only = cursor.take("READ", "ONLY")
    if not read_only and not cursor.take("WITH", "CONSISTENT", "SNAPSHOT"):
        cursor.take("READ", "WRITE")
    cursor.end()
    return Transaction("BEGIN", read_only)


def _savepoint(cursor: Cursor) -> Statement:
    raise Unsupported(f"{cursor.words(1)[0]} is not supported: a transaction has no savepoints")


_OWN: dict[str, Callable[[Cursor], Statement]] = {
    "START": _start,
    "SAVEPOINT": _savepoint,
    "RELEASE": _savepoint,
    "SHOW": parse_show,
    "DESCRIBE": _explain,
    "DESC": _explain,
    "EXPLAIN": _explain,
    "EXECUTE": parse_execute,
    "EVALUATE": lambda cursor: parse_evaluate(cursor, _parse_sql),
    "KILL": parse_kill,
    "LOAD": parse_load,
    "USE": parse_use,
    "SET": parse_set,
}
