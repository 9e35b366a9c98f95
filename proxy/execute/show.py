"""SHOW and DESCRIBE as SELECTs over information_schema, so that LIKE and WHERE just work."""

from sqlglot import exp, parse_one

from proxy.errors import Unsupported
from proxy.sql.statements import Show
from proxy.sql.tokens import DIALECT

_COLUMNS = (
    "SELECT COLUMN_NAME AS `Field`, COLUMN_TYPE AS `Type`, IS_NULLABLE AS `Null`, "
    "COLUMN_KEY AS `Key`, COLUMN_DEFAULT AS `Default`, EXTRA AS `Extra` "
    "FROM information_schema.COLUMNS "
    "WHERE TABLE_SCHEMA = :database AND lower(TABLE_NAME) = lower(:table) "
    "ORDER BY ORDINAL_POSITION"
)
_FULL_COLUMNS = (
    "SELECT COLUMN_NAME AS `Field`, COLUMN_TYPE AS `Type`, COLLATION_NAME AS `Collation`, "
    "IS_NULLABLE AS `Null`, COLUMN_KEY AS `Key`, COLUMN_DEFAULT AS `Default`, EXTRA AS `Extra`, "
    "PRIVILEGES AS `Privileges`, COLUMN_COMMENT AS `Comment` FROM information_schema.COLUMNS "
    "WHERE TABLE_SCHEMA = :database AND lower(TABLE_NAME) = lower(:table) "
    "ORDER BY ORDINAL_POSITION"
)
_TABLE_STATUS = (
    "SELECT TABLE_NAME AS `Name`, ENGINE AS `Engine`, VERSION AS `Version`, "
    "ROW_FORMAT AS `Row_format`, TABLE_ROWS AS `Rows`, CAST(NULL AS SIGNED) AS `Avg_row_length`, "
    "CAST(NULL AS SIGNED) AS `Data_length`, CAST(NULL AS SIGNED) AS `Max_data_length`, "
    "CAST(NULL AS SIGNED) AS `Index_length`, CAST(NULL AS SIGNED) AS `Data_free`, "
    "CAST(NULL AS SIGNED) AS `Auto_increment`, CAST(NULL AS DATETIME) AS `Create_time`, "
    "CAST(NULL AS DATETIME) AS `Update_time`, CAST(NULL AS DATETIME) AS `Check_time`, "
    "TABLE_COLLATION AS `Collation`, CAST(NULL AS SIGNED) AS `Checksum`, "
    "'' AS `Create_options`, IF(TABLE_TYPE = 'VIEW', 'VIEW', TABLE_COMMENT) AS `Comment` "
    "FROM information_schema.TABLES WHERE TABLE_SCHEMA = :database ORDER BY 1"
)
_INDEX = (
    "SELECT TABLE_NAME AS `Table`, NON_UNIQUE AS `Non_unique`, INDEX_NAME AS `Key_name`, "
    "SEQ_IN_INDEX AS `Seq_in_index`, COLUMN_NAME AS `Column_name`, COLLATION AS `Collation`, "
    "CARDINALITY AS `Cardinality`, SUB_PART AS `Sub_part`, PACKED AS `Packed`, "
    "NULLABLE AS `Null`, INDEX_TYPE AS `Index_type`, COMMENT AS `Comment`, "
    "INDEX_COMMENT AS `Index_comment`, IS_VISIBLE AS `Visible`, EXPRESSION AS `Expression` "
    "FROM information_schema.STATISTICS "
    "WHERE TABLE_SCHEMA = :database AND lower(TABLE_NAME) = lower(:table) "
    "ORDER BY INDEX_NAME <> 'PRIMARY', NON_UNIQUE, INDEX_NAME, SEQ_IN_INDEX"
)
_VARIABLES = (
    "SELECT VARIABLE_NAME AS `Variable_name`, VARIABLE_VALUE AS `Value` FROM information_schema."
)
_WARNINGS = (
    "SELECT LEVEL AS `Level`, CODE AS `Code`, MESSAGE AS `Message` "
    "FROM information_schema.SESSION_WARNINGS"
)
_PROCESSES = (
    "SELECT ID AS `Id`, USER AS `User`, HOST AS `Host`, DB AS `db`, COMMAND AS `Command`, "
    "TIME AS `Time`, STATE AS `State`, {info} AS `Info`, "
    "CAST(CASE MAX_STAGE WHEN 0 THEN 0 ELSE (STAGE - 1 + PROGRESS / 100) * 100 / MAX_STAGE END "
    "AS DECIMAL(7, 3)) AS `Progress` FROM information_schema.PROCESSLIST ORDER BY 1"
)
"""Progress is that of all stages together, each of the same weight, as MariaDB counts."""

