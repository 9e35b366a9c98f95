"""Hugging Face's model cards: the README of a model, fetched when somebody asks, kept for a while.

Nothing but `<site>/<org>/<name>/raw/main/README.md` is fetched, with bounds in size and time; a
network that is not there is no error.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from engines.http.lanes import tls_context

MOST_BYTES = 256 * 1024
_SECONDS = 5.0
_MOST_REDIRECTS = 5
_AT_ONCE = 4
_MOST_KEPT = 32
_KEPT = 24 * 3600.0
_FAILURE_KEPT = 300.0
# https://huggingface.co/docs/huggingface_hub/package_reference/utilities#huggingface_hub.utils.validate_repo_id
_WORD = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_SOUND = r"(?=.{1,96}$)(?!.*(?:--|\.\.))"
_NAME = re.compile(f"{_SOUND}{_WORD}/{_WORD}")
_LINKED = re.compile(f"{_SOUND}(?:{_WORD}/)?{_WORD}")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's card, Markdown with its YAML head; None where it could not be had. `note` says why,
    or that `text` is not the whole of it."""

    text: str | None
    note: str | None = None


class _Unfit(Exception):
    """The site answered with something else than a card; the text says with what."""


class ModelCards:
    """The cards of one site, kept in memory: a card for a day, a failure for five minutes. Without
    a site none is fetched. `clock` gives seconds."""

    def __init__(self, site: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._site = None if site is None else site.rstrip("/")
        self._clock = clock
        self._kept: dict[str, tuple[float, ModelCard]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def card(self, model_name: str) -> ModelCard:
        """Return the card of `org/name`, with or without a suffix such as `:my-team:x1` that
        endpoints give to fine-tuned models. Never raises; 5 seconds at most; may be cancelled.
        """
        if self._site is None:
            return ModelCard(None, "model cards are not fetched: MODELWIRE_MODEL_CARDS is off")
        name = _base_name(model_name)
        if not _NAME.fullmatch(name):
            return ModelCard(None, f"no card is looked for: '{model_name}' is not like org/name")
        kept = self._known(name)
        return kept if kept is not None else await self._fetched(self._site, name)

    def _known(self, name: str) -> ModelCard | None:
        until, card = self._kept.get(name, (0.0, None))
        return card if self._clock() < until else None

    async def _fetched(self, site: str, name: str) -> ModelCard:
        try:
            async with asyncio.timeout(_SECONDS), self._places:
                card = self._known(name)  # another client may have had the same question
                return card if card is not None else self._keep(name, await _fetch(site, name))
        except TimeoutError:
            why = f"no answer in {_SECONDS:g} seconds"
        except (httpx.HTTPError, httpx.InvalidURL, _Unfit) as error:
            why = str(error) or type(error).__name__
        return self._keep(
            name, ModelCard(None, f"the card of '{name}' could not be had from {site}: {why}")
        )

    def _keep(self, name: str, card: ModelCard) -> ModelCard:
        self._kept.pop(name, None)
        while len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        seconds = _FAILURE_KEPT if card.text is None else _KEPT
        self._kept[name] = self._clock() + seconds, card
        return card


def link_of(model_name: str) -> str | None:
    """Return where to read the card of a model, None for what nothing is named there."""
    name = _base_name(model_name)
    return f"https://huggingface.co/{name}" if _LINKED.fullmatch(name) else None


def _base_name(model_name: str) -> str:
    return model_name.partition(":")[0]


async def _fetch(site: str, name: str) -> ModelCard:
    """Raises httpx.HTTPError, httpx.InvalidURL, _Unfit."""
    client = httpx.AsyncClient(
        follow_redirects=True,
        max_redirects=_MOST_REDIRECTS,
        timeout=_SECONDS,
        # A small answer must not become a large one.
        headers={"User-Agent": "modelwire", "Accept-Encoding": "identity"},
        verify=tls_context(),
    )
    url = f"{site}/{name}/raw/main/README.md"
    async with client, client.stream("GET", url) as response:
        _check(response)
        return _card(name, await _read(response))


def _check(response: httpx.Response) -> None:
    if response.status_code != httpx.codes.OK:
        raise _Unfit(f"HTTP status {response.status_code}")
    if response.headers.get("content-type", "").startswith("text/html"):
        raise _Unfit("it answered with a web page")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _Unfit("it answered with compressed text, which nobody asked for")


async def _read(response: httpx.Response) -> bytes:
    """Read the body, up to one byte more than a card may have."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            break
    return bytes(body[: MOST_BYTES + 1])


def _card(name: str, body: bytes) -> ModelCard:
    if len(body) <= MOST_BYTES:
        return ModelCard(body.decode(errors="replace"))
    cut = body[:MOST_BYTES].decode(errors="ignore")
    return ModelCard(cut, f"the card of '{name}' is cut off at {MOST_BYTES:,} bytes")
