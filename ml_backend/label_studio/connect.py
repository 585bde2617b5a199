"""`lantern connect`: makes a Label Studio project as it has to be, and remembers how it was.

Connecting twice changes nothing the second time. What was there before the first time is kept in the project's row;
disconnect.py puts it back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from ml_backend.config import Settings
from ml_backend.engine.schema import schema_of
from ml_backend.engine.settings import project_settings
from ml_backend.errors import ConfigError, LabelStudioError, LabelStudioRefused
from ml_backend.label_studio import home_check, wanted
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.changes import Change
from ml_backend.label_studio.client import LabelStudioClient
from ml_backend.label_studio.connections import BACKEND_URL, Address, Connections
from ml_backend.label_studio.contract import parse_extra_params
from ml_backend.label_studio.map_connect import hide_map, show_map
from ml_backend.label_studio.reachability import explain_backend_error, explain_webhook_error
from ml_backend.label_studio.sheet_connect import hide_sheets, show_sheets
from ml_backend.label_studio.sheet_link import link_of
from ml_backend.store import projects, pushes
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

log = logging.getLogger(__name__)

Json = dict[str, Any]

NOTHING_ASKED = "none: the label config asks nothing that Lantern predicts; `lantern doctor` says what it does"
PROJECT_FIELDS = ("sampling", "show_collab_predictions", "model_version")
BACKEND_FIELDS = ("url", "title", "is_interactive", "auth_method", "basic_auth_user", "extra_params")
WEBHOOK_FIELDS = ("url", "headers", "send_payload", "send_for_all_actions", "is_active")


def connect(
    db: Database,
    settings: Settings,
    *,
    project: int,
    url: str | None = None,
    token: str | None = None,
    backend_url: str | None = None,
    extra_params: Mapping[str, object] | None = None,
    beside: bool | None = None,
    on_map: bool | None = None,
) -> list[Change]:
    """Attach a Label Studio project to this Lantern, or repair what is attached.

    url, token: Label Studio's; else LABEL_STUDIO_URL, LABEL_STUDIO_API_KEY, else as last time. backend_url: how Label
    Studio reaches Lantern; else LANTERN_PUBLIC_URL, else as last time, else localhost and the port. extra_params:
    settings of this project, such as its encoder, set beside those that it has. beside: whether the live map stands
    beside the tasks; None leaves it. on_map: whether a second project shows pictures of the map to draw on; None leaves
    it. Raises ConfigError when something is not given or cannot be used, the Lantern that answers keeps its data
    elsewhere, the project is Lantern's own with pictures of a map, or the label config cannot hold the map;
    LabelStudioError with the way out when one side does not reach the other.
    """
    with db.read() as session:
        known = projects.by_label_studio_id(session, project)
    url, token = Connections(settings).asked_for(
        known, url or settings.label_studio_url, token or settings.label_studio_api_key
    )
    if not url or not token:
        missing = (
            "address: --url or LABEL_STUDIO_URL" if not url else f"token for {url}: --token or LABEL_STUDIO_API_KEY"
        )
        raise ConfigError(f"connecting needs Label Studio's {missing}")
    if extra_params is not None:
        project_settings(settings, extra_params)
    api = LabelStudioApi(LabelStudioClient(url, token))
    changes = [Change("Label Studio reached", False, f"{api.version()} at {api.url}, as {api.whoami().get('email')}")]
    found = _project(api, project)
    _check_not_ours(db, found["uid"])
    row, before = _register(db, settings, found, Address(api.url, token))
    told = backend_url or (None if settings.public_url else row.connection.get(BACKEND_URL))
    settings = replace(settings, public_url=told or settings.public_url)  # the map's address follows it
    target = wanted.public_url(settings).rstrip("/")
    if home_check.is_other_home(settings, target, row.uid):
        _restore(db, row, before)
        raise ConfigError(f"{home_check.in_words(target, settings.home)}: {home_check.mend(target)}")
    connecting = _Connecting(db, settings, api, row, found, target)
    changes.append(_attached(connecting, extra_params))
    connecting.keep_backend_url(told)
    steps: tuple[Callable[[], Change], ...] = (
        connecting.webhook,
        connecting.project,
        connecting.tab,
        connecting.version,
    )
    changes += [step() for step in steps]
    if beside is not None:
        changes.append(show_map(db, settings, api, row) if beside else hide_map(db, api, row))
    if on_map is not None:
        shown = on_map and show_sheets(db, settings, api, row, connecting.backend_url)
        changes.append(shown or hide_sheets(db, api, row))
    with db.write() as session:
        projects.request_reconcile(session, projects.ensure(session, row.uid), time.time())
    return changes


@dataclass
class _Connecting:
    """The steps of one connect. `row` is the project's row here, `found` the project as Label Studio has it."""

    db: Database
    settings: Settings
    api: LabelStudioApi
    row: Project
    found: Json
    backend_url: str

    @property
    def number(self) -> int:
        return self.row.label_studio_id

    def backend(self, extra_params: Mapping[str, object] | None) -> Change:
        kept = self.row.connection.get("backend") or {}
        backends = self.api.backends(self.number)
        ours = next((b for b in backends if b["id"] == kept.get("id")), None)
        ours = ours or next((b for b in backends if wanted.same_address(b.get("url"), self.backend_url)), None)
        if extra_params is not None and ours:  # what a person has set beside them stays
            extra_params = {**parse_extra_params(ours.get("extra_params")), **extra_params}
        fields = wanted.backend_fields(self.settings, self.number, self.backend_url, extra_params)
        visible = {name: fields[name] for name in BACKEND_FIELDS if name in fields}
        if ours and ours.get("state") == "CO" and wanted.holds(ours, visible):
            self._keep("backend", ours, BACKEND_FIELDS)
            return Change("ML backend", False, f"attached at {self.backend_url}")
        try:
            done = self.api.update_backend(ours["id"], fields) if ours else self.api.create_backend(fields)
        except LabelStudioError as error:
            if ours is None:
                self._keep_half_made()
            raise LabelStudioError(explain_backend_error(str(error), self.backend_url)) from error
        self._keep("backend", ours or done, BACKEND_FIELDS, made=ours is None)
        return Change("ML backend", True, f"{'repaired' if ours else 'attached'} at {self.backend_url}")

    def keep_backend_url(self, told: str | None) -> None:
        """What was told by hand, now or earlier, once it has proved right; None where the environment says it."""
        self._remember(BACKEND_URL, told, overwrite=True)

    def _keep_half_made(self) -> None:
        """With SSRF protection on for webhooks only, Label Studio makes the backend and then answers with an error."""
        for backend in self.api.backends(self.number):
            if wanted.same_address(backend.get("url"), self.backend_url):
                self._keep("backend", backend, BACKEND_FIELDS, made=True)

    def webhook(self) -> Change:
        target = f"{self.backend_url}/webhook"
        try:
            return self._one_webhook(target)
        except LabelStudioError as error:
            raise LabelStudioError(explain_webhook_error(str(error), target)) from error

    def _one_webhook(self, target: str) -> Change:
        fields = wanted.webhook_fields(self.settings, target)
        kept = self.row.connection.get("webhook") or {}
        hooks = self.api.webhooks(self.number)
        ours = [h for h in hooks if h["id"] == kept.get("id") or wanted.same_address(h.get("url"), target)]
        if not ours:
            made = self.api.create_webhook({"project": self.number, **fields})
            self._keep("webhook", made, WEBHOOK_FIELDS, made=True)
            return Change("webhook", True, f"made for {target}")
        first, *duplicates = sorted(ours, key=lambda hook: (hook["id"] != kept.get("id"), hook["id"]))
        for duplicate in duplicates:
            self.api.delete_webhook(duplicate["id"])
        # Label Studio makes this webhook itself when a backend is attached: it goes when our backend goes.
        ours_alone = bool((self.row.connection.get("backend") or {}).get("made"))
        self._keep("webhook", first, WEBHOOK_FIELDS, made=ours_alone)
        gone = f", {len(duplicates)} duplicates removed" if duplicates else ""
        if not wanted.holds(first, fields):
            self.api.update_webhook(first["id"], fields)
            return Change("webhook", True, f"{target}, with its secret{gone}")
        is_new = ours_alone and kept.get("id") != first["id"]
        return Change("webhook", bool(duplicates) or is_new, f"{target}{gone}")

    def project(self) -> Change:
        self._remember("before", {name: self.found.get(name) for name in PROJECT_FIELDS})
        if wanted.holds(self.found, wanted.PROJECT):
            return Change("project", False, "uncertainty sampling, predictions shown")
        self.api.update_project(self.number, wanted.PROJECT)
        return Change("project", True, "uncertainty sampling, predictions shown")

    def tab(self) -> Change:
        views = self.api.views(self.number)
        kept = self.row.connection.get("view") or {}
        ours = next((v for v in views if v["id"] == kept.get("id")), None)
        ours = ours or next((v for v in views if _data(v).get("title") == wanted.TAB["title"]), None)
        if ours is None:
            self._keep("view", self.api.create_view(self.number, wanted.TAB), (), made=True)
            return Change("tab", True, f'"{wanted.TAB["title"]}" made')
        self._keep("view", ours, (), before=_data(ours))
        if wanted.holds(_data(ours), {name: wanted.TAB[name] for name in ("title", "ordering", "filters")}):
            return Change("tab", False, f'"{wanted.TAB["title"]}"')
        self.api.update_view(ours["id"], self.number, {**wanted.TAB, **_data(ours), **wanted.tab_order()})
        return Change("tab", True, f'"{wanted.TAB["title"]}" ordered by score')

    def version(self) -> Change:
        """Point the project at predictions that were pushed earlier, or have them pushed again."""
        with self.db.read() as session:
            push = pushes.newest(session, self.row, pushes.State.DONE)
        # read anew: a push that ends while this command runs changes the project before it counts as done
        if push is None or self.api.project(self.number).get("model_version") == push.model_version:
            return Change("predictions", False, push.model_version if push else self._outlook())
        if self.api.model_versions(self.number).get(push.model_version):
            self.api.update_project(self.number, {"model_version": push.model_version})
            return Change("predictions", True, f"shown again: {push.model_version}")
        with self.db.write() as session:
            pushes.fail(session, push, "its predictions are no longer in Label Studio", time.time())
        return Change("predictions", True, "will be pushed again")

    def _outlook(self) -> str:
        return "follow after the first model" if schema_of(self.row).controls else NOTHING_ASKED

    def _keep(
        self, key: str, thing: Json, fields: tuple[str, ...], *, made: bool = False, before: Json | None = None
    ) -> None:
        """Remember which one is ours and, the first time, what it was like."""
        old = {name: thing[name] for name in fields if name in thing} if before is None else before
        kept = self.row.connection.get(key) or {}
        if kept.get("id") != thing["id"]:
            kept = {"id": thing["id"], "made": made, "before": old}
        self._remember(key, kept, overwrite=True)

    def _remember(self, key: str, value: object, *, overwrite: bool = False) -> None:
        """At once, so that a connect that fails half-way can still be undone."""
        if key in self.row.connection and not overwrite:
            return
        with self.db.write() as session:
            known = projects.ensure(session, self.row.uid)
            projects.configure(session, known, connection={**known.connection, key: value})
        self.row = known


