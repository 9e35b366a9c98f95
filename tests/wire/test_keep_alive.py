"""How long a statement goes on for a client that vanished without a word."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop

from tests.wire.conftest import Server

DESCRIPTORS = Path("/proc/self/fd")
PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="the server's end is found in /proc")
@pytest.mark.parametrize(
    "make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
def test_a_silent_peer_is_probed(
    serve: Callable[..., Server], make_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    client = serve(loop=make_loop()).raw()
    client.log_in()
    (end,) = list(_ends(client.socket))
    with end:
        assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
        found = {n: end.getsockopt(socket.IPPROTO_TCP, getattr(socket, n)) for n in PROBES}
    assert found == PROBES


def _ends(client: socket.socket) -> Iterator[socket.socket]:
    """The server's end of a connection within this process."""
    for entry in DESCRIPTORS.iterdir():
        with suppress(OSError):  # gone meanwhile, or not connected
            if str(entry.readlink()).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(entry.name))) as end:
                    if end.getpeername() == client.getsockname():
                        yield end.dup()
