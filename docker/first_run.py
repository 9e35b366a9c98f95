"""`make run`: start the proxy, let it answer the main job, then keep it serving.

It adds nothing to `modelwire serve` but a password for the first user and an example.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from docker.main_job import Address, JobError
from docker.main_job import run as run_main_job
from proxy.settings import Settings, what_is_wrong

HERE = Path(__file__).resolve().parent.parent / ".modelwire"
STOP_SECONDS = 30.0


def main() -> None:
    """Serve as the environment says; exit as the server does, or with 1 if the job fails.

    Without MODELWIRE_PASSWORD each run makes a password, and shows it once.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit("\n".join(what_is_wrong(error)))
    if not settings.port:
        sys.exit("`make run` takes a port to connect to: make run MODELWIRE_PORT=3307")
    given = settings.password
    address = Address(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=given.get_secret_value() if given else secrets.token_urlsafe(12),
    )
    data_dir = settings.directory if "data_dir" in settings.model_fields_set else HERE
    refuse_taken_port(address)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    server = start(address, data_dir)
    try:
        serve(server, reachable(address))
    except JobError as failure:
        if server.poll() is None:  # else it has told its own reason
            print(f"\nThe main job failed: {failure}", file=sys.stderr)
        sys.exit(stop(server) or 1)
    except KeyboardInterrupt:
        sys.exit(stop(server))


def serve(server: subprocess.Popen[bytes], address: Address) -> NoReturn:
    """Run the main job, then wait for the server to end by itself. Raises JobError."""
    run_main_job(address, still_starting=lambda: server.poll() is None)
    if os.environ.get("RUN_ONCE"):
        sys.exit(stop(server))
    print(how_to_connect(address), flush=True)
    sys.exit(server.wait())


def refuse_taken_port(address: Address) -> None:
    """Exit with a clear sentence where somebody else listens on the port."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            sys.exit(
                f"Cannot listen on {address.host}:{address.port}: {error.strerror}. "
                f"Choose another port: make run MODELWIRE_PORT={address.port + 1}"
            )


def start(address: Address, data_dir: Path) -> subprocess.Popen[bytes]:
    """Start `modelwire serve`; its progress goes to our own standard error."""
    program = shutil.which("modelwire", path=Path(sys.executable).parent)
    if program is None:
        sys.exit("The modelwire command is not installed; `make run` installs it.")
    settings = {
        "MODELWIRE_HOST": address.host,
        "MODELWIRE_PORT": str(address.port),
        "MODELWIRE_DATA_DIR": str(data_dir),
        "MODELWIRE_USER": address.user,
        "MODELWIRE_PASSWORD": address.password,
    }
    return subprocess.Popen([program, "serve"], env={**os.environ, **settings})


def stop(server: subprocess.Popen[bytes]) -> int:
    """Ask the server to end, wait for it and give its exit code; a deaf one is killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C cannot cut the clean stop short
    server.terminate()
    try:
        return server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


def reachable(address: Address) -> Address:
    """The address to connect to where the one to listen on means every interface."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104
    return Address(host, address.port, address.user, address.password)


def how_to_connect(address: Address) -> str:
    """The lines to copy."""
    given = os.environ.get("MODELWIRE_PASSWORD")
    password = "that of MODELWIRE_PASSWORD" if given else address.password
    return f"""
modelwire keeps serving; Ctrl-C stops it. Connect with any MySQL client:

  mariadb -h {address.host} -P {address.port} -u {address.user} -p
  jdbc:mysql://{address.host}:{address.port}/modelwire?user={address.user}

The password is {password}
"""


if __name__ == "__main__":
    main()
