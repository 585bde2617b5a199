"""What /status says of a project: how far it is, in plain JSON and without secrets."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ml_backend.engine.given_labels import count_given
from ml_backend.store import counters, publications, pushes, runs, tasks
from ml_backend.store.tables import Project, Publication, Push, TrainingRun

SHOWN_UNREADABLE = 20
"""How many unreadable tasks are named with their reason."""


def project_status(session: Session, project: Project) -> dict[str, object]:
    """Counts, versions, the newest training and the newest push."""
    unreadable = tasks.unreadable(session, project)
    publication = publications.newest(session, project)
    given = count_given(session, project)
    return {
        "project": project.uid,
        "title": project.title,
        "connected": bool(project.connection.get("connected")),
        "tasks": tasks.count_live(session, project),
        "unreadable": len(unreadable),
        "unreadable_examples": {str(number): why for number, why in list(unreadable.items())[:SHOWN_UNREADABLE]},
        "labels": given.labels,
        "drawn_labels": given.drawn,
        "labels_since_training": project.labels_changed,
        "data_version": project.data_version,
        "labels_version": project.labels_version,
        "reconciled_at": project.reconciled_at,
        "reconcile_waiting": project.reconcile_requested is not None,
        "publication": _publication(publication, project),
        "training": _training(runs.newest(session, project), project),
        "push": _push(pushes.newest(session, project)),
        "counters": counters.read(session, project),
    }


def _publication(publication: Publication | None, project: Project) -> dict[str, object] | None:
    if publication is None:
        return None
    return {
        "model_version": publication.model_version,
        "number": publication.number,
        "trained": publication.trained,
        "created_at": publication.created_at,
        "behind_data": project.data_version > publication.data_version,
        "behind_labels": project.labels_version > publication.labels_version,
    }


def _training(run: TrainingRun | None, project: Project) -> dict[str, object] | None:
    waiting = project.training_requested > project.training_done
    if run is None:
        return {"status": "requested"} if waiting else None
    return {
        "run": run.id,
        "status": run.status,
        "requested": waiting,
        "phase": run.phase,
        "epochs": run.epochs,
        "error": run.error,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def _push(push: Push | None) -> dict[str, object] | None:
    if push is None:
        return None
    return {
        "model_version": push.model_version,
        "state": push.state,
        "sent": push.sent,
        "created": push.created,
        "started_at": push.started_at,
        "finished_at": push.finished_at,
        "error": push.error,
        "old_versions": push.old_versions,
    }
