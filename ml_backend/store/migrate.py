"""Brings a database up to the newest revision, in one transaction."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from ml_backend.errors import StoreError


def config() -> Config:
    """Alembic's settings; the migrations travel inside the package."""
    settings = Config()
    settings.set_main_option("script_location", "ml_backend.store:migrations")
    return settings


def head() -> str:
    """The newest revision that this Lantern knows."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    if revision is None:
        raise StoreError("the installation holds no migrations: install Lantern again")
    return revision


def is_current(engine: Engine) -> bool:
    """Whether the database has the newest revision; only reads."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head()


def migrate(engine: Engine, to: str = "head") -> None:
    """Upgrade to a revision; the caller keeps other processes out. Raises StoreError for a newer Lantern's database."""
    settings = config()
    with engine.begin() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
        settings.attributes["connection"] = connection
        try:
            command.upgrade(settings, to)
        except CommandError as error:
            raise StoreError(
                f"the database has revision {present!r}, which this Lantern does not know: install the newer Lantern"
            ) from error
