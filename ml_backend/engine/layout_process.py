"""The process that computes a map: `python -m ml_backend.engine.layout_process JOB`. Started by the worker's duty.

It reads the publication's files, writes one artifact and knows no database: only the worker makes the result count.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from ml_backend.config import Settings
from ml_backend.engine.layout_fitting import fit
from ml_backend.engine.layout_job import LayoutJob
from ml_backend.errors import LanternError
from ml_backend.logs import configure_logging
from ml_backend.processes import Child

log = logging.getLogger(__name__)

NICENESS = 5
"""On top of the worker's own: a training goes first."""
COMPILED = "NUMBA_CACHE_DIR"


def start_layout_process(job: LayoutJob) -> Child:
    """Start it; it ends with the process that starts it."""
    command = (sys.executable, "-m", "ml_backend.engine.layout_process", job.to_text())
    child = Child("layout", command, dict(os.environ))
    child.start()
    return child


def main() -> int:
    """Returns the exit status: 0 = the artifact is complete."""
    os.nice(NICENESS)
    settings = Settings.from_environment(os.environ)
    configure_logging(settings.log_level, settings.secrets())
    with ExitStack() as stack:
        if COMPILED not in os.environ and not _may_keep_compiled_code():
            os.environ[COMPILED] = stack.enter_context(tempfile.TemporaryDirectory(prefix="lantern-compiled-"))
        try:
            fit(LayoutJob.of_text(sys.argv[1]))
        except (IndexError, LanternError) as error:
            log.error("%s", error)
            return 1
    return 0


def _may_keep_compiled_code() -> bool:
    """Whether numba can write beside the package; without any place to write to it refuses to be imported."""
    spec = find_spec("pacmap")
    return spec is not None and spec.origin is not None and os.access(Path(spec.origin).parent, os.W_OK)


if __name__ == "__main__":
    sys.exit(main())
