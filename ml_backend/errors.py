"""One root, children by cause. A message names the value that was wrong and how to mend it; it is safe to show to the
caller."""

from __future__ import annotations


class LanternError(Exception):
    """Root of every error that Lantern raises on purpose."""

    status = 500
    """HTTP status that the web layer answers with."""


class ConfigError(LanternError):
    """A setting is missing or has a value that cannot be used."""


class InputError(LanternError):
    """The caller sent something that cannot be read."""

    status = 400


class ConflictError(LanternError):
    """What was asked for cannot be while something else is going on, or before it has happened."""

    status = 409


class LabelConfigError(InputError):
    """A label config cannot be parsed or holds nothing that Lantern supports."""


class EncodingError(InputError):
    """An item cannot be turned into a vector or picture."""


class MediaError(EncodingError):
    """A task's media cannot or must not be fetched. Worth trying again now and then: a server may be up again."""


class EncoderUnavailable(LanternError):
    """The embedding service does not answer: worth trying again later. No item is to blame."""

    status = 503


class TrainingError(LanternError):
    """A training run failed; the published model is untouched."""


class CheckpointError(LanternError):
    """An artifact on disk is incomplete, altered or not finite."""


class CheckpointMissing(CheckpointError):
    """There is no artifact at this place."""


class StoreError(LanternError):
    """The database cannot be opened, migrated or written."""

    status = 503


class StoreBusy(StoreError):
    """Another transaction is writing and did not end within the time that this one could wait."""


class LeaseLost(LanternError):
    """Another worker has taken the project over while this one worked on it."""


class LabelStudioError(LanternError):
    """Label Studio refused a call or cannot be reached."""

    status = 502


class LabelStudioAuthError(LabelStudioError):
    """Label Studio refused the credentials."""


class LabelStudioForbidden(LabelStudioAuthError):
    """Label Studio knows the owner of the token, who may not do this."""


class LabelStudioRefused(LabelStudioError):
    """Label Studio answered with an error. http_status: its status code. has_detail: whether the body is JSON with a
    `detail`; a 404 without it may be of something else, such as a proxy while Label Studio restarts.
    """

    def __init__(self, message: str, http_status: int, *, has_detail: bool = False) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.has_detail = has_detail


class LabelStudioUnreachable(LabelStudioError):
    """No answer from Label Studio: worth trying again later. http_status: 429 or 5xx, None when nothing answered."""

    def __init__(self, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status


class PersonRefused(LanternError):
    """Label Studio does not take the token that a person gave."""

    status = 401


class PersonForbidden(LanternError):
    """A person may not do this in Label Studio, or not to this project."""

    status = 403


class DemoError(LanternError):
    """A server of the demo did not start or stay up, or what the demo waited for did not happen."""
