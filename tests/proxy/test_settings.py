import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from proxy.cli import main
from proxy.settings import Settings, what_is_wrong

NAMES = sorted(Settings.model_fields)
SECRETS = [n for n in NAMES if Settings.model_fields[n].annotation == SecretStr | None]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("MODELWIRE_", "OPENAI_", "ANYSCALE_")):
            monkeypatch.delenv(name)


@pytest.fixture
def help_text(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_help_names_the_setting(name: str, help_text: str) -> None:
    assert re.search(rf"\bMODELWIRE_{name.upper()}\b", help_text)


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_the_setting_is(name: str, help_text: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description in " ".join(help_text.split())


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_has_no_flag(name: str, help_text: str) -> None:
    assert f"--{name.replace('_', '-')}" not in help_text


@pytest.mark.parametrize("name", [n for n in NAMES if n not in SECRETS])
def test_any_other_setting_has_a_flag(name: str, help_text: str) -> None:
    assert f"--{name.replace('_', '-')} " in help_text


def test_there_are_secrets() -> None:
    assert {"password", "secret_key", "openai_api_key"} <= set(SECRETS)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_comes_from_its_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MODELWIRE_{name.upper()}", "hush")
    assert getattr(Settings(), name).get_secret_value() == "hush"


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_does_not_print(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"MODELWIRE_{name.upper()}", "hush")
    assert "hush" not in repr(Settings())


@pytest.mark.parametrize("name", ["openai_api_key", "anyscale_endpoints_api_key"])
def test_a_providers_own_variable_serves_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name.upper(), "hush")
    assert getattr(Settings(), name).get_secret_value() == "hush"


def test_our_own_variable_wins_over_the_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    monkeypatch.setenv("MODELWIRE_OPENAI_API_KEY", "ours")
    key = Settings().openai_api_key
    assert key is not None
    assert key.get_secret_value() == "ours"


def test_a_bare_password_variable_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "somebody else's")
    assert Settings().password is None


def test_an_environment_variable_sets_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWIRE_PORT", "3400")
    assert Settings().port == 3400


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWIRE_PORT", "3400")
    assert Settings(port=3401).port == 3401


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(prot=1)  # type: ignore[call-arg]


def test_data_directory_may_start_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings().directory == tmp_path / ".modelwire"


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--port", "99999"), ("--port", "x"), ("--max-connections", "0"), ("--wait-timeout", "0")],
)
def test_a_wrong_value_is_told_by_its_name(
    flag: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", flag, value]) == 1
    name = flag.removeprefix("--").replace("-", "_").upper()
    assert capsys.readouterr().err.startswith(f"modelwire: MODELWIRE_{name}: ")


def test_a_wrong_value_ends_without_a_traceback() -> None:
    command = [sys.executable, "-m", "proxy.cli", "serve", "--port", "x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_ENV", '{"A": "no url"}', "a base URL is like https://host/v1"),
        ("SECRET_ENV", '{"A": ["https://h", "https://u:hush@h"]}', "a base URL is like"),
        ("SECRET_ENV", '["A"]', "Input should be a valid dictionary"),
        ("SECRET_ENV", '{"A": ', "Invalid JSON"),
        ("SECRET_FILES", '{"secrets/key": "https://h"}', "has its whole path, from /"),
    ],
)
def test_a_wrong_list_of_secrets_is_told_by_its_name(
    name: str,
    value: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"MODELWIRE_{name}", value)
    assert main(["serve"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"modelwire: MODELWIRE_{name}: ")
    assert said in told
    assert "hush" not in told


def test_secrets_are_bound_to_base_urls_as_engines_compare_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A", "hush")
    monkeypatch.setenv("B", "hush too")
    monkeypatch.setenv(
        "MODELWIRE_SECRET_ENV", '{"A": "https://H/v1/", "C": ["http://i", "http://j"]}'
    )
    monkeypatch.setenv("MODELWIRE_SECRET_FILES", '{"/run/secrets": "http://k/v2"}')
    settings = Settings()
    assert settings.secret_env == {"A": ("https://h/v1",), "C": ("http://i/v1", "http://j/v1")}
    assert settings.secret_files == {Path("/run/secrets"): ("http://k/v2",)}
    assert settings.secret_variables == {"A": "hush"}
    assert "hush" not in repr(settings)


def test_secrets_may_be_for_data_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "MODELWIRE_SECRET_ENV",
        '{"A": ["PostgreSQL://DB", "mysql://db:3307/", "http://i"], "B": "mariadb://db"}',
    )
    assert Settings().secret_env == {
        "A": ("postgres://db:5432", "mysql://db:3307", "http://i/v1"),
        "B": ("mariadb://db:3306",),
    }


@pytest.mark.parametrize("url", ["postgres://", "postgres://u:hush@db", "oracle://db", "db:5432"])
def test_a_wrong_address_of_a_source_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWIRE_SECRET_ENV", json.dumps({"A": url}))
    with pytest.raises(ValidationError, match="a data source like postgres://host:5432"):
        Settings()


def test_no_secret_is_allowed_by_default() -> None:
    assert (Settings().secret_env, Settings().secret_files) == ({}, {})


@pytest.mark.parametrize("site", ["ftp://h", "huggingface.co", "https://", "https://h/?a=b", "on"])
def test_site_of_model_cards_is_a_web_site(site: str) -> None:
    with pytest.raises(ValidationError, match=r"a site is like https://huggingface\.co, or off"):
        Settings(model_cards=site)


@pytest.mark.parametrize(("given", "site"), [("off", None), ("", None), ("http://m", "http://m")])
def test_model_cards_may_be_off(given: str, site: str | None) -> None:
    assert Settings(model_cards=given).model_card_site == site


@pytest.mark.parametrize("form", ["{0}/a:{0}/b", '["{0}/a", "{0}/b"]'])
def test_folders_of_data_sources_are_a_list(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = (tmp_path / "a", tmp_path / "b")
    for folder in folders:
        folder.mkdir()
    monkeypatch.setenv("MODELWIRE_SOURCE_DIRS", form.format(tmp_path))
    assert Settings(data_dir=tmp_path / "data").source_dirs == folders


def test_no_folder_is_open_to_data_sources_by_default() -> None:
    assert Settings().source_dirs == ()


@pytest.mark.parametrize(
    ("folders", "data", "said"),
    [
        ("{0}/nowhere", "data", "MODELWIRE_SOURCE_DIRS: Path does not point to a directory"),
        (".", "data", "MODELWIRE_SOURCE_DIRS: a folder or file has its whole path, from /"),
        ("{0}", "data", "MODELWIRE_SOURCE_DIRS: {0} and the data directory {0}/data overlap"),
        ("{0}/in", "", "MODELWIRE_SOURCE_DIRS: {0}/in and the data directory {0} overlap"),
        ("{0}/link", "data", "MODELWIRE_SOURCE_DIRS: {0} and the data directory {0}/data overlap"),
    ],
)
def test_a_folder_of_data_sources_is_none_of_the_servers_own(
    folders: str, data: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    given = {"source_dirs": folders.format(tmp_path), "data_dir": tmp_path / data}
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate(given)
    assert what_is_wrong(raised.value) == [said.format(tmp_path)]


def test_the_server_does_not_work_in_a_folder_of_data_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "in" / "deeper"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    given = {"source_dirs": str(tmp_path / "in"), "data_dir": tmp_path / "data"}
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate(given)
    said = f"the server's working directory lies in {tmp_path / 'in'}: start it elsewhere"
    assert what_is_wrong(raised.value) == [f"MODELWIRE_SOURCE_DIRS: {said}"]
