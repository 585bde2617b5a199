"""What a running Lantern says of its projects at /status, and what of it is still to come."""

from __future__ import annotations

from typing import Any

import httpx

from ml_backend.config import Settings
from ml_backend.store.pushes import State

Json = dict[str, Any]


class LanternStatus:
    """Reads /status of a Lantern with these settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        user, password = settings.basic_auth_user, settings.basic_auth_pass
        self._auth = (user, password) if user is not None and password is not None else None

    def project(self, number: int) -> Json | None:
        """One project, by Label Studio's number; None while Lantern does not know it. Raises httpx.HTTPError."""
        answer = httpx.get(f"http://localhost:{self._settings.port}/status", auth=self._auth, timeout=30.0)
        answer.raise_for_status()
        found = [one for one in answer.json()["projects"] if str(one["project"]).split(".")[0] == str(number)]
        return found[-1] if found else None

    def missing(self, number: int, labels: int) -> str | None:
        """What has to happen until Label Studio shows what Lantern makes of `labels` labels; None when it does."""
        try:
            status = self.project(number)
        except httpx.HTTPError as error:
            return f"Lantern does not answer ({type(error).__name__})"
        return "Lantern has not heard of it" if status is None else self._behind(status, labels)

    def untidy(self, number: int) -> str | None:
        """Which replaced predictions are still to be deleted from Label Studio; None when none are."""
        try:
            status = self.project(number)
        except httpx.HTTPError as error:
            return f"Lantern does not answer ({type(error).__name__})"
        old = ((status or {}).get("push") or {}).get("old_versions") or []
        return f"deleting the predictions of {len(old)} replaced versions" if old else None

    def _behind(self, status: Json, labels: int) -> str | None:
        publication, training, push = status["publication"], status["training"] or {}, status["push"] or {}
        arrived = status["labels"] - status["drawn_labels"]
        if arrived != labels:
            return f"{arrived} of {labels} labels have arrived"
        if publication is None:
            counted = f"{status['tasks']:,}" if status["tasks"] else "the"  # none is read while another project trains
            return f"reading {counted} tasks and making the first model"
        is_due = status["labels_since_training"] >= self._settings.start_training_each_n_updates
        if is_due or training.get("requested") or training.get("status") == "running":
            return f"training, epoch {len(training.get('epochs') or []) + 1}"
        if publication["behind_data"]:
            return "reading new tasks"
        is_pushed = push.get("state") == State.DONE and push.get("model_version") == publication["model_version"]
        if publication["behind_labels"] or not is_pushed:
            sent = push.get("sent", 0) if push.get("state") == State.RUNNING else 0
            return f"sending predictions to Label Studio, {sent:,} of {status['tasks']:,}"
        return None
