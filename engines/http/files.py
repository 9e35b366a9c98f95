"""Files that are left with an OpenAI-compatible endpoint.

What they hold is for others. https://platform.openai.com/docs/api-reference/files
"""

import asyncio
from urllib.parse import quote

from engines.errors import BadReply, EndpointFailed, EngineError, NotTunable, RateLimited
from engines.http.endpoint import Endpoint
from engines.http.reply import HttpReply, json_of, refuses_route, succeeded
from engines.task import Value

_TRIES = 3
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 5.0
_READY_SECONDS = 30.0
"""How long a file may take to be read; after that the job says whether it is ready."""

_UNREADY = frozenset({"uploaded", "pending", "running", "processing", "validating"})
_SPOILT = frozenset({"error", "failed", "deleted"})


class Files:
    """An endpoint's files; all of it raises EngineError and may be cancelled."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def upload(self, name: str, lines: bytes) -> str:
        """Leave a file, wait until it is read, return its id. Raises NotTunable where the endpoint
        takes no files."""
        value = json_of(await self._sent(name, lines))
        file_id = value.get("id") if isinstance(value, dict) else None
        if not isinstance(file_id, str) or not file_id:
            raise BadReply("the endpoint's answer is not an uploaded file")
        await self._until_read(file_id, value)
        return file_id

    async def delete(self, file_id: str) -> None:
        """Have a file forgotten, where the endpoint can."""
        reply = await self._endpoint.ask("DELETE", _path(file_id))
        if not succeeded(reply) and not refuses_route(reply):
            raise self._endpoint.error(reply)

    async def content(self, file_id: str) -> bytes | None:
        """Return what a file holds, None where the endpoint does not give it."""
        reply = await self._endpoint.ask("GET", f"{_path(file_id)}/content")
        return reply.body if succeeded(reply) else None

    async def _sent(self, name: str, lines: bytes) -> HttpReply:
        """An upload that was not answered may have come in: a file too many harms nobody."""
        wait = _FIRST_WAIT
        for _ in range(_TRIES - 1):
            try:
                return await self._sent_once(name, lines)
            except EngineError as error:
                if not error.transient:
                    raise
                asked_for = error.retry_after if isinstance(error, RateLimited) else None
                await asyncio.sleep(min(asked_for or wait, _LONGEST_WAIT))
                wait *= 2
        return await self._sent_once(name, lines)

    async def _sent_once(self, name: str, lines: bytes) -> HttpReply:
        form = {"purpose": "fine-tune"}
        reply = await self._endpoint.send_file("/files", form, name, lines)
        if refuses_route(reply):
            said = self._endpoint.said(reply)
            told = f"the endpoint takes no files, so it fine-tunes no model: {said}"
            raise NotTunable(told, status=reply.status)
        if not succeeded(reply):
            raise self._endpoint.error(reply)
        return reply

    async def _until_read(self, file_id: str, value: Value) -> None:
        loop = asyncio.get_running_loop()
        give_up, wait = loop.time() + _READY_SECONDS, _FIRST_WAIT
        while (status := _status(value)) in _UNREADY and loop.time() < give_up:
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
            reply = await self._endpoint.ask("GET", _path(file_id))
            if not succeeded(reply):
                return  # it tells nothing of files: the job will
            value = json_of(reply)
        if status in _SPOILT:
            details = value.get("status_details") if isinstance(value, dict) else None
            why = self._endpoint.redacted(str(details or status))
            raise EndpointFailed(f"the endpoint could not read the data set: {why}")


def _path(file_id: str) -> str:
    return f"/files/{quote(file_id, safe='')}"


def _status(value: Value) -> str:
    return str(value.get("status") if isinstance(value, dict) else "").lower()