def _project(api: LabelStudioApi, number: int) -> Json:
    try:
        return api.project(number)
    except LabelStudioRefused as error:
        if error.http_status != HTTPStatus.NOT_FOUND:
            raise
        raise LabelStudioRefused(
            f"there is no project {number} at {api.url}, or the token's owner may not see it: the number is the one "
            "in the project's address",
            error.http_status,
        ) from error


def _attached(connecting: _Connecting, extra_params: Mapping[str, object] | None) -> Change:
    """A project that Label Studio would not attach is not worked on behind its back."""
    try:
        return connecting.backend(extra_params)
    except LabelStudioError:
        if "backend" not in connecting.row.connection:
            _restore(connecting.db, connecting.row, {**connecting.row.connection, "connected": False})
        raise


def _check_not_ours(db: Database, uid: str) -> None:
    with db.read() as session:
        mine = {link.uid: row for row in projects.list_all(session) if (link := link_of(row)) is not None}
    if uid in mine:
        raise ConfigError(
            f"this project holds Lantern's pictures of the map of project {mine[uid].label_studio_id}: it is already "
            "followed, and what is drawn there counts in that project"
        )


def _register(db: Database, settings: Settings, found: Json, address: Address) -> tuple[Project, Json]:
    """The project's row, with the address and (unless the environment has it) the token; and what its connection was,
    so that a refused connect can leave it so.
    """
    with db.write() as session:
        known = projects.find(session, found["uid"])
        before = {"connected": False} if known is None else known.connection
        row = projects.ensure(session, found["uid"], time.time())
        connection = {**row.connection, "connected": True, "url": address.url}
        connection.pop("token", None)
        if (address.url, address.token) != (settings.label_studio_url, settings.label_studio_api_key):
            connection["token"] = address.token
        projects.configure(
            session, row, label_config=found.get("label_config"), title=found.get("title"), connection=connection
        )
    return row, before


def _restore(db: Database, row: Project, connection: Json) -> None:
    with db.write() as session:
        projects.configure(session, projects.ensure(session, row.uid), connection=connection)


def _data(view: Json) -> Json:
    data = view.get("data")
    return data if isinstance(data, dict) else {}
