"""python -m ml_backend.demo"""

from __future__ import annotations

import sys
from io import TextIOWrapper

from ml_backend.demo.demonstration import Demonstration
from ml_backend.demo.options import parse_options
from ml_backend.demo.signals import interrupts_on_request
from ml_backend.errors import LanternError

FAILED = 1


def main() -> int:
    """Runs the demo; returns the exit status."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # through a pipe, too, each step is said when it begins
    options = parse_options()
    demonstration = Demonstration(options)
    with interrupts_on_request():
        try:
            demonstration.run()
            if not options.once:
                demonstration.keep_running()
            demonstration.stop()
            print("\nBoth are stopped; `make demo` starts them again, with these labels.")
        except LanternError as error:
            print(f"demo: {error}", file=sys.stderr)
            return FAILED
        except KeyboardInterrupt:
            print("\nStopping ...")
        finally:
            demonstration.stop()
    return 0


sys.exit(main())
