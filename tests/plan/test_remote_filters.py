"""Sources that only filter are told comparisons of columns with literals, and nothing else."""

import pytest

from proxy.plan.remote.filters import FiltersDialect
from proxy.plan.remote.scope import Output, Scope, Unlike, item_of
from proxy.sql.parser import parse
from proxy.sql.statements import Query

SAID = {
    "ID > 3": '"t"."id" > 3',
    "t.name = 'it''s' AND NOT id IN (1, -2)": (
        '"t"."name" = \'it\'\'s\' AND NOT "t"."id" IN (1, -2)'
    ),
    "(id BETWEEN 1 AND 5 OR name IS NULL)": '("t"."id" BETWEEN 1 AND 5 OR "t"."name" IS NULL)',
}
UNSAID = (
    "id = id",
    "UPPER(name) = 'X'",
    "id + 1 = 2",
    "name LIKE 'a%'",
    "id = (SELECT 1)",
    "id IN (SELECT 1)",
    "id = CAST('1' AS SIGNED)",
    "name = 'a\0b'",
    "other.id = 1",
)


def told(condition: str) -> str:
    statement = parse(f"SELECT 1 FROM t WHERE {condition}")
    assert isinstance(statement, Query)
    scope = Scope()
    scope.add(item_of("t", [Output("id", "INTEGER"), Output("name", "VARCHAR")]))
    dialect = FiltersDialect({})
    return dialect.text(dialect.condition(statement.tree.args["where"].this, scope))


@pytest.mark.parametrize("condition", SAID)
def test_a_comparison_with_literals_is_told(condition: str) -> None:
    assert told(condition) == SAID[condition]


@pytest.mark.parametrize("condition", UNSAID)
def test_what_is_more_is_not(condition: str) -> None:
    with pytest.raises(Unlike):
        told(condition)