_VIEWS = (
    "SELECT TABLE_NAME AS NAME, TABLE_SCHEMA AS PROJECT, VIEW_DEFINITION AS QUERY "
    "FROM information_schema.VIEWS"
)
_VERSIONS = (
    "SELECT * FROM information_schema.MODELS_VERSIONS WHERE PROJECT = :database AND NAME = :table"
)

# kind → (the SELECT, the column that LIKE looks at)
_SELECTS: dict[str, tuple[str, str]] = {
    "DATABASES": (
        "SELECT SCHEMA_NAME AS `Database` FROM information_schema.SCHEMATA ORDER BY 1",
        "Database",
    ),
    "FULL DATABASES": (
        "SELECT NAME AS `Database`, TYPE, ENGINE FROM information_schema.DATABASES ORDER BY 1",
        "Database",
    ),
    "DATA SOURCES": (
        "SELECT NAME, ENGINE, STATE, ERROR, STATE_SINCE, TABLES, TABLES_READ_AT "
        "FROM information_schema.DATA_SOURCES ORDER BY 1",
        "NAME",
    ),
    "TABLES": (
        "SELECT TABLE_NAME AS `:tables` FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = :database ORDER BY 1",
        ":tables",
    ),
    "FULL TABLES": (
        "SELECT TABLE_NAME AS `:tables`, TABLE_TYPE AS `Table_type` "
        "FROM information_schema.TABLES WHERE TABLE_SCHEMA = :database ORDER BY 1",
        ":tables",
    ),
    "TABLE STATUS": (_TABLE_STATUS, "Name"),
    "INDEX": (_INDEX, "Key_name"),
    "COLUMNS": (_COLUMNS, "Field"),
    "FULL COLUMNS": (_FULL_COLUMNS, "Field"),
    "VARIABLES": (f"{_VARIABLES}SESSION_VARIABLES ORDER BY 1", "Variable_name"),
    "GLOBAL VARIABLES": (f"{_VARIABLES}GLOBAL_VARIABLES ORDER BY 1", "Variable_name"),
    "STATUS": (f"{_VARIABLES}SESSION_STATUS ORDER BY 1", "Variable_name"),
    "WARNINGS": (_WARNINGS, "Message"),
    "ERRORS": (f"{_WARNINGS} WHERE LEVEL = 'Error'", "Message"),
    "PROCESSLIST": (_PROCESSES.format(info="left(INFO, 100)"), "User"),
    "FULL PROCESSLIST": (_PROCESSES.format(info="INFO"), "User"),
    "ENGINES": (
        "SELECT ENGINE AS `Engine`, SUPPORT AS `Support`, COMMENT AS `Comment`, "
        "TRANSACTIONS AS `Transactions`, XA AS `XA`, SAVEPOINTS AS `Savepoints` "
        "FROM information_schema.ENGINES",
        "Engine",
    ),
    "CHARACTER SET": (
        "SELECT CHARACTER_SET_NAME AS `Charset`, DESCRIPTION AS `Description`, "
        "DEFAULT_COLLATE_NAME AS `Default collation`, MAXLEN AS `Maxlen` "
        "FROM information_schema.CHARACTER_SETS",
        "Charset",
    ),
    "COLLATION": (
        "SELECT COLLATION_NAME AS `Collation`, CHARACTER_SET_NAME AS `Charset`, ID AS `Id`, "
        "IS_DEFAULT AS `Default`, IS_COMPILED AS `Compiled`, SORTLEN AS `Sortlen`, "
        "PAD_ATTRIBUTE AS `Pad_attribute` FROM information_schema.COLLATIONS",
        "Collation",
    ),
    "ML_ENGINES": ("SELECT * FROM information_schema.ML_ENGINES ORDER BY 1", "NAME"),
    "HANDLERS": ("SELECT * FROM information_schema.HANDLERS ORDER BY 1", "NAME"),
    "BUDGETS": ("SELECT * FROM information_schema.BUDGETS ORDER BY 1", "NAME"),
    "CACHE": ("SELECT * FROM information_schema.MODEL_CACHE ORDER BY 1", "MODEL"),
    "MODELS": ("SELECT * FROM information_schema.MODELS ORDER BY PROJECT, NAME", "NAME"),
    "JOBS": ("SELECT * FROM information_schema.JOBS ORDER BY PROJECT, NAME", "NAME"),
    "VIEWS": (f"{_VIEWS} ORDER BY PROJECT, NAME", "NAME"),
    "PROJECT VIEWS": (f"{_VIEWS} WHERE TABLE_SCHEMA = :database ORDER BY NAME", "NAME"),
    "PROJECT JOBS": (
        "SELECT * FROM information_schema.JOBS WHERE PROJECT = :database ORDER BY NAME",
        "NAME",
    ),
    "VERSION": (f"{_VERSIONS} AND VERSION = :version", "NAME"),
    "VERSIONS": (f"{_VERSIONS} ORDER BY VERSION", "NAME"),
    "USAGE": (
        "SELECT CAST(STARTED_AT AS DATE) AS DAY, SUM(CALLS) AS CALLS, SUM(CACHED) AS CACHED, "
        "SUM(FAILED) AS FAILED, SUM(PROMPT_TOKENS) AS PROMPT_TOKENS, "
        "SUM(COMPLETION_TOKENS) AS COMPLETION_TOKENS, SUM(COST) AS COST "
        "FROM information_schema.MODEL_USAGE WHERE PROJECT = :database AND MODEL = :table "
        "GROUP BY 1 ORDER BY 1 DESC",
        "DAY",
    ),
    "PROJECT MODELS": (
        "SELECT * FROM information_schema.MODELS WHERE PROJECT = :database ORDER BY NAME",
        "NAME",
    ),
}


