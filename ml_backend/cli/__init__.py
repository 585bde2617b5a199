"""The `lantern` command: one file per sub-command."""

from ml_backend.cli.command_line import main

__all__ = ["main"]
