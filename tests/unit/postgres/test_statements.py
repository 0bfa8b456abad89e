"""Plans say what SQLAlchemy itself would say: the same SQL and the same values, whatever the statement at hand carries."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Boolean, ClauseElement, LargeBinary, bindparam, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.compiler import SQLCompiler

from src.adapters.postgres.connection import Row
from src.adapters.postgres.statements import planned, planned_for_many
from src.adapters.postgres.tables import customers, metadata, quote_counters, quotes, users

_DIALECT = dialects.dialect()  # type: ignore[no-untyped-call]  # It is not typed.
_words, _numbers = st.text(max_size=5), st.integers(0, 9)

STATEMENTS: dict[str, Callable[[UUID, str, int], ClauseElement]] = {
    "a page": lambda one, word, number: (
        select(quotes)
        .where(quotes.c.organization_id == one, func.strpos(quotes.c.searched, word) > number)
        .order_by(quotes.c.id)
        .limit(number)
        .offset(number + 1)
    ),
    "the same value twice": lambda one, word, _: select(users).where(
        (users.c.email == word) | (users.c.name == word), users.c.id == one
    ),
    "a list as one value": lambda one, word, _: select(users).where(users.c.email == func.any([word, str(one)])),
    "a tuple": lambda one, _, number: select(quotes.c.id).where(
        tuple_(quotes.c.version, quotes.c.id) < tuple_(number, one)
    ),
    "an update": lambda one, word, number: (
        update(quotes)
        .where(quotes.c.id == one, quotes.c.version == number)
        .values(version=number + 1, title=word, status="draft")
    ),
    "an update of what it reads": lambda _, word, number: (
        update(quotes).where(quotes.c.title == word).values(title=word, version=quotes.c.version + number)
    ),
    "a deletion": lambda one, _, number: delete(quotes).where(quotes.c.id == one, quotes.c.version > number),
    "an insert or update": lambda one, _, number: (
        insert(quote_counters)
        .values(organization_id=one, year=number, counter=1)
        .on_conflict_do_update(
            index_elements=[quote_counters.c.organization_id, quote_counters.c.year],
            set_={"counter": quote_counters.c.counter + number},
        )
        .returning(quote_counters.c.counter)
    ),
    "a list that is spread": lambda one, word, number: select(quotes.c.id).where(
        quotes.c.status.in_([word] * number), quotes.c.id == one
    ),
}


def _as_sqlalchemy(statement: ClauseElement) -> tuple[str, list[Any]]:
    """Compiled for this statement alone."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)
    return compiled.string, [compiled.params[name] for name in compiled.positiontup or ()]


@pytest.mark.parametrize("kind", STATEMENTS)
@given(one=st.uuids(), word=_words, number=_numbers)
def test_any_statement_is_planned_as_if_it_were_compiled_alone(kind: str, one: UUID, word: str, number: int) -> None:
    statement = STATEMENTS[kind](one, word, number)

    plan, values = planned(statement, {})

    assert (plan.sql, values) == _as_sqlalchemy(statement)


def test_parameters_come_before_what_the_statement_carries() -> None:
    statement = select(quotes.c.id).where(quotes.c.id == bindparam("quote", uuid4()), quotes.c.version == 3)
    wanted = uuid4()

    _, values = planned(statement, {"quote": wanted})

    assert values == [wanted, 3]


def test_a_missing_parameter_is_told() -> None:
    with pytest.raises(InvalidRequestError, match="wanted"):
        planned(text("SELECT :wanted"), {})


@pytest.mark.parametrize("statement", [insert(quote_counters), update(quote_counters)])
def test_a_value_that_no_column_takes_is_told(statement: ClauseElement) -> None:
    row = {"organization_id": uuid4(), "year": 2026, "counter": 1}
    planned(statement, row)

    with pytest.raises(InvalidRequestError, match="nowhere"):
        planned(statement, row | {"nowhere": 1})


def test_no_value_of_one_statement_stays_for_the_next() -> None:
    first, second = uuid4(), uuid4()

    planned(select(quotes.c.id).where(quotes.c.id == first), {})
    _, values = planned(select(quotes.c.id).where(quotes.c.id == second), {})

    assert values == [second]


def test_rows_are_planned_by_the_columns_that_they_name() -> None:
    rows = [{"year": year, "counter": 1, "organization_id": uuid4()} for year in (1, 2)]

    plan, values = planned_for_many(insert(quote_counters), rows)

    assert plan.sql.startswith("INSERT INTO proffer.quote_counters (organization_id, year, counter)")
    assert values == [[row["organization_id"], row["year"], 1] for row in rows]


def test_a_list_that_is_spread_is_refused_for_many_rows() -> None:
    statement = update(quotes).where(quotes.c.status.in_(["draft"])).values(version=bindparam("next"))

    with pytest.raises(InvalidRequestError, match="many rows"):
        planned_for_many(statement, [{"next": 1}, {"next": 2}])


@pytest.mark.parametrize(
    ("statement", "has_rows"),
    [
        (text("SELECT 1"), True),
        (text("WITH a AS (SELECT 1) SELECT * FROM a"), True),
        (text(" insert INTO a VALUES (1)"), False),
        (text("DELETE FROM a\nWHERE b RETURNING b"), True),
        (select(users), True),
        (insert(quote_counters).values(organization_id=uuid4(), year=1, counter=1), False),
        (delete(users).returning(users.c.id), True),
    ],
)
def test_what_answers_with_rows_is_known(statement: ClauseElement, *, has_rows: bool) -> None:
    plan, _ = planned(statement, {})

    assert plan.has_rows is has_rows


def test_the_driver_gives_every_column_as_it_is_wanted() -> None:
    """Nothing translates what comes back, so no column may need it."""
    kinds = {type(column.type) for table in metadata.tables.values() for column in table.c}

    for kind in kinds - {LargeBinary}:  # Bytes are bytes.
        assert kind().dialect_impl(_DIALECT).result_processor(_DIALECT, 1700) is None, kind


def test_no_column_hides_behind_a_method_of_a_row() -> None:
    names = {column.name for table in metadata.tables.values() for column in table.c}

    methods = {
        name for name in dir(Row) if not isinstance(getattr(Row, name), property)
    }  # Columns that were asked for.
    assert names.isdisjoint(methods)


def test_what_sqlalchemy_checks_of_a_value_is_checked() -> None:
    statement = update(customers).values(version=bindparam("flag", type_=Boolean))

    with pytest.raises(TypeError, match="Not a boolean"):
        planned(statement, {"flag": "yes"})