def select_of(
    show: Show, database: str | None, table: str | None, version: int | None = None
) -> exp.Query:
    """The SELECT that answers a SHOW, unbound. `database` and `table`, or a model and its
    `version`, are what it is about."""
    kind = _variant(show)
    if kind not in _SELECTS:
        raise Unsupported(f"SHOW {show.kind} is not supported")
    text, subject = _SELECTS[kind]
    label = f"Tables_in_{database}" + (f" ({show.like})" if show.like else "")
    named = {":tables": label}
    about = {"database": database, "table": table, "version": version}
    query = parse_one(text, dialect=DIALECT)
    assert isinstance(query, exp.Query)
    for node in list(query.find_all(exp.Placeholder)):
        node.replace(exp.convert(about[node.name]))
    for item in query.selects:
        if item.alias in named:
            item.set("alias", exp.to_identifier(named[item.alias], quoted=True))
    return _filtered(query, show, named.get(subject, subject))


def _variant(show: Show) -> str:
    if show.kind == "VARIABLES" and show.scope == "GLOBAL":
        return "GLOBAL VARIABLES"
    if show.kind in ("MODELS", "JOBS", "VIEWS") and show.source is not None:
        return f"PROJECT {show.kind}"
    if show.kind in ("DATABASES", "TABLES", "COLUMNS", "PROCESSLIST") and show.full:
        return f"FULL {show.kind}"
    return show.kind


def _filtered(query: exp.Query, show: Show, subject: str) -> exp.Query:
    if show.like is None and show.where is None and show.limit is None:
        return query
    outer = exp.select("*").from_(exp.Subquery(this=query, alias=exp.to_identifier("s")))
    if show.like is not None:
        like = exp.ILike(
            this=exp.column(exp.to_identifier(subject, quoted=True)),
            expression=exp.Literal.string(show.like),
        )
        outer = outer.where(exp.Escape(this=like, expression=exp.Literal.string("\\")))
    if show.where is not None:
        outer = outer.where(exp.Paren(this=show.where))
    if show.limit is not None:
        count, offset = show.limit
        outer = outer.limit(count).offset(offset)
    return outer
