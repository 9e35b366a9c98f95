"""Hugging Face's model cards: what is fetched, with which bounds, and how often."""

import asyncio
import time

import pytest
from aiohttp import web

from engines.http import model_card
from engines.http.model_card import MOST_BYTES, ModelCard, ModelCards, link_of
from tests.engines.support import run
from tests.support.site import Page, Site

PATH = "/acme/small/raw/main/README.md"
CARD = "---\nlicense: none\n---\n# Small ☂\n"
NAME = "acme/small"


def text(body: str | bytes, status: int = 200, **headers: str) -> Page:
    async def page(request: web.Request) -> web.Response:
        data = body.encode() if isinstance(body, str) else body
        given = {"Content-Type": "text/plain", **headers}
        return web.Response(body=data, status=status, headers=given)

    return page


def redirect(to: str) -> Page:
    return text("", 307, Location=to)


async def slow(request: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response(text=CARD)


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


async def drip(request: web.Request) -> web.StreamResponse:
    """Never silent for long, never done."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(0.02)


def had(site: Site, name: str = NAME) -> ModelCard:
    return run(ModelCards(site.url).card(name))


def failure(page: Page) -> str:
    """What is said where the site answers with `page`."""
    with Site({PATH: page}) as site:
        card = had(site)
        assert card.text is None
        assert card.note is not None
        return card.note.replace(site.url, "SITE")


def test_card_is_the_readme_as_it_is() -> None:
    with Site({PATH: text(CARD)}) as site:
        assert had(site) == ModelCard(CARD)
        assert site.paths == [PATH]
        assert site.headers[0]["Accept-Encoding"] == "identity"


def test_redirects_are_followed() -> None:
    pages = {
        PATH: redirect("/new/small/raw/main/README.md"),
        "/new/small/raw/main/README.md": text(CARD),
    }
    with Site(pages) as site:
        assert had(site) == ModelCard(CARD)


def test_redirects_have_an_end() -> None:
    assert "Exceeded maximum allowed redirects" in failure(redirect(PATH))


def test_redirect_to_no_web_site_is_not_followed() -> None:
    assert "'file://'" in failure(redirect("file:///etc/passwd"))


@pytest.mark.parametrize("status", [401, 404, 500])
def test_status_is_told(status: int) -> None:
    said = f"the card of 'acme/small' could not be had from SITE: HTTP status {status}"
    assert failure(text("hush", status)) == said


def test_web_page_is_no_card() -> None:
    page = text("<html>log in", **{"Content-Type": "text/html; charset=utf-8"})
    assert failure(page).endswith("it answered with a web page")


def test_compressed_text_is_no_card() -> None:
    assert "compressed" in failure(text(b"\x1f\x8b", **{"Content-Encoding": "gzip"}))


def test_site_that_is_not_there_is_told() -> None:
    card = run(ModelCards("http://127.0.0.1:9").card(NAME))
    assert card.text is None
    assert card.note is not None
    assert card.note.startswith(
        "the card of 'acme/small' could not be had from http://127.0.0.1:9: "
    )


@pytest.mark.parametrize("page", [slow, drip])
def test_card_that_takes_too_long_is_given_up(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_card, "_SECONDS", 0.2)
    started = time.monotonic()
    assert failure(page).endswith("no answer in 0.2 seconds")
    assert time.monotonic() - started < 5


def test_card_may_have_its_most_bytes() -> None:
    with Site({PATH: text("x" * MOST_BYTES)}) as site:
        assert had(site) == ModelCard("x" * MOST_BYTES)


@pytest.mark.parametrize("page", [endless, text("x" * (MOST_BYTES + 1))])
def test_longer_card_is_cut_off_and_says_so(page: Page) -> None:
    with Site({PATH: page}) as site:
        note = "the card of 'acme/small' is cut off at 262,144 bytes"
        assert had(site) == ModelCard("x" * MOST_BYTES, note)


def test_card_is_cut_between_characters() -> None:
    with Site({PATH: text("x" + "☂" * MOST_BYTES)}) as site:
        assert had(site).text == "x" + "☂" * ((MOST_BYTES - 1) // 3)


def test_suffix_of_a_fine_tuned_model_is_left_out() -> None:
    with Site({PATH: text(CARD)}) as site:
        assert had(site, f"{NAME}:my-team:x1") == ModelCard(CARD)
        assert site.paths == [PATH]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "small",
        "a/b/c",
        "../small",
        "acme/..",
        "acme/../x",
        ".acme/small",
        "acme/small.",
        "acme/sm..all",
        "acme/sm--all",
        "/acme/small",
        "acme/small/",
        "acme//small",
        "acme/small?x=1",
        "acme/small#x",
        "acme/small\n",
        "acme%2f/small",
        "ac me/small",
        "ácme/small",
        "@127.0.0.1/x",
        "http://h/x",
        f"acme/{'s' * 92}",
    ],
)
def test_other_names_are_not_asked_for(name: str) -> None:
    with Site({PATH: text(CARD)}) as site:
        card = had(site, name)
        assert site.paths == []
        assert card == ModelCard(None, f"no card is looked for: '{name}' is not like org/name")


def test_without_a_site_nothing_is_fetched() -> None:
    card = run(ModelCards(None).card(NAME))
    assert card == ModelCard(None, "model cards are not fetched: MODELWIRE_MODEL_CARDS is off")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_card_is_kept_for_a_day_and_a_failure_for_minutes() -> None:
    clock = Clock()
    with Site({PATH: text(CARD)}) as site:

        async def asked(name: str, later: float) -> int:
            clock.now += later
            await cards.card(name)
            return len(site.paths)

        async def ask() -> list[int]:
            told = [(NAME, 0), (NAME, 86_399), ("acme/gone", 0), ("acme/gone", 299)]
            told += [("acme/gone", 1), (NAME, 0), (NAME, 1)]
            return [await asked(*each) for each in told]

        cards = ModelCards(site.url, clock)
        assert run(ask()) == [1, 1, 2, 2, 3, 4, 4]


def test_only_so_many_are_kept() -> None:
    with Site({}) as site:

        async def ask() -> int:
            cards = ModelCards(site.url)
            for number in range(100):
                await cards.card(f"acme/m{number}")
            await cards.card("acme/m99")
            return len(cards._kept)

        assert run(ask()) == 32
        assert len(site.paths) == 100


def test_clients_that_ask_at_once_share_a_few_calls() -> None:
    with Site({PATH: text(CARD)}) as site:

        async def ask() -> list[ModelCard]:
            cards = ModelCards(site.url)
            return await asyncio.gather(*(cards.card(NAME) for _ in range(40)))

        assert run(ask()) == [ModelCard(CARD)] * 40
        assert len(site.paths) <= 4


@pytest.mark.parametrize(
    ("name", "link"),
    [
        (NAME, "https://huggingface.co/acme/small"),
        (f"{NAME}:mine", "https://huggingface.co/acme/small"),
        ("gpt2", "https://huggingface.co/gpt2"),
        ("../small", None),
        ("a/b/c", None),
        ("", None),
    ],
)
def test_link_is_that_of_the_base_model(name: str, link: str | None) -> None:
    assert link_of(name) == link
