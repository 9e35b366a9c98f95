"""The bounds that the wire keeps, named as MySQL names them.

It reads no environment; settings fill it in.
"""

from dataclasses import dataclass

LOGIN_PACKET = 64 * 1024
"""No packet of a client that is not logged in is larger."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are seconds, sizes bytes. How long a client may stay silent between commands is the
    session's `wait_timeout`. Defaults are MySQL's.

    https://dev.mysql.com/doc/refman/8.0/en/server-system-variables.html
    """

    max_connections: int = 151
    max_allowed_packet: int = 64 * 1024 * 1024
    max_prepared_stmt_count: int = 16382
    """Prepared statements of one connection."""
    connect_timeout: float = 10.0
    """From the first byte of the greeting to the end of the login."""
    net_read_timeout: float = 30.0
    """The longest pause inside a packet."""
    net_write_timeout: float = 60.0
    """The longest time that a client may leave our answer unread."""
    shutdown_grace: float = 10.0
    """What running statements get when the server stops."""
    require_secure_transport: bool = False
