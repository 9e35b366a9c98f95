"""CREATE JOB, DROP JOB and ALTER JOB: what runs, and the words of when.

It reads every statement of a job, so that a wrong one is said at once; it binds none.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlglot import Token, TokenType

from proxy.errors import SyntaxFault, Unsupported, WrongSchedule
from proxy.sql.job_template import SAMPLE, fill
from proxy.sql.job_times import moment, period
from proxy.sql.masking import masked
from proxy.sql.ml_parser import parse_name
from proxy.sql.statements import (
    AlterJob,
    AlterSource,
    CreateEngine,
    CreateJob,
    CreateSource,
    DropJob,
    LoadData,
    Query,
    Statement,
    When,
)
from proxy.sql.tokens import Cursor, tokenize

_Parse = Callable[[str], Statement]

_KEYED: dict[type, str] = {
    CreateEngine: "CREATE ML_ENGINE",
    CreateSource: "CREATE DATABASE … ENGINE",
    AlterSource: "ALTER DATABASE",
}
_CLAUSES = ("EVERY", "CRON", "START", "END", "IF")
_CREATE, _REPLACE = ("CREATE", "JOB"), ("CREATE", "OR", "REPLACE", "JOB")


def parse_job(cursor: Cursor, parse: _Parse) -> Statement | None:
    """One of these statements, or None, with nothing read; `parse` reads a job's own statements.

    Raises SyntaxFault, Unsupported, WrongSchedule, and what `parse` raises.
    """
    words = cursor.words(4)
    if words[:2] == _CREATE or words == _REPLACE:
        return _create_job(cursor, parse)
    if words[:2] == ("DROP", "JOB"):
        return _drop_job(cursor)
    return _alter_job(cursor) if words[:2] == ("ALTER", "JOB") else None


def statements_of(query: str) -> list[str]:
    """The texts of a job's statements, without their semicolons. Raises SyntaxFault."""
    return [query[part[0].start : part[-1].end + 1] for part in parts_of(tokenize(query)) if part]


def parts_of(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens of the single statements: a semicolon ends one, unless it stands between a job's
    parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON and not (depth and _is_job(parts[-1])):
            parts.append([])
            depth = 0
        else:
            parts[-1].append(token)
            depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
    return parts


def _is_job(tokens: Sequence[Token]) -> bool:
    words = tuple(token.text.upper() for token in tokens[:4])
    return words[:2] == _CREATE or words == _REPLACE


def _create_job(cursor: Cursor, parse: _Parse) -> CreateJob:
    """CREATE [OR REPLACE] JOB [IF NOT EXISTS] name [AS] (statement; …), then the clauses in any
    order: EVERY, CRON, START, END, IF (query)."""
    cursor.expect("CREATE")
    or_replace = cursor.take("OR", "REPLACE")
    cursor.expect("JOB")
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = parse_name(cursor)
    cursor.take("AS")
    _require_closed(cursor)
    query = cursor.parenthesised()
    texts = statements_of(query)
    if not texts:
        raise cursor.fault()
    for text in texts:
        _check(text, parse)
    when, condition = _clauses(cursor)
    if condition is not None and not isinstance(_check(condition, parse), Query):
        raise Unsupported("IF (…) of a job takes a SELECT")
    return CreateJob(name, query, condition, when, or_replace, if_not_exists)


def _check(text: str, parse: _Parse) -> Statement:
    statement = parse(fill(text, SAMPLE))
    if isinstance(statement, CreateEngine | CreateSource | AlterSource):
        raise Unsupported(
            f"{_KEYED[type(statement)]} cannot stand in a job: its key would be shown with the job"
        )
    if isinstance(statement, LoadData):
        raise Unsupported("LOAD DATA cannot stand in a job: no client is there to send the file")
    if masked(text) != text:
        raise Unsupported("A password or key cannot stand in a job: it would be shown with the job")
    return statement


def _clauses(cursor: Cursor) -> tuple[When, str | None]:
    """When the job runs, and the query behind IF."""
    when, condition, seen = When(), None, set()
    while not cursor.done:
        clause = cursor.take_any(*_CLAUSES)
        if clause is None or clause in seen:
            raise cursor.fault()
        seen.add(clause)
        if clause == "IF":
            condition = cursor.parenthesised()
        else:
            when = _timed(when, clause, _text(cursor))
    if {"EVERY", "CRON"} <= seen:
        raise WrongSchedule("A job runs EVERY so often or by CRON, not both")
    return when, condition


def _text(cursor: Cursor) -> str:
    """What stands behind a clause's word, up to the next: a string, or bare words."""
    if not cursor.done and cursor.rest[0].token_type is TokenType.STRING:
        return cursor.string()
    words: list[str] = []
    while not cursor.done and cursor.words(1)[0] not in _CLAUSES:
        words.append(cursor.token().text)
    if not words:
        raise cursor.fault()
    return " ".join(words)


def _timed(when: When, clause: str, text: str) -> When:
    match clause:
        case "EVERY":
            every, unit = period(text)
            return replace(when, every=every, unit=unit)
        case "CRON":
            return replace(when, cron=text)
        case "START":
            return replace(when, start=moment(clause, text))
        case _:
            end = moment(clause, text)
            if end is None:
                raise WrongSchedule("END is in the past")
            return replace(when, end=end)


def _alter_job(cursor: Cursor) -> AlterJob:
    cursor.expect("ALTER", "JOB")
    name = parse_name(cursor)
    action = cursor.take_any("ENABLE", "DISABLE")
    if action is None:
        raise cursor.fault()
    cursor.end()
    return AlterJob(name, enable=action == "ENABLE")


def _require_closed(cursor: Cursor) -> None:
    """Raise SyntaxFault where the statements do not end: the usual reason is a client's."""
    depth = 0
    for token in cursor.rest:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth == 0:
            return
    raise SyntaxFault(
        "The parenthesis of CREATE JOB is not closed: a command line client sends all up to the "
        "first semicolon, unless DELIMITER says another word"
    )


def _drop_job(cursor: Cursor) -> DropJob:
    cursor.expect("DROP", "JOB")
    if_exists = cursor.take("IF", "EXISTS")
    name = parse_name(cursor)
    cursor.end()
    return DropJob(name, if_exists)
