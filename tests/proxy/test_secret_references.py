"""A key by reference: its place is kept and shown, its value is nowhere but in the request."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proxy.test_keys import LOOKS, contents, error, text
from tests.support.endpoint import Endpoint
from tests.support.proxy import ProxyProcess

KEY = "sk-KEY-4f6a8c0e2b1d3957"
ROTATED = "sk-KEY-4f6a8c0e-rotated"
ENGINE = "CREATE ML_ENGINE {name} FROM openai USING openai_api_key = {key}, api_base = '{url}'"
MODEL = (
    "CREATE MODEL m PREDICT answer USING engine = 'given', model_name = 'small', "
    "prompt_template = '{{text}}'"
)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint("fine", models=["small"], key=KEY) as served:
        yield served


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "key"
    path.parent.mkdir()
    path.write_text(f"{KEY}\n")
    return path


def env(endpoint: Endpoint, key_file: Path, value: str = KEY) -> dict[str, str]:
    return {
        "GIVEN_KEY": value,
        "MODELWIRE_SECRET_ENV": f'{{"GIVEN_KEY": "{endpoint.url}"}}',
        "MODELWIRE_SECRET_FILES": f'{{"{key_file.parent}": "{endpoint.url}"}}',
        "MODELWIRE_LOG_LEVEL": "DEBUG",
    }


@pytest.mark.parametrize("source", ["env", "file"])
def test_value_is_told_to_the_endpoint_alone(
    source: str, endpoint: Endpoint, key_file: Path, tmp_path: Path
) -> None:
    reference = "env('GIVEN_KEY')" if source == "env" else f"file('{key_file}')"
    data = tmp_path / "data"
    with ProxyProcess(data, env(endpoint, key_file)) as proxy:
        connection = proxy.connect()
        made = ENGINE.format(name="given", key=reference, url=endpoint.url)
        told = [text(connection, made), text(connection, MODEL)]
        engines = text(connection, "SHOW ML_ENGINES")
        told += [text(connection, sql) for sql in LOOKS]
        for url in ("http://127.0.0.1:9/v1", f"{endpoint.url}/x", "no url"):
            told.append(error(connection, ENGINE.format(name="x", key=reference, url=url)))
        told.append(error(connection, made + " oops"))
        running = contents(data)
    assert reference in engines.replace("\\", "")
    assert not [each for each in (engines, *told, *proxy.log) if "4f6a8c0e" in each]
    files = {**running, **{f"{name} at the end": each for name, each in contents(data).items()}}
    assert not [name for name, each in files.items() if b"4f6a8c0e" in each]
    assert {r.headers["Authorization"] for r in endpoint.requests} == {f"Bearer {KEY}"}


def test_rotated_file_is_taken_while_the_server_runs(
    endpoint: Endpoint, key_file: Path, tmp_path: Path
) -> None:
    with ProxyProcess(tmp_path / "data", env(endpoint, key_file)) as proxy:
        connection = proxy.connect()
        text(connection, ENGINE.format(name="given", key=f"file('{key_file}')", url=endpoint.url))
        text(connection, MODEL)
        endpoint.key = ROTATED
        key_file.write_text(ROTATED)
        assert "fine" in text(connection, "SELECT answer FROM m WHERE text = 'a'")
        assert endpoint.calls == 2  # the refused one and its repetition
        assert "fine" in text(connection, "SELECT answer FROM m WHERE text = 'b'")
        assert endpoint.calls == 3


def test_rotated_variable_is_taken_at_the_next_start(
    endpoint: Endpoint, key_file: Path, tmp_path: Path
) -> None:
    with ProxyProcess(tmp_path / "data", env(endpoint, key_file)) as proxy:
        connection = proxy.connect()
        text(connection, ENGINE.format(name="given", key="env('GIVEN_KEY')", url=endpoint.url))
        text(connection, MODEL)
    endpoint.key = ROTATED
    with ProxyProcess(tmp_path / "data", env(endpoint, key_file, ROTATED)) as proxy:
        assert "fine" in text(proxy.connect(), "SELECT answer FROM m WHERE text = 'a'")
    assert endpoint.calls == 1


def test_place_that_is_no_longer_allowed_is_refused_at_the_next_start(
    endpoint: Endpoint, key_file: Path, tmp_path: Path
) -> None:
    with ProxyProcess(tmp_path / "data", env(endpoint, key_file)) as proxy:
        connection = proxy.connect()
        text(connection, ENGINE.format(name="given", key="env('GIVEN_KEY')", url=endpoint.url))
        text(connection, MODEL)
    with ProxyProcess(tmp_path / "data", {"GIVEN_KEY": KEY}) as proxy:
        connection = proxy.connect()
        said = error(connection, "SELECT answer FROM m WHERE text = 'a'")
        assert "env('GIVEN_KEY') is not on the server's list MODELWIRE_SECRET_ENV" in said
        assert "given" in text(connection, "SHOW ML_ENGINES")
    assert endpoint.calls == 0


def test_headers_by_reference_and_sealed_ones_go_out_together(
    endpoint: Endpoint, key_file: Path, tmp_path: Path
) -> None:
    with ProxyProcess(tmp_path / "data", env(endpoint, key_file)) as proxy:
        connection = proxy.connect()
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE ML_ENGINE given FROM openai USING api_base = %s, openai_api_key = env(%s), "
                "extra_headers = {'X-Key': file(%s), 'X-Own': 'sk-own'}",
                (endpoint.url, "GIVEN_KEY", str(key_file)),
            )
        shown = text(connection, "SHOW ML_ENGINES")
        assert f"file('{key_file}')" in shown.replace("\\", "")
        assert "sk-own" not in shown
        text(connection, MODEL)
        text(connection, "SELECT answer FROM m WHERE text = 'a'")
    headers = endpoint.requests[-1].headers
    assert (headers["X-Key"], headers["X-Own"]) == (KEY, "sk-own")
