"""One project under the doctor's eye: its config, ML backend, webhook, version pointer, tasks, pushes and trainings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ml_backend.config import Settings
from ml_backend.data.label_config import parse_label_config
from ml_backend.engine.settings import project_settings, unknown_keys
from ml_backend.errors import ConfigError, LabelConfigError, LabelStudioError
from ml_backend.label_studio import home_check, wanted
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.findings import Finding, error, fine, warning
from ml_backend.label_studio.label_checkup import check_labels
from ml_backend.label_studio.map_checkup import check_map
from ml_backend.label_studio.reachability import SSRF_MEND, explain_backend_error, is_private
from ml_backend.label_studio.reconcile import check_same_project
from ml_backend.label_studio.sheet_checkup import check_places, check_sheets
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import counters, projects, pushes, runs, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Push, TrainingRun

STUCK_SECONDS = 120.0
"""Work that waits longer than this, without an error, has no worker."""
SHOWN = 3
EXTRA_PARAMS_MEND = "correct them under Settings > Model > Edit; docs/configuration.md lists them"
SAME_OPTIONS = " with the --url and --token of this command"
"""A project that was never connected has none that Lantern could remember."""


@dataclass(frozen=True)
class _Seen:
    """The project as both sides have it."""

    settings: Settings
    api: LabelStudioApi
    target: str
    found: dict[str, Any]
    row: Project | None
    push: Push | None
    run: TrainingRun | None
    counts: dict[str, int]
    tasks: int
    labels: int
    unreadable: dict[int, str]
    lantern_answers: bool

    @property
    def reconnect(self) -> str:
        """The mend for what connect repairs."""
        known = self.row is not None and self.row.connection
        return f"run `lantern connect --project {self.found['id']}`" + ("" if known else SAME_OPTIONS)


def not_connected(number: int) -> Finding:
    """Of a project that was disconnected."""
    mend = f"run `lantern connect --project {number}`; disconnecting has forgotten a --token"
    return error(f"project {number} is not connected", "Lantern does nothing in it", mend)


def check_project(
    db: Database | None, settings: Settings, api: LabelStudioApi, number: int, target: str, *, lantern_answers: bool
) -> Iterator[Finding]:
    """All findings about one project. db: None where the data folder holds none yet. target: how Label Studio reaches
    Lantern; lantern_answers: whether it does from here. Raises LabelStudioError.
    """
    seen = _look(db, settings, api, number, target, lantern_answers)
    yield fine(f"project {number}: {seen.found.get('title')}")
    if seen.row is None:
        yield error(f"project {number} is not known here", "it was never connected to this Lantern", seen.reconnect)
        yield from _check_config(seen)
        return
    if seen.row.connection.get("connected") is False:
        yield not_connected(number)
        yield from _check_config(seen)
        return
    try:
        check_same_project(seen.row, seen.found)
    except LabelStudioError as problem:
        yield error(f"project {number} is another one now", str(problem), seen.reconnect)
    yield from _check_config(seen)
    yield from _check_backends(seen)
    yield from _check_webhooks(seen)
    yield from _check_shown(seen)
    yield from check_home(settings, seen.row, target)
    yield from check_extra_params(settings, seen.row)
    yield from check_map(settings, seen.row, str(seen.found.get("label_config") or ""), api.url)
    yield from check_sheets(seen.row)
    if db is not None:
        yield from check_places(db, seen.row)
        yield from check_labels(db, seen.row, str(seen.found.get("label_config") or ""))
    yield from _check_work(seen, seen.row)


def _look(
    db: Database | None, settings: Settings, api: LabelStudioApi, number: int, target: str, lantern_answers: bool
) -> _Seen:
    found = api.project(number)
    unknown = _Seen(settings, api, target, found, None, None, None, {}, 0, 0, {}, lantern_answers)
    if db is None:
        return unknown
    with db.read() as session:
        row = projects.find(session, found["uid"]) or projects.by_label_studio_id(session, number)
        if row is None:
            return unknown
        return _Seen(
            settings,
            api,
            target,
            found,
            row,
            pushes.newest(session, row),
            runs.newest(session, row),
            counters.read(session, row),
            tasks.count_live(session, row),
            annotation_rows.count_labels(session, row),
            tasks.unreadable(session, row),
            lantern_answers,
        )


def _check_config(seen: _Seen) -> Iterator[Finding]:
    supported = "Lantern predicts whole-task <Choices> and <Taxonomy> on <Text>, <HyperText>, <Image> or a vector field"
    try:
        schema = parse_label_config(str(seen.found.get("label_config") or ""))
    except LabelConfigError as problem:
        yield error("the label config cannot be read", str(problem), "mend it under Settings > Labeling Interface")
        return
    for control in schema.unsupported:
        yield warning(f'the control "{control.name}" is not predicted', control.reason, supported)
    if not schema.controls:
        yield error("the label config asks nothing that Lantern predicts", "every task is answered with []", supported)
    else:
        yield fine("controls: " + ", ".join(f"{c.name} ({c.kind}, {len(c.classes)} labels)" for c in schema.controls))


def check_home(settings: Settings, row: Project, target: str) -> Iterator[Finding]:
    """Whether the Lantern that answers is the one that this data folder belongs to; nothing when it is."""
    if row.connection.get("connected") and home_check.is_other_home(settings, target, row.uid):
        why = "what the commands change never reaches it: the map's key, the connection, the token"
        yield error(home_check.in_words(target, settings.home), why, home_check.mend(target))


def check_extra_params(settings: Settings, row: Project) -> Iterator[Finding]:
    """Whether Lantern can use what the project sets for itself; nothing when it can."""
    unknown = unknown_keys(row.extra_params)
    if unknown:
        yield warning(
            f"extra params of the project's ML backend that Lantern does not know: {', '.join(map(repr, unknown))}",
            "they change nothing",
            EXTRA_PARAMS_MEND,
        )
    try:
        project_settings(settings, row.extra_params)
    except ConfigError as problem:
        yield error(
            "the extra params of the project's ML backend cannot be used",
            f"nothing is predicted or trained: {problem}",
            EXTRA_PARAMS_MEND,
        )


def _check_backends(seen: _Seen) -> Iterator[Finding]:
    backends = seen.api.backends(int(seen.found["id"]))
    ours = [b for b in backends if wanted.same_address(b.get("url"), seen.target)]
    if not ours:
        others = ", ".join(str(b.get("url")) for b in backends) or "none"
        yield error(
            f"no ML backend of the project is at {seen.target}",
            f"Label Studio never asks this Lantern (attached: {others})",
            f"{seen.reconnect}; where Lantern is reached at another address, with --backend-url",
        )
        return
    if len(backends) > 1:
        yield warning(
            f"{len(backends)} ML backends are attached",
            f"Label Studio asks only the first one, {backends[0].get('url')}",
            "remove the others under Settings > Model",
        )
    first = ours[0]
    if first.get("state") != "CO":
        said = str(first.get("error_message") or first.get("readable_state"))
        refused = SSRF_MEND if is_private(seen.target) else seen.reconnect
        yield error(
            "Label Studio cannot use the ML backend",
            explain_backend_error(said, seen.target),
            refused if seen.lantern_answers else f"start Lantern with `lantern serve`, then {seen.reconnect}",
        )
    elif seen.settings.guarded and first.get("auth_method") != "BASIC_AUTH":
        why = "Lantern refuses calls without BASIC_AUTH_USER"
        yield error("the ML backend has no credentials", why, seen.reconnect)
    else:
        yield fine("Label Studio reaches Lantern")


def _check_webhooks(seen: _Seen) -> Iterator[Finding]:
    target = f"{seen.target}/webhook"
    hooks = seen.api.webhooks(int(seen.found["id"]))
    ours = [hook for hook in hooks if wanted.same_address(hook.get("url"), target)]
    if not ours:
        yield error(
            f"no webhook goes to {target}",
            "labels reach Lantern only by the periodic reconcile, and training never starts by itself",
            f"{seen.reconnect}; where Label Studio refuses it: {SSRF_MEND}",
        )
        return
    if len(ours) > 1:
        yield warning(f"{len(ours)} webhooks go to {target}", "every event arrives that many times", seen.reconnect)
    fields = wanted.webhook_fields(seen.settings, target)
    for name, why in (
        ("headers", "Lantern refuses posts without its secret or credentials"),
        ("is_active", "it is switched off"),
        ("send_payload", "events arrive without their content, so each of them costs a reconcile"),
        ("send_for_all_actions", "some events are not sent"),
    ):
        if ours[0].get(name) != fields[name]:
            yield error(f"the webhook's {name} are not as they should be", why, seen.reconnect)
    if seen.labels and not seen.counts.get("webhooks"):
        yield warning(
            "no webhook has ever arrived",
            "all labels came by reconcile; Label Studio gives a webhook one second and never repeats it",
            f"look for refused posts in Lantern's log; {SSRF_MEND}",
        )


def _check_shown(seen: _Seen) -> Iterator[Finding]:
    if seen.found.get("sampling") != wanted.PROJECT["sampling"]:
        yield warning(
            "the label stream is not ordered by score", f"sampling is {seen.found.get('sampling')}", seen.reconnect
        )
    if not seen.found.get("show_collab_predictions"):
        yield error("predictions are hidden from annotators", "show_collab_predictions is off", seen.reconnect)
    titles = [view.get("data", {}).get("title") for view in seen.api.views(int(seen.found["id"]))]
    if wanted.TAB["title"] not in titles:
        yield warning(f'there is no "{wanted.TAB["title"]}" tab', "the order can be seen in no list", seen.reconnect)
    for name in ("start_training_on_annotation_update", "evaluate_predictions_automatically"):
        if seen.found.get(name):
            yield warning(
                f"{name} is on",
                "Label Studio then calls Lantern inside the annotator's own requests",
                f"PATCH {name}=false",
            )
    push = seen.push
    if push is None or push.state != pushes.State.DONE:
        return
    if seen.found.get("model_version") != push.model_version:
        yield error(
            "the project points at other predictions than Lantern's newest",
            f"model_version is {seen.found.get('model_version')!r}, not {push.model_version!r}: score column, tab and "
            "sampling use those",
            seen.reconnect,
        )
    page = seen.api.task_page(int(seen.found["id"]), 1, 1, query={"ordering": ["tasks:predictions_score"]}, full=True)
    if page.tasks and page.tasks[0].get("predictions_score") is None:
        yield error("the score column is empty", "no prediction has the project's model_version", seen.reconnect)


def _check_counts(seen: _Seen) -> Iterator[Finding]:
    """Whether Lantern was told of all that is there; an event may be on its way just now."""
    again = f"; where they differ again: {SSRF_MEND}" if is_private(seen.target) else ""
    for name, counted, known in (
        ("tasks", seen.found.get("task_number"), seen.tasks),
        ("annotations", seen.found.get("total_annotations_number"), seen.labels),
    ):
        if isinstance(counted, int) and counted != known:
            yield warning(
                f"Label Studio has {counted} {name}, Lantern knows {known}",
                "some webhooks were lost, or the first reconcile is still to come",
                f"wait for the next reconcile (LANTERN_RECONCILE_SECONDS){again}",
            )


def _check_work(seen: _Seen, row: Project) -> Iterator[Finding]:
    errors = row.connection.get("errors") or {}
    for name, text in errors.items():
        yield error(f"the last {name} failed", str(text), "it is tried again by itself once the cause is gone")
    if seen.unreadable:
        examples = "; ".join(f"task {number}: {why}" for number, why in list(seen.unreadable.items())[:SHOWN])
        what = "1 task cannot be read" if len(seen.unreadable) == 1 else f"{len(seen.unreadable)} tasks cannot be read"
        yield warning(
            what, examples, "correct their data in Label Studio, or choose with `connect --field` what is read"
        )
    if seen.push is not None and seen.push.created < seen.push.sent:
        yield error(
            f"Label Studio dropped {seen.push.sent - seen.push.created} of {seen.push.sent} predictions",
            "they did not fit the label config, or their score lay outside of [0, 1]",
            "look for `dropped` in Lantern's log, which names the reason",
        )
    if seen.push is not None and seen.push.error and "push" not in errors:
        yield error("the last push of predictions failed", seen.push.error, "it is tried again by itself")
    if seen.run is not None and seen.run.status == runs.Status.FAILED:
        yield error("the last training failed", str(seen.run.error), "press Start Training to try again")
    if row.reconcile_requested is None:
        yield from _check_counts(seen)
    if row.reconcile_requested is not None and time.time() - row.reconcile_requested > STUCK_SECONDS:
        yield error(
            "work waits and nobody does it",
            "no `lantern serve` runs on this data folder, or the one that runs has no token: LABEL_STUDIO_URL and "
            "LABEL_STUDIO_API_KEY of the shell in which `lantern connect` ran are not kept",
            "start `lantern serve` with the same variables, or give the token to keep: `lantern connect --url URL "
            f"--token TOKEN --project {row.label_studio_id}`",
        )
