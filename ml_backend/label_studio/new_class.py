"""A class more in the label config of a project, put in where the person may."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from ml_backend.data.label_config import parse_label_config
from ml_backend.errors import (
    InputError,
    LabelConfigError,
    LabelStudioForbidden,
    LabelStudioRefused,
    PersonForbidden,
)
from ml_backend.label_studio.people import SignedIn
from ml_backend.label_studio.xml_spans import Span, read_spans
from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

LONGEST_NAME = 200


def add_class(db: Database, project: Project, who: SignedIn, control: str, name: str) -> tuple[str, ...]:
    """Add a `<Choice>` to a control in Label Studio, in the person's name; the control's classes as they are then.

    Raises InputError for a name or control that does not allow it, PersonForbidden when the person may not, and
    LabelStudioError when Label Studio does not answer.
    """
    config = str(who.api.project(project.label_studio_id).get("label_config") or "")
    changed = with_class(config, control, name)
    try:
        who.api.update_project(project.label_studio_id, {"label_config": changed})
    except LabelStudioForbidden as error:
        raise PersonForbidden(f"{who.person.name} may not change the labeling interface: ask a manager") from error
    except LabelStudioRefused as error:
        raise InputError(f"Label Studio does not take the class: {error}") from error
    with db.write() as session:
        projects.configure(session, project, label_config=changed)
    return next(c.classes for c in parse_label_config(changed).controls if c.name == control)


def with_class(config: str, control: str, name: str) -> str:
    """The label config with one class more at the end of a `<Choices>`; every other byte stays. Raises InputError."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"a class needs a name of 1 to {LONGEST_NAME} characters on one line")
    found = next((c for c in parse_label_config(config).controls if c.name == control), None)
    if found is None:
        raise InputError(f"the label config has no control {control[:80]!r}: reload the map")
    if found.kind == "taxonomy":
        raise InputError(
            f"{control!r} is a taxonomy: add the class where it belongs, in the project's Labeling Interface settings"
        )
    if name in found.classes:
        raise InputError(f"{control!r} has the class {name!r} already")
    span = next(s for s in read_spans(config).walk() if s.attributes.get("name") == control)
    changed = _inserted(config.encode(), span, f"<Choice value={quoteattr(name)}/>".encode()).decode()
    after = next((c for c in parse_label_config(changed).controls if c.name == control), None)
    if after is None or after.classes != (*found.classes, name):
        raise LabelConfigError(f"a class cannot be added to {control!r}: use the project's Labeling Interface settings")
    return changed


def _inserted(text: bytes, span: Span, element: bytes) -> bytes:
    """Behind the last child, on a line of its own where that one has one."""
    last = max((child.end for child in span.children), default=span.inner_start)
    before = text[: span.children[-1].start] if span.children else b""
    indent = before[before.rfind(b"\n") :] if b"\n" in before[span.start :] else b""
    return text[:last] + (indent if not indent.strip() else b"") + element + text[last:]
