"""`lantern serve` as a child process, with exactly the given settings."""

from __future__ import annotations

import os
import sys
from dataclasses import fields
from pathlib import Path

from ml_backend.config import Settings
from ml_backend.demo.servers import Server
from ml_backend.options import option_of


class LanternProcess(Server):
    """Lantern at http://localhost:PORT."""

    def __init__(self, settings: Settings, log_file: Path) -> None:
        self.settings = settings
        command = (sys.executable, "-m", "ml_backend.cli", "serve")
        super().__init__("Lantern", command, _environment(settings), port=settings.port, log_file=log_file)


def _environment(settings: Settings) -> dict[str, str]:
    """The caller's environment with Lantern's variables replaced: what is set outside must not change what is shown."""
    own = {name for of in fields(Settings) for name in option_of(of).names}
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    return {**inherited, **settings.environment()}
