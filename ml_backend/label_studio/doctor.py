"""`lantern doctor`: looks at both sides of the wire and says what keeps them from working together.

It changes nothing. Asking Label Studio for its ML backends makes it call Lantern's /health and /setup, so the way
back is tried as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx

from ml_backend.config import Settings
from ml_backend.errors import LabelStudioAuthError, LabelStudioError, LabelStudioRefused, LabelStudioUnreachable
from ml_backend.label_studio import wanted
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.checkup import check_project, not_connected
from ml_backend.label_studio.client import LabelStudioClient
from ml_backend.label_studio.connections import Connections, as_connected
from ml_backend.label_studio.findings import Finding, error, fine, warning
from ml_backend.label_studio.reachability import is_single_label
from ml_backend.label_studio.tokens import WHERE_PERSONAL
from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

TESTED_RELEASE = "1.23."
HEALTH_SECONDS = 3.0


def diagnose(
    db: Database | None,
    settings: Settings,
    *,
    project: int | None = None,
    url: str | None = None,
    token: str | None = None,
    backend_url: str | None = None,
) -> list[Finding]:
    """Everything that can be seen from here, in the order in which to mend it. Arguments as for `connect`; what is not
    given is as `connect` kept it for the project, else as the environment says. db: None where the data folder holds
    none yet.
    """
    row = None if db is None or project is None else _known(db, project)
    settings = as_connected(settings, row)
    settings = replace(settings, public_url=backend_url or settings.public_url)
    target = wanted.public_url(settings).rstrip("/")
    answers = _answers(target)
    findings = [*_check_home(settings.home, db), *_check_own_address(settings, target, answers)]
    url, token = Connections(settings).asked_for(row, url, token)
    if row is not None and row.connection.get("connected") is False and not token:
        return [*findings, not_connected(row.label_studio_id)]  # its token was forgotten with the connection
    if not url:
        return [*findings, _no_address([] if db is None or project is not None else _connected(db))]
    if not token:
        return [
            *findings,
            error("no Label Studio token", "every call to its API is refused without one", WHERE_PERSONAL),
        ]
    try:
        api = LabelStudioApi(LabelStudioClient(url, token))
        findings += _check_label_studio(api)
        if project is not None:
            findings += check_project(db, settings, api, project, target, lantern_answers=answers)
    except LabelStudioError as problem:
        findings.append(_explain(problem, url))
    return findings


def _known(db: Database, project: int) -> Project | None:
    with db.read() as session:
        return projects.by_label_studio_id(session, project)


def _connected(db: Database) -> list[int]:
    """Numbers of the projects that `connect` keeps an address for."""
    with db.read() as session:
        rows = projects.list_all(session)
    return sorted(row.label_studio_id for row in rows if row.connection.get("connected") and row.connection.get("url"))


def _no_address(connected: list[int]) -> Finding:
    """connected: the projects that need none, since they have their own."""
    if connected:
        return warning(
            "no Label Studio was looked at",
            "each connected project has an address of its own, and none was named",
            "run " + ", ".join(f"`lantern doctor --project {number}`" for number in connected),
        )
    return error(
        "no Label Studio address",
        "Lantern cannot push predictions or repair what webhooks missed",
        "set LABEL_STUDIO_URL or pass --url",
    )


def _check_home(home: Path, db: Database | None) -> Iterator[Finding]:
    if db is None:
        yield error(
            f"no Lantern has kept anything in {home}",
            "`lantern serve` was never started with this folder, so no project can be connected there",
            "start `lantern serve`, or name the folder that it uses with --home or LANTERN_HOME",
        )
    elif not home.is_dir() or not os.access(home, os.W_OK | os.X_OK):
        yield error(
            f"the data folder {home} cannot be written",
            "labels, models and caches are kept there",
            "make it writable for this user, or set LANTERN_HOME to another folder",
        )
    else:
        yield fine(f"data folder {home}")


def _check_own_address(settings: Settings, target: str, answers: bool) -> Iterator[Finding]:
    if is_single_label(target):
        yield error(
            f"Label Studio accepts no webhook to {target}",
            "the host is a single word; the ML backend connects, but no label ever arrives",
            "give the service a network alias with a dot (such as lantern.local) and set LANTERN_PUBLIC_URL to it",
        )
    if settings.webhook_secret is not None and not settings.guarded:
        yield warning(
            "a webhook secret without BASIC_AUTH_USER and BASIC_AUTH_PASS",
            "the Start Training button carries Basic credentials, never the secret, and is refused",
            "set BASIC_AUTH_USER and BASIC_AUTH_PASS, then run `lantern connect` again",
        )
    if answers:
        yield fine(f"Lantern answers at {target}")
    else:
        yield warning(
            f"Lantern does not answer at {target} from here",
            "Label Studio calls it there; from inside its own network it may still reach it",
            "start it with `lantern serve`, or set LANTERN_PUBLIC_URL to the address that Label Studio uses",
        )


def _answers(target: str) -> bool:
    """Whether a Lantern is there; Label Studio has a /health as well."""
    try:
        reply = httpx.get(f"{target}/health", timeout=HEALTH_SECONDS)
        return reply.is_success and "model_class" in reply.json()
    except (httpx.HTTPError, ValueError, TypeError):
        return False


def _check_label_studio(api: LabelStudioApi) -> Iterator[Finding]:
    release = api.version()
    yield fine(f"Label Studio {release} answers at {api.url}")
    if not release.startswith(TESTED_RELEASE):
        yield warning(
            f"Label Studio {release} was not tried",
            f"Lantern is tested against {TESTED_RELEASE}x",
            f"if something looks odd, use {TESTED_RELEASE}x",
        )
    yield fine(f"the {api.client.token_kind} of {api.whoami().get('email')} is accepted")


def _explain(problem: LabelStudioError, url: str) -> Finding:
    if isinstance(problem, LabelStudioAuthError):
        return error("Label Studio refuses the token", str(problem), WHERE_PERSONAL)
    if isinstance(problem, LabelStudioUnreachable):
        return error(
            f"Lantern does not reach Label Studio at {url}",
            str(problem),
            "start Label Studio; inside a container, localhost is the container: use host.docker.internal",
        )
    if isinstance(problem, LabelStudioRefused):
        return error("Label Studio refused a call", str(problem), "check the project's number and the token's rights")
    return error("Label Studio's answer makes no sense", str(problem), "set LABEL_STUDIO_URL to its base address")
