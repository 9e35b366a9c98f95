"""The image's health check: a MySQL server greets whoever connects, with protocol version 10."""

import os
import socket

PORT = int(os.environ.get("MODELWIRE_PORT", "3307"))
HEADER_BYTES = 4

with socket.create_connection(("127.0.0.1", PORT), timeout=3) as connection:
    greeting = connection.recv(HEADER_BYTES + 1, socket.MSG_WAITALL)
if greeting[HEADER_BYTES:] != b"\x0a":
    raise SystemExit("no MySQL greeting")
