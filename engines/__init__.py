"""The room of the language models: what to ask, how to ask it, what came back.

It knows no SQL, no MySQL and no DuckDB.
"""

import sys

# httpx 0.28 imports its command line, and with it click, rich and pygments where they happen to be
# installed: 6 MB that a proxy has no use for (benchmarks/run.py measures its memory).
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
