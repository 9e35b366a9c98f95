"""RETRAIN, ALTER, RENAME and DROP of models, and which of their versions is active.

It knows the grammar; whether a model or its version is there, it does not.
"""

from collections.abc import Callable

from proxy.errors import Unsupported
from proxy.sql.ml_parser import parse_name, parse_source
from proxy.sql.options import parse_options
from proxy.sql.statements import (
    ActivateVersion,
    ChangeModel,
    DropModel,
    ModelName,
    RenameModel,
    RetrainModel,
    Statement,
)
from proxy.sql.targets import parse_targets
from proxy.sql.tokens import Cursor

_MODEL = ("MODEL", "PREDICTOR")


def parse_model(cursor: Cursor) -> Statement | None:
    """One of these statements, or None, with nothing read. Raises SyntaxFault, Unsupported."""
    if _sets_active(cursor):
        return _set_active(cursor)
    words = cursor.words(2)
    parse = _PARSERS.get(words) or _PARSERS.get(words[:1])
    return parse(cursor) if parse else None


def parse_model_name(cursor: Cursor) -> ModelName:
    """`model`, with its database in front and a version behind, if need be."""
    parts = [cursor.name()]
    while cursor.take("."):
        parts.append(cursor.name())
    return tuple(parts)


def _retrain(cursor: Cursor) -> RetrainModel:
    """RETRAIN [MODEL] model [FROM database (query)] [PREDICT targets] [[USING] options]."""
    cursor.expect("RETRAIN")
    _take_kind(cursor)
    name = parse_model_name(cursor)
    source, query = parse_source(cursor)
    targets = parse_targets(cursor) if cursor.take("PREDICT") else ()
    return RetrainModel(name, targets, parse_options(cursor), source, query)


def _alter(cursor: Cursor) -> Statement:
    """ALTER MODEL model SET ACTIVE [=] version | RENAME [TO] name | USING options."""
    cursor.expect("ALTER")
    cursor.take_any(*_MODEL)
    name = parse_model_name(cursor)
    if cursor.take("SET", "ACTIVE"):
        cursor.take("=")
        activated = ActivateVersion((*name, cursor.token().text))
        cursor.end()
        return activated
    if cursor.take("RENAME"):
        return _renamed(cursor, name)
    if cursor.words(1) != ("USING",):
        raise cursor.fault()
    return ChangeModel(name, parse_options(cursor))


def _rename(cursor: Cursor) -> RenameModel:
    """RENAME MODEL model TO name."""
    cursor.expect("RENAME")
    cursor.take_any(*_MODEL)
    return _renamed(cursor, parse_model_name(cursor))


def _renamed(cursor: Cursor, name: ModelName) -> RenameModel:
    cursor.take_any("TO", "AS")
    new = parse_name(cursor)
    cursor.end()
    return RenameModel(name, new)


def _rename_table(cursor: Cursor) -> Statement:
    raise Unsupported("RENAME TABLE is not supported: use ALTER TABLE … RENAME TO")


def _drop(cursor: Cursor) -> DropModel:
    """DROP MODEL [IF EXISTS] model."""
    cursor.expect("DROP")
    cursor.take_any(*_MODEL)
    if_exists = cursor.take("IF", "EXISTS")
    name = parse_model_name(cursor)
    cursor.end()
    return DropModel(name, if_exists)


def _sets_active(cursor: Cursor) -> bool:
    """Whether it is SET active …, or SET model.version = active."""
    words = cursor.words(len(cursor.rest))
    if words[:1] != ("SET",):
        return False
    return words[1:2] in (("ACTIVE",), ("MODEL_ACTIVE",)) or (
        words[-2:] == ("=", "ACTIVE") and "." in words
    )


def _set_active(cursor: Cursor) -> ActivateVersion:
    """SET active [=] model.version (or model_active), SET model.version = active: MindsDB's."""
    cursor.expect("SET")
    if cursor.take_any("ACTIVE", "MODEL_ACTIVE"):
        cursor.take("=")
        name = parse_model_name(cursor)
    else:
        name = parse_model_name(cursor)
        cursor.expect("=", "ACTIVE")
    cursor.end()
    return ActivateVersion(name)


def _take_kind(cursor: Cursor) -> None:
    """The word MODEL, which may be left out, and may be a model's name."""
    if cursor.words(2)[1:] not in ((), (".",), ("FROM",), ("PREDICT",), ("USING",)):
        cursor.take_any(*_MODEL)


_PARSERS: dict[tuple[str, ...], Callable[[Cursor], Statement]] = {
    ("RETRAIN",): _retrain,
    ("RENAME", "TABLE"): _rename_table,
    **dict.fromkeys((("ALTER", word) for word in _MODEL), _alter),
    **dict.fromkeys((("RENAME", word) for word in _MODEL), _rename),
    **dict.fromkeys((("DROP", word) for word in _MODEL), _drop),
}
