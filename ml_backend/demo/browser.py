"""The browser of the pictures and of the tests: Chromium without a screen, as the machine has it or as Debian gives it.

`python -m ml_backend.demo.browser` sees to it that there is one, and says which.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from ml_backend.errors import ConfigError, LanternError

VARIABLE = "CHROMIUM"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
INSTALL = (("apt-get", "update", "-qq"), ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"))
INSTALL_LINE = "apt-get install chromium"

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps",
)  # fmt: skip
"""Without a sandbox, because containers have none to offer; only our own servers are opened. Nothing is fetched from
elsewhere."""
WITHOUT_GL = (*QUIET, "--disable-software-rasterizer")
SOFTWARE_GL = (*(flag for flag in QUIET if flag != "--disable-gpu"), "--enable-unsafe-swiftshader")


def chromium() -> str:
    """Path of the browser: $CHROMIUM, else the machine's own. Raises ConfigError when there is none."""
    named = os.environ.get(VARIABLE)
    found = next((path for name in ([named] if named else PROGRAMS) if (path := shutil.which(name))), None)
    if found is None:
        there = f"{VARIABLE}={named} is no program" if named else "no Chromium was found"
        raise ConfigError(f"{there}: install one (Debian, Ubuntu: {INSTALL_LINE}) or set {VARIABLE}=/path/to/chromium")
    return found


def chromium_installed() -> str:
    """As `chromium`; who may install Debian's package gets it first. Raises ConfigError."""
    try:
        return chromium()
    except ConfigError:
        if os.environ.get(VARIABLE) or os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise
    for command in INSTALL:
        done = subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False)
        if done.returncode:
            raise ConfigError(f"`{' '.join(command)}` ended with status {done.returncode}")
    return chromium()


def main() -> int:
    """The exit status."""
    try:
        print(f"Browser: {chromium_installed()}")
    except LanternError as error:
        print(f"browser: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
