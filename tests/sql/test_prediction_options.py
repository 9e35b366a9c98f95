"""What holds for a statement's predictions: its own words over those of its session."""

import pytest

from proxy.sql.prediction_options import prediction_options
from proxy.sql.statements import PredictionOptions
from proxy.variables import Variables, global_variables


@pytest.fixture
def variables() -> Variables:
    variables = Variables(global_variables({}))
    variables.set("prediction_cache", "refresh", "SESSION")
    variables.set("prediction_on_error", "fail", "SESSION")
    variables.set("max_prediction_calls", 100, "SESSION")
    variables.set("max_prediction_cost", "0.5", "SESSION")
    return variables


def test_without_words_of_its_own_the_sessions_hold(variables: Variables) -> None:
    held = prediction_options(PredictionOptions(), variables)
    assert held == PredictionOptions("refresh", "fail", 100, 0.5)


def test_a_statements_own_words_win(variables: Variables) -> None:
    own = PredictionOptions("only", "null", 3, 0.25)
    assert prediction_options(own, variables) == own


def test_zero_takes_a_sessions_bound_away(variables: Variables) -> None:
    held = prediction_options(PredictionOptions(max_calls=0, max_cost=0.0), variables)
    assert (held.max_calls, held.max_cost) == (None, None)


def test_by_default_all_is_left_to_the_model_and_nothing_is_bounded() -> None:
    held = prediction_options(PredictionOptions(), Variables(global_variables({})))
    assert held == PredictionOptions(None, None, None, None)


def test_the_usual_word_of_a_statement_wins_too(variables: Variables) -> None:
    own = PredictionOptions(cache="on", on_error="null")
    held = prediction_options(own, variables)
    assert (held.cache, held.on_error) == ("on", "null")
