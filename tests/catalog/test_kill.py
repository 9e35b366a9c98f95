"""What is there after kill -9: everything but the last moment."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from catalog.answers import Answer
from tests.catalog.rooms import answer, digest, rooms, usage

ROOT = Path(__file__).resolve().parent.parent.parent
# 50 ms are promised: 25 until a commit begins and the rest for the commit. A disk or a processor
# that others use makes it longer; this is what the test grants them.
MARGIN = 0.3
RUN_SECONDS = 1.5


async def _write(directory: Path) -> None:
    """Keep answers and put the account until killed; tell of each, with the time, at once."""
    async with rooms(directory) as r:
        for number in range(1, 1_000_000):
            key = digest()
            r.answers.keep("shop.mood", key, answer(f"answer {number}"), most=10**6)
            r.usage.put(usage(1, calls=number, status="running"))
            print(time.monotonic(), key.hex(), number, flush=True)
            await asyncio.sleep(0.001)


def test_kill_loses_the_last_moment_alone(tmp_path: Path) -> None:
    told, killed = _killed_writer(tmp_path)
    safe = [(key, number) for at, key, number in told if at < killed - 0.05 - MARGIN]
    assert len(safe) > 50

    async def go() -> None:
        async with rooms(tmp_path) as r:
            found = await r.answers.find([key for key, _ in safe])
            assert found == {key: Answer(f"answer {n}", 10, 2, 0.5) for key, n in safe}
            (record,) = await r.usage.records()
            assert safe[-1][1] <= record.calls <= told[-1][2] + 1
            assert record.status == "interrupted"

    asyncio.run(go())


def _killed_writer(directory: Path) -> tuple[list[tuple[float, bytes, int]], float]:
    """What a writer told before it was killed, and when that was (CLOCK_MONOTONIC, seconds)."""
    command = [sys.executable, "-m", "tests.catalog.test_kill", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        killed = time.monotonic() + RUN_SECONDS
        while time.monotonic() < killed:  # read on: a writer whose pipe is full stands still
            lines.append(writer.stdout.readline())
        killed = time.monotonic()
        writer.kill()
        lines += writer.stdout.readlines()
    told = [line.split() for line in lines if line.endswith("\n")]
    return [(float(at), bytes.fromhex(key), int(number)) for at, key, number in told], killed


if __name__ == "__main__":
    asyncio.run(_write(Path(sys.argv[1])))
