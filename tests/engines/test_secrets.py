"""Keys by reference: what is given out, for which base URL, and what is never looked at."""

import asyncio
import os
from pathlib import Path

import pytest

from engines.anyscale import OPENAI
from engines.base import Environment
from engines.errors import AuthenticationFailed, OptionError
from engines.options import check_options
from engines.registry import find_handler, open_engine
from engines.secret_file import MOST_BYTES
from engines.secrets import SecretReference, ServerSecrets, parse_reference
from engines.task import Value
from tests.engines.support import environment, run, spec, tasks
from tests.support.endpoint import Endpoint, Reply

BASE = "https://h/v1"
KEY = "sk-4f6a8c0e2b1d3957"
VARIABLES = ServerSecrets({"SET": KEY}, {"SET": (BASE, "https://i/v1"), "UNSET": (BASE,)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An allowed folder with a key, and beside it one that is not allowed."""
    for name in ("allowed", "allowed-too", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text(f"{KEY}\n")
    return tmp_path / "allowed"


def read(path: Path | str, *entries: Path, base: str = BASE) -> str:
    secrets = ServerSecrets(file_bases=dict.fromkeys(entries, (BASE,)))
    return secrets.read(SecretReference("file", str(path)), base)


def refusal(path: Path | str, *entries: Path, base: str = BASE) -> str:
    with pytest.raises(OptionError) as caught:
        read(path, *entries, base=base)
    assert KEY not in repr(caught.getrepr(chain=True, showlocals=False))
    return str(caught.value)


@pytest.mark.parametrize("base", [BASE, "https://i/v1"])
def test_variable_is_read_for_each_of_its_bases(base: str) -> None:
    assert VARIABLES.read(SecretReference("env", "SET"), base) == KEY


@pytest.mark.parametrize(
    ("name", "base", "said"),
    [
        ("SET", "http://h/v1", "is not sent to http://h/v1"),
        ("SET", "https://h/v1/x", "is not sent to https://h/v1/x"),
        ("UNSET", "https://i/v1", "is not sent to"),
        ("UNSET", BASE, "is not set in the server's environment"),
        ("PATH", BASE, "is not on the server's list MODELWIRE_SECRET_ENV"),
        ("NOT_THERE", BASE, "is not on the server's list MODELWIRE_SECRET_ENV"),
        ("set", BASE, "is not on the server's list"),
        ("", BASE, "is not on the server's list"),
    ],
)
def test_variable_is_refused(name: str, base: str, said: str) -> None:
    with pytest.raises(OptionError, match=said) as caught:
        VARIABLES.read(SecretReference("env", name), base)
    assert KEY not in str(caught.value)


def test_key_written_as_a_name_is_not_shown() -> None:
    with pytest.raises(OptionError) as caught:
        VARIABLES.read(SecretReference("env", KEY), BASE)
    assert str(caught.value) == "env('…') is not on the server's list MODELWIRE_SECRET_ENV"


def test_secrets_do_not_print() -> None:
    assert KEY not in repr(Environment(data_dir=Path("unused"), secrets=VARIABLES))


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_file_is_read_without_its_line_end(folder: Path, end: str) -> None:
    (folder / "other").write_bytes(f"{KEY}{end}".encode())
    assert read(folder / "other", folder) == KEY


def test_file_of_a_folder_below_is_allowed(folder: Path) -> None:
    (folder / "team").mkdir()
    (folder / "team" / "key").write_text(KEY)
    assert read(folder / "team" / ".." / "team" / "key", folder) == KEY


def test_single_file_is_allowed_without_its_neighbours(folder: Path) -> None:
    (folder / "neighbour").write_text("sk-neighbour")
    assert read(folder / "key", folder / "key") == KEY
    assert "is not on the server's list" in refusal(folder / "neighbour", folder / "key")


def test_link_within_the_folder_is_followed(folder: Path) -> None:
    """Kubernetes mounts secrets so: key → ..data/key, ..data → a folder with the date."""
    (folder / "..2026").mkdir()
    (folder / "..2026" / "mounted").write_text(KEY)
    (folder / "..data").symlink_to("..2026")
    (folder / "mounted").symlink_to("..data/mounted")
    assert read(folder / "mounted", folder) == KEY


def test_allowed_folder_may_be_a_link_itself(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert read(tmp_path / "link" / "key", tmp_path / "link") == KEY
    assert read(folder / "key", tmp_path / "link") == KEY


@pytest.mark.parametrize(
    "path",
    [
        "../outside/key",
        "team/../../outside/key",
        "../allowed-too/key",
        "../../../../../../../../../etc/passwd",
        "../../../../../../../../../proc/self/environ",
        "..",
        "key\0",
        "key\n",
    ],
)
def test_way_out_of_the_folder_is_refused(folder: Path, path: str) -> None:
    assert "is not on the server's list MODELWIRE_SECRET_FILES" in refusal(
        f"{folder}/{path}", folder
    )


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "key", "", "~/key", "."])
def test_path_elsewhere_is_refused(folder: Path, path: str) -> None:
    assert "is not on the server's list MODELWIRE_SECRET_FILES" in refusal(path, folder)


def test_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "file").symlink_to(tmp_path / "outside" / "key")
    (folder / "folder").symlink_to(tmp_path / "outside")
    (folder / "environment").symlink_to("/proc/self/environ")
    for name in ("file", "folder/key", "environment"):
        assert "is not on the server's list" in refusal(folder / name, folder)


def test_path_outside_sounds_the_same_whether_it_is_there_or_not(folder: Path) -> None:
    there, missing = folder.parent / "outside" / "key", folder.parent / "outside" / "kez"
    assert refusal(there, folder).replace("key", "kez") == refusal(missing, folder)


def test_nothing_is_allowed_unless_settings_say_so(folder: Path) -> None:
    assert "is not on the server's list" in refusal(folder / "key")


def test_file_is_not_sent_to_another_base(folder: Path) -> None:
    assert "is not sent to http://attacker/v1" in refusal(
        folder / "key", folder, base="http://attacker/v1"
    )


def test_narrowest_entry_decides_where_a_file_goes(folder: Path) -> None:
    (folder / "link").symlink_to("key")
    secrets = ServerSecrets(file_bases={folder: (BASE,), folder / "key": ("https://own/v1",)})
    for name in ("key", "link"):
        reference = SecretReference("file", str(folder / name))
        assert secrets.read(reference, "https://own/v1") == KEY
        with pytest.raises(OptionError, match="is not sent to"):
            secrets.read(reference, BASE)


def test_file_that_is_no_secret_is_refused(folder: Path) -> None:
    (folder / "longest").write_text("x" * MOST_BYTES)
    (folder / "long").write_text("x" * (MOST_BYTES + 1))
    (folder / "empty").write_text("\n")
    (folder / "bytes").write_bytes(KEY.encode() + b"\xff")
    (folder / "team").mkdir()
    os.mkfifo(folder / "pipe")
    assert len(read(folder / "longest", folder)) == MOST_BYTES
    assert "longer than the 65,536 bytes" in refusal(folder / "long", folder)
    assert "is empty" in refusal(folder / "empty", folder)
    assert "is no text in UTF-8" in refusal(folder / "bytes", folder)
    assert "is no regular file" in refusal(folder / "team", folder)
    assert "is no regular file" in refusal(folder / "pipe", folder)
    assert "No such file" in refusal(folder / "missing", folder)


@pytest.mark.parametrize("name", ["SET", "", "it's", "a') or ('b", "\\", "\n"])
@pytest.mark.parametrize("source", ["env", "file"])
def test_text_of_a_reference_is_read_as_it(source: str, name: str) -> None:
    reference = SecretReference("file" if source == "file" else "env", name)
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize("text", ["", KEY, "env", "env()", "env('A'", " env('A')", "ENV('A')"])
def test_other_text_is_no_reference(text: str) -> None:
    assert parse_reference(text) is None


@pytest.mark.parametrize(
    "value", [SecretReference("env", "SET"), {"a": SecretReference("env", "SET")}]
)
def test_no_option_of_a_model_takes_a_reference(value: Value) -> None:
    for option in OPENAI.model_options:
        with pytest.raises(OptionError, match=r"takes no env\('…'\) or file\('…'\)"):
            check_options([option], {option.name: value}, "model m")


def test_only_secret_options_take_a_reference() -> None:
    options = [
        o for name in ("openai", "anyscale_endpoints") for o in find_handler(name).engine_options
    ]
    assert {o.name for o in options if o.by_reference} == {o.name for o in options if o.secret}


def test_key_of_a_file_is_read_anew_when_the_endpoint_refuses_it(folder: Path) -> None:
    with Endpoint(key=KEY) as endpoint:
        env = environment(secrets=ServerSecrets(file_bases={folder: (endpoint.url,)}))
        reference = SecretReference("file", str(folder / "key"))

        async def ask() -> None:
            options: dict[str, Value] = {"api_base": endpoint.url, "openai_api_key": reference}
            engine = open_engine("e", OPENAI, options, env)
            question = tasks(spec(), "hi")[0]
            await engine.predict(question)
            endpoint.key = "sk-rotated"
            (folder / "key").write_text("sk-rotated\n")
            await engine.predict(question)
            await engine.predict(question)
            endpoint.key = "sk-of-nobody"
            with pytest.raises(AuthenticationFailed):
                await engine.predict(question)
            (folder / "key").unlink()
            with pytest.raises(AuthenticationFailed):
                await engine.predict(question)
            await engine.aclose()

        run(ask())
        sent = [request.headers["Authorization"] for request in endpoint.requests]
        assert sent == [f"Bearer {KEY}"] * 2 + ["Bearer sk-rotated"] * 4


def test_calls_in_flight_when_a_key_is_rotated_are_each_repeated_once(folder: Path) -> None:
    with Endpoint(key="sk-rotated") as endpoint:
        env = environment(secrets=ServerSecrets(file_bases={folder: (endpoint.url,)}))
        reference = SecretReference("file", str(folder / "key"))

        async def ask() -> list[str | None]:
            options: dict[str, Value] = {"api_base": endpoint.url, "openai_api_key": reference}
            engine = open_engine("e", OPENAI, options, env)
            (folder / "key").write_text("sk-rotated")
            questions = tasks(spec(), *map(str, range(8)))
            answers = await asyncio.gather(*map(engine.predict, questions))
            await engine.aclose()
            return [answer.value for answer in answers]

        assert run(ask()) == ["ok"] * 8
        assert endpoint.calls == 16


def test_key_that_stays_is_sent_once(folder: Path) -> None:
    with Endpoint(key="sk-of-nobody") as endpoint:

        async def ask() -> None:
            options: dict[str, Value] = {"api_base": endpoint.url, "openai_api_key": "sk-literal"}
            engine = open_engine("e", OPENAI, options, environment())
            with pytest.raises(AuthenticationFailed):
                await engine.predict(tasks(spec(), "hi")[0])
            await engine.aclose()

        run(ask())
        assert endpoint.calls == 1


def test_no_message_shows_a_key_of_now_or_before(folder: Path) -> None:
    echo = Reply(f"neither {KEY} nor sk-rotated nor sk-header is known here", status=401)
    with Endpoint(echo) as endpoint:
        secrets = ServerSecrets(
            {"HEADER": "sk-header"}, {"HEADER": (endpoint.url,)}, {folder: (endpoint.url,)}
        )

        async def ask() -> str:
            options: dict[str, Value] = {
                "api_base": endpoint.url,
                "openai_api_key": SecretReference("file", str(folder / "key")),
                "extra_headers": {"X-Key": SecretReference("env", "HEADER")},
            }
            engine = open_engine("e", OPENAI, options, environment(secrets=secrets))
            (folder / "key").write_text("sk-rotated")
            with pytest.raises(AuthenticationFailed) as caught:
                await engine.predict(tasks(spec(), "hi")[0])
            await engine.aclose()
            return str(caught.value)

        assert run(ask()).endswith("neither *** nor *** nor *** is known here")
        assert [r.headers["X-Key"] for r in endpoint.requests] == ["sk-header"] * 2


def test_servers_own_key_goes_along_with_no_host_of_a_statement() -> None:
    env = environment(api_keys={"openai": KEY}, api_bases={"openai": BASE})
    options: dict[str, Value] = {"extra_headers": {"HOST": "attacker"}}
    with pytest.raises(OptionError, match="takes no Host"):
        open_engine("e", OPENAI, options, env)


def test_key_of_a_statement_may_have_any_host() -> None:
    options: dict[str, Value] = {
        "api_base": BASE,
        "openai_api_key": "sk-mine",
        "extra_headers": {"Host": "behind.example"},
    }
    open_engine("e", OPENAI, options, environment())
