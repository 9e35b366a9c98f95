import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engines import registry
from engines.anyscale import OPENAI
from engines.base import Environment, Handler
from engines.errors import HandlerUnavailable, HandlerUnknown, OptionError
from engines.http.endpoint import base_url
from engines.registry import find_handler, handlers, open_engine
from engines.task import Value
from tests.engines.support import environment, run, spec, tasks
from tests.support.endpoint import Endpoint

ROOT = Path(__file__).resolve().parents[2]


def open_(handler: str, env: Environment | None = None, **options: Value) -> None:
    open_engine("e", find_handler(handler), options, env or environment())


def authorization(endpoint: Endpoint, handler: str, env: Environment, **options: Value) -> str:
    """Return the Authorization header that a prediction went out with."""

    async def ask() -> None:
        engine = open_engine("e", find_handler(handler), options, env)
        await engine.predict(tasks(spec(), "hi")[0])
        await engine.aclose()

    run(ask())
    return endpoint.requests[-1].headers.get("Authorization", "")


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("http://h:8000", "http://h:8000/v1"),
        ("http://h:8000/", "http://h:8000/v1"),
        ("http://h:8000/v1", "http://h:8000/v1"),
        ("http://h:8000/v1/", "http://h:8000/v1"),
        (" https://h/team/llm/ ", "https://h/team/llm"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai"),
    ],
)
def test_base_url_is_what_chat_completions_is_appended_to(given: str, base: str) -> None:
    assert base_url(given) == base


@pytest.mark.parametrize(
    "given",
    [
        "",
        "h:8000",
        "ftp://h",
        "file:///etc/passwd",
        "http://",
        "http://h:99999",
        "http://u:pw@h/v1",
        "http://h/v1?k=pw",
    ],
)
def test_base_url_refuses_what_is_no_endpoint(given: str) -> None:
    with pytest.raises(OptionError, match="option 'api_base'") as caught:
        base_url(given)
    assert "pw" not in str(caught.value)


def test_base_url_ends_before_chat_completions() -> None:
    with pytest.raises(OptionError, match="the part before /chat/completions"):
        base_url("https://h/v1/chat/completions")


def test_built_in_handlers_are_listed_by_name() -> None:
    assert [handler.name for handler in handlers()] == ["anyscale_endpoints", "local", "openai"]


def test_unknown_handler_names_the_near_miss() -> None:
    with pytest.raises(HandlerUnknown) as caught:
        find_handler("anyscale_endpoint")
    assert str(caught.value) == (
        "unknown handler 'anyscale_endpoint': did you mean 'anyscale_endpoints'?"
    )


def test_anyscale_needs_a_key() -> None:
    with pytest.raises(OptionError, match="'anyscale_endpoints_api_key' is required"):
        open_("anyscale_endpoints")


def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(OptionError, match="'openai_api_key' is required"):
        open_("openai")


def test_key_of_the_statement_is_sent() -> None:
    with Endpoint() as endpoint:
        assert (
            authorization(
                endpoint,
                "anyscale_endpoints",
                environment(),
                api_base=endpoint.url,
                anyscale_endpoints_api_key="sk-mine",
            )
            == "Bearer sk-mine"
        )


def test_no_key_is_no_header() -> None:
    with Endpoint() as endpoint:
        assert authorization(endpoint, "openai", environment(), api_base=endpoint.url) == ""


def test_servers_key_goes_to_the_servers_base() -> None:
    with Endpoint() as endpoint:
        env = environment(
            api_keys={"anyscale_endpoints": "sk-server"},
            api_bases={"anyscale_endpoints": endpoint.url + "/"},
        )
        assert authorization(endpoint, "anyscale_endpoints", env) == "Bearer sk-server"


def test_servers_key_goes_nowhere_else() -> None:
    with Endpoint() as endpoint:
        env = environment(api_keys={"openai": "sk-server"})
        assert authorization(endpoint, "openai", env, api_base=endpoint.url) == ""


def test_servers_key_missing_elsewhere_is_explained() -> None:
    env = environment(api_keys={"anyscale_endpoints": "sk-server"})
    with pytest.raises(OptionError, match="the server's own key is not sent to http://h/v1"):
        open_("anyscale_endpoints", env, api_base="http://h")


def test_key_that_no_header_can_hold_is_refused_unseen() -> None:
    with pytest.raises(OptionError, match="'openai_api_key' has characters") as caught:
        open_("openai", openai_api_key="sk-1\r\nX-Evil: 1")
    assert "Evil" not in str(caught.value)


@pytest.mark.parametrize("options", [{"timeout": 0}, {"max_concurrency": 0}, {"timeout": 1e9}])
def test_limits_have_ranges(options: dict[str, Value]) -> None:
    with pytest.raises(OptionError, match="takes more than 0 and at most"):
        open_("openai", api_base="http://h", **options)


def test_keys_are_declared_secret() -> None:
    secret = {o.name for h in handlers() for o in h.engine_options if o.secret}
    assert secret == {"anyscale_endpoints_api_key", "openai_api_key", "api_key", "extra_headers"}


def test_looking_for_handlers_loads_no_model_library() -> None:
    script = "import sys, engines.registry as r; r.handlers(); print('xllamacpp' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


MINE = replace(OPENAI, name="mine")


class FakeEntryPoint:
    """An entry point of another distribution."""

    def __init__(self, name: str, found: object) -> None:
        self.name, self.value, self.found = name, "other:HANDLER", found

    def load(self) -> object:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        FakeEntryPoint("Mine", MINE),
        FakeEntryPoint("misnamed", MINE),
        FakeEntryPoint("broken", ImportError("No module named 'gpu'")),
        FakeEntryPoint("odd", 42),
        FakeEntryPoint("openai", 42),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    monkeypatch.setattr(registry, "_by_name", registry._by_name.__wrapped__)


@pytest.mark.usefixtures("others")
def test_handlers_of_others_are_found() -> None:
    assert find_handler("Mine") is MINE


@pytest.mark.usefixtures("others")
def test_handler_of_another_name_than_its_entry_point_says_so() -> None:
    with pytest.raises(HandlerUnavailable, match="its Handler is named 'mine'"):
        open_("misnamed")


@pytest.mark.usefixtures("others")
def test_broken_handler_says_why_and_breaks_nothing_else() -> None:
    assert {
        h.name: h.import_error for h in handlers() if h.name in ("broken", "odd", "openai")
    } == {
        "broken": "ImportError: No module named 'gpu'",
        "odd": "other:HANDLER is not a Handler",
        "openai": None,
    }
    with pytest.raises(HandlerUnavailable, match="No module named 'gpu'"):
        open_("broken")


def test_handler_whose_library_is_missing_tells_how_to_get_it() -> None:
    local = find_handler("local")
    missing = "xllamacpp is not installed: pip install 'modelwire[local]'"
    without = Handler(
        **{name: getattr(local, name) for name in Handler.__slots__} | {"import_error": missing}
    )
    with pytest.raises(HandlerUnavailable, match="pip install"):
        open_engine("e", without, {}, Environment(data_dir=Path("unused")))
