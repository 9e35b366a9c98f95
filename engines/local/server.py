"""The process of the embedded model: llama.cpp's own HTTP server, alive as long as its stdin.

Run as a file by process.py, with nothing of this project imported: the proxy's process must
not load the model's library, and this one needs nothing else. The first line of stdin is the
configuration as JSON (the key among it, so that it shows in no process list); the first line of
stdout is the URL. At the end of stdin, which the parent's death brings too, the process ends.
"""

import json
import os
import sys
from typing import Any


def main() -> None:
    """Serve until stdin ends."""
    # Threads that spin while they wait make two cores collapse; read when the library is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp  # type: ignore # noqa: PLC0415 - after the environment is set

    # The library prints to stdout as it likes: keep the real one for the URL.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    given = json.loads(sys.stdin.buffer.readline())
    server = xllamacpp.Server(_parameters(xllamacpp.CommonParams(), given))
    out.write(server.listening_address + "\n")
    out.flush()
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)  # without the library's own teardown, which waits for calls in flight


def _parameters(parameters: Any, given: dict[str, Any]) -> Any:
    parameters.model.path = given["model"]
    parameters.model_alias = {given["alias"]}
    parameters.api_keys = [given["api_key"]]
    parameters.port = 0
    parameters.n_parallel = given["slots"]
    parameters.n_ctx = given["slots"] * given["context"]
    parameters.cpuparams.n_threads = given["threads"]
    parameters.n_gpu_layers = 0
    parameters.fit_params = False
    parameters.cache_ram_mib = 0
    parameters.endpoint_slots = False
    parameters.ui = False
    parameters.verbosity = 1
    return parameters


if __name__ == "__main__":
    main()
