"""A real Label Studio from its own virtual environment: SQLite, all data in one folder, no calls to the outside."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ml_backend.demo.servers import Server
from ml_backend.errors import ConfigError

EMAIL = "demo@lantern.local"
FOREIGN_PREFIXES = ("LABEL_STUDIO_", "HEARTEX_", "DJANGO_")
"""Label Studio reads every setting under these names first: the caller's must not reach it."""
FOREIGN_NAMES = ("HOST", "PORT", "PYTHONPATH", "LOG_LEVEL", "BASE_DATA_DIR", "DATABASE_NAME", "SECRET_KEY")

CLOSED_TO_THE_OUTSIDE = {
    "LATEST_VERSION_CHECK": "false",
    "COLLECT_ANALYTICS": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
}
OPEN_TO_THIS_MACHINE = {
    # Since 1.23.1 both default to true, and Label Studio then calls no ML backend and no webhook on this machine.
    "ML_BLOCK_LOCAL_IP": "false",
    "SSRF_PROTECTION_ENABLED": "false",
}


@dataclass(frozen=True)
class Account:
    """The one user. token: a legacy token, which works because this Label Studio is started with them enabled."""

    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)

    @staticmethod
    def kept_in(path: Path) -> Account:
        """The account that an earlier run made, or a new one with random secrets; the file is the user's alone."""
        if not path.exists():
            made = Account(EMAIL, secrets.token_urlsafe(9), secrets.token_hex(20))
            _write_secret(path, json.dumps(asdict(made)))
        return Account(**json.loads(path.read_text("utf-8")))


def label_studio_program(environment: Path) -> Path:
    """The `label-studio` command of a virtual environment. Raises ConfigError when it is not installed."""
    program = environment.absolute() / "bin" / "label-studio"
    if not program.exists():
        raise ConfigError(f"Label Studio is not installed in {environment}: run `make venv-label-studio`")
    return program


class LabelStudioProcess(Server):
    """Label Studio at http://localhost:PORT, reachable from this machine only."""

    def __init__(self, program: Path, data: Path, port: int, account: Account) -> None:
        self.account = account
        self._data = data
        command = (str(program), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port))
        log_file = data.parent / "label-studio.log"
        super().__init__("Label Studio", command, _environment(data, account), port=port, log_file=log_file)

    def start(self) -> None:
        """Start it with the key that its data folder has, or a new one."""
        _ensure_secret_key(self._data / ".env")
        super().start()


def _ensure_secret_key(path: Path) -> None:
    """Write the file in which Label Studio keeps the key that signs its tokens and sessions, unless there is one.

    One in fifty of the keys that it draws for itself begins with a `$`, is taken for another variable's name when it
    is read again, and is replaced: every token then ends with the first restart.
    """
    if not path.exists():
        _write_secret(path, f"SECRET_KEY={secrets.token_hex(32)}\n")


def _write_secret(path: Path, text: str) -> None:
    """At once and whole; the file is the user's alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_text(text, "utf-8")
    temporary.rename(path)


def _environment(data: Path, account: Account) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN_PREFIXES) and name not in FOREIGN_NAMES
    }
    return {
        **inherited,
        **CLOSED_TO_THE_OUTSIDE,
        **OPEN_TO_THIS_MACHINE,
        "LABEL_STUDIO_BASE_DATA_DIR": str(data.absolute()),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        # in the environment, where other users of this machine cannot read them as they can a command line
        "LABEL_STUDIO_USERNAME": account.email,
        "LABEL_STUDIO_PASSWORD": account.password,
        "LABEL_STUDIO_USER_TOKEN": account.token,
    }
