"""Peak memory of a piece of work in this process."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
"""What Linux wants written to begin a new high-water mark of the resident set."""


def begin_peak() -> None:
    """From now on `peak_mb` looks; where the system cannot begin anew, at the whole life of the process."""
    try:
        _CLEAR.write_text(_RESET_PEAK, "ascii")
    except OSError:
        return


def peak_mb() -> float:
    """Largest resident set since `begin_peak`, of the whole process (data and libraries too), in 10^6 bytes."""
    try:
        lines = _STATUS.read_text("ascii").splitlines()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return kilobytes * 1024 / 1e6
