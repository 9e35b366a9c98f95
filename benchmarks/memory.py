"""What a process weighs, in megabytes, as Linux counts it.

It measures other processes, never its own.
"""

from pathlib import Path


def resident(pid: int) -> float:
    """The resident set now."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> float:
    """The most that the resident set has been, since the start or since forget_peak()."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> float:
    """Let the peak begin anew; the resident set now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return resident(pid)


def _status(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (kilobytes,) = [line.split()[1] for line in status.splitlines() if line.startswith(f"{name}:")]
    return int(kilobytes) / 1024
