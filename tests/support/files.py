"""The files of a real endpoint on loopback: it reads the chats that it is sent, and stalls, delays
and refuses on demand.

Its rules of chats are its own; what the proxy checks before is not looked at here.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

STALL_POLL_SECONDS = 0.01
RESULTS = """step,train_loss,valid_loss,valid_mean_token_accuracy
1,2.5,,
99,0.5,0.75,0.875
100,0.25,,
"""
_TURNS = {"": {"system", "user"}, "system": {"user"}, "user": {"assistant"}, "assistant": {"user"}}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent: its chats are read already."""

    id: str
    name: str
    purpose: str
    chats: tuple[Any, ...]


@dataclass(slots=True)
class FileDesk:
    """All that can be asked of it by a test. Without `files` it takes none; one is ready after
    `file_polls` looks. The next `upload_troubles` uploads are answered with 503. It `stalls` at an
    `upload`: nothing comes back as long as it does."""

    key: str | None = None
    files: bool = True
    file_polls: int = 0
    upload_troubles: int = 0
    stalls: str = ""
    stalled: str = ""
    garbled: bool = False
    uploads: list[Upload] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    file_looks: int = 0
    _left: dict[str, int] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        """What the application serves of it."""
        return [
            web.post("/v1/files", self._upload),
            web.get("/v1/files/{id}", self._file),
            web.delete("/v1/files/{id}", self._delete),
            web.get("/v1/files/{id}/content", self._content),
        ]

    async def _upload(self, http: web.Request) -> web.Response:
        if not self.files:
            return refused(404, "Not Found")
        if refusal := self._not_admitted(http):
            return refusal
        if self.upload_troubles:
            self.upload_troubles -= 1
            return refused(503, "try again")
        form = await http.post()
        await self._stall("upload")
        file = form.get("file")
        if not isinstance(file, web.FileField):
            return refused(400, "file is required")
        try:
            lines = file.file.read().decode().removesuffix("\n").split("\n")
            chats = tuple(map(_checked, lines))
        except ValueError as error:
            return refused(400, f"Invalid file format: {error}")
        upload = Upload(f"file-{len(self.uploads) + 1}", file.filename, str(form["purpose"]), chats)
        self.uploads.append(upload)
        self._left[upload.id] = self.file_polls
        return web.json_response(self._shown_file(upload))

    async def _file(self, http: web.Request) -> web.Response:
        upload = next(u for u in self.uploads if u.id == http.match_info["id"])
        self._left[upload.id] -= 1
        self.file_looks += 1
        return web.json_response(self._shown_file(upload))

    async def _delete(self, http: web.Request) -> web.Response:
        self.deleted.append(http.match_info["id"])
        return web.json_response({"id": http.match_info["id"], "deleted": True})

    async def _content(self, http: web.Request) -> web.Response:
        if self.garbled:
            return web.Response(status=500, text="<html>")
        return web.Response(text=RESULTS)

    def _shown_file(self, upload: Upload) -> dict[str, Any]:
        status = "uploaded" if self._left[upload.id] > 0 else "processed"
        return {"id": upload.id, "object": "file", "purpose": upload.purpose, "status": status}

    async def _stall(self, where: str) -> None:
        while self.stalls == where:
            self.stalled = where
            await asyncio.sleep(STALL_POLL_SECONDS)

    def _not_admitted(self, http: web.Request) -> web.Response | None:
        if self.key is None or http.headers.get("Authorization") == f"Bearer {self.key}":
            return None
        return refused(401, "Incorrect API key provided")


def refused(status: int, message: str) -> web.Response:
    """An error as OpenAI's API words it."""
    body = {"error": {"message": message, "type": "error", "code": status}}
    return web.json_response(body, status=status)


def _checked(line: str) -> Any:
    """A line of a training file. Raises ValueError where it is no chat to learn from."""
    chat = json.loads(line)
    before = ""
    for message in chat.get("messages", ()):
        if set(message) != {"role", "content"} or message["role"] not in _TURNS[before]:
            raise ValueError(f"unexpected message {message}")
        if not message["content"]:
            raise ValueError("empty content")
        before = message["role"]
    if before != "assistant":
        raise ValueError("the last message is not the assistant's")
    return chat
