import pytest

from proxy.errors import ReadOnlyVariable, UnknownVariable, WrongVariableValue
from proxy.variables import Value, Variables, global_variables


@pytest.fixture
def server() -> dict[str, Value]:
    return global_variables({"wait_timeout": 600, "port": 3400})


@pytest.fixture
def variables(server: dict[str, Value]) -> Variables:
    return Variables(server)


def test_settings_stand_over_defaults(variables: Variables) -> None:
    assert (variables.get("wait_timeout"), variables.get("port")) == (600, 3400)


def test_names_are_known_in_any_case(variables: Variables) -> None:
    assert variables.get("Wait_Timeout") == 600


def test_an_unknown_one_is_refused(variables: Variables) -> None:
    with pytest.raises(UnknownVariable, match="Unknown system variable 'nothing'"):
        variables.get("nothing")


def test_an_unknown_one_cannot_be_set(variables: Variables) -> None:
    with pytest.raises(UnknownVariable):
        variables.set("nothing", 1, "SESSION")


def test_session_is_ones_own(variables: Variables, server: dict[str, Value]) -> None:
    variables.set("wait_timeout", 5, "SESSION")
    assert (variables.get("wait_timeout"), Variables(server).get("wait_timeout")) == (5, 600)


def test_global_is_for_those_who_come_later(variables: Variables, server: dict[str, Value]) -> None:
    variables.set("wait_timeout", 5, "GLOBAL")
    assert Variables(server).get("wait_timeout") == 5


def test_global_is_not_hidden_by_session(variables: Variables) -> None:
    variables.set("wait_timeout", 5, "SESSION")
    assert variables.get("wait_timeout", "GLOBAL") == 600


def test_default_of_a_session_is_the_servers_value(variables: Variables) -> None:
    variables.set("wait_timeout", 5, "SESSION")
    variables.default("wait_timeout", "SESSION")
    assert variables.get("wait_timeout") == 600


def test_default_of_the_server_is_mysqls(variables: Variables) -> None:
    variables.set("sql_mode", "ANSI", "GLOBAL")
    variables.default("sql_mode", "GLOBAL")
    assert "STRICT_TRANS_TABLES" in str(variables.get("sql_mode", "GLOBAL"))


def test_default_of_an_unknown_one_is_refused(variables: Variables) -> None:
    with pytest.raises(UnknownVariable):
        variables.default("nothing", "GLOBAL")


@pytest.mark.parametrize("name", ["version", "port", "hostname", "lower_case_table_names"])
def test_a_read_only_one_cannot_be_set(name: str, variables: Variables) -> None:
    with pytest.raises(ReadOnlyVariable, match=f"Variable '{name}' is a read only variable"):
        variables.set(name, 1, "SESSION")


@pytest.mark.parametrize("value", [1, "1", "ON", "on", "TRUE", "true"])
def test_a_switch_is_on(value: Value, variables: Variables) -> None:
    variables.set("foreign_key_checks", 0, "SESSION")
    variables.set("foreign_key_checks", value, "SESSION")
    assert variables.get("foreign_key_checks") == 1


@pytest.mark.parametrize("value", [0, "0", "OFF", "off", "FALSE", "false"])
def test_a_switch_is_off(value: Value, variables: Variables) -> None:
    variables.set("foreign_key_checks", value, "SESSION")
    assert variables.get("foreign_key_checks") == 0


@pytest.mark.parametrize("value", [2, -1, "yes", "", None])
def test_a_switch_is_nothing_else(value: Value, variables: Variables) -> None:
    with pytest.raises(WrongVariableValue, match="Variable 'autocommit' can't be set to the value"):
        variables.set("autocommit", value, "SESSION")


def test_a_number_may_come_as_text(variables: Variables) -> None:
    variables.set("wait_timeout", "7", "SESSION")
    assert variables.get("wait_timeout") == 7


def test_a_number_is_no_other_text(variables: Variables) -> None:
    with pytest.raises(WrongVariableValue):
        variables.set("wait_timeout", "soon", "SESSION")


def test_a_number_is_not_below_zero(variables: Variables) -> None:
    variables.set("max_execution_time", -5, "SESSION")
    assert variables.get("max_execution_time") == 0


def test_a_number_is_not_beyond_64_bits(variables: Variables) -> None:
    variables.set("max_execution_time", 10**400, "SESSION")
    assert variables.get("max_execution_time") == 2**64 - 1


@pytest.mark.parametrize("name", ["wait_timeout", "interactive_timeout"])
def test_a_client_may_be_silent_for_a_second_at_least(name: str, variables: Variables) -> None:
    variables.set(name, 0, "SESSION")
    assert variables.get(name) == 1


def test_reset_forgets_what_the_client_set(variables: Variables) -> None:
    variables.set("wait_timeout", 5, "SESSION")
    variables.user["x"] = 1
    variables.reset()
    assert (variables.get("wait_timeout"), variables.user) == (600, {})


def test_show_writes_switches_as_words(variables: Variables) -> None:
    variables.set("autocommit", 0, "SESSION")
    shown = dict(variables.shown("SESSION"))
    assert (shown["autocommit"], shown["foreign_key_checks"]) == ("OFF", "ON")


def test_show_has_every_variable_by_name(variables: Variables) -> None:
    names = [name for name, _ in variables.shown("GLOBAL")]
    assert names == sorted(variables.server)


def test_servers_defaults_are_not_shared_between_servers(server: dict[str, Value]) -> None:
    Variables(server).set("sql_mode", "ANSI", "GLOBAL")
    assert global_variables({})["sql_mode"] != "ANSI"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("prediction_cache", ["on", "off", "refresh", "only"]),
        ("prediction_on_error", ["null", "fail"]),
    ],
)
def test_predictions_are_told_by_word(name: str, words: list[str], variables: Variables) -> None:
    for word in words:
        variables.set(name, word.upper(), "SESSION")
        assert variables.get(name) == word


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prediction_cache", "of"),
        ("prediction_cache", 1),
        ("prediction_cache", None),
        ("prediction_on_error", "ignore"),
        ("max_prediction_calls", -1),
        ("max_prediction_calls", "1.5"),
        ("max_prediction_calls", 2**64),
        ("max_prediction_calls", None),
        ("max_prediction_cost", "-0.01"),
        ("max_prediction_cost", "nan"),
        ("max_prediction_cost", "inf"),
        ("max_prediction_cost", "much"),
    ],
)
def test_what_predictions_may_cost_is_not_guessed(
    name: str, value: Value, variables: Variables
) -> None:
    with pytest.raises(WrongVariableValue, match=f"Variable '{name}' can't be set to the value"):
        variables.set(name, value, "SESSION")


def test_a_guard_may_have_decimals(variables: Variables) -> None:
    variables.set("max_prediction_cost", "0.25", "SESSION")
    variables.set("max_prediction_calls", "12", "SESSION")
    assert (variables.get("max_prediction_cost"), variables.get("max_prediction_calls")) == (
        0.25,
        12,
    )


def test_show_writes_no_decimals_that_say_nothing(variables: Variables) -> None:
    variables.set("max_prediction_cost", 3, "SESSION")
    assert dict(variables.shown("SESSION"))["max_prediction_cost"] == "3"
    assert dict(variables.shown("GLOBAL"))["max_prediction_cost"] == "0"
