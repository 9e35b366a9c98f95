"""What all connections of a server share; it holds things and does nothing."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from proxy.wire.handler import Handler
from proxy.wire.limits import Limits
from proxy.wire.login import Doorkeeper
from proxy.wire.processes import Processes


@dataclass(frozen=True, slots=True)
class House:
    """One per Listener. `make_handler` is called once for each client that is let in."""

    make_handler: Callable[[Processes], Handler]
    doorkeeper: Doorkeeper
    processes: Processes
    limits: Limits
    tls: ssl.SSLContext | None
    server_version: str
