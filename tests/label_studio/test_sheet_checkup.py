"""What the doctor says of the pictures of the map that people draw on."""

from __future__ import annotations

import pytest

from ml_backend.engine import picture_fonts
from ml_backend.label_studio.sheet_checkup import check_sheets
from ml_backend.label_studio.sheet_link import SheetLink, keep_link
from ml_backend.store import projects
from ml_backend.store.database import Database
from tests.label_studio.conftest import UID, project_row

CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text"><Choice value="a"/><Choice value="{name}"/></Choices>
  {more}
</View>"""
MORE = '<Choices name="topics" toName="text" choice="multiple"><Choice value="angry"/></Choices>'


def said(db: Database, name: str = "b", more: str = "", *, secret: str = "s", control: str = "kind") -> list[str]:
    with db.write() as session:
        project = projects.ensure(session, UID)
        projects.configure(session, project, label_config=CONFIG.format(name=name, more=more))
        keep_link(session, project, SheetLink(8, "8.1", control, secret))
    return [f"{found.severity.name} {found.what} {found.why}" for found in check_sheets(project_row(db))]


def test_which_question_drawing_answers_and_which_it_does_not(db: Database) -> None:
    assert said(db) == ["OK what is drawn in project 8 answers 'kind' "]
    (several,) = said(db, more=MORE)
    assert "answers 'kind'; 'topics' can be answered on the live map only" in several
    assert said(db, secret="") == []


def test_a_question_that_is_gone(db: Database) -> None:
    (found,) = said(db, control="colour")
    assert "no longer asks 'colour'" in found


def test_names_that_no_font_has_the_letters_of(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(said(db, name="\U0010fffe")) == 2, "no font has a letter that is none"
    monkeypatch.setattr(picture_fonts, "_present", tuple)
    picture_fonts._fonts.cache_clear()
    warned = said(db, name="сеть")[1]
    picture_fonts._fonts.cache_clear()
    assert "numbers instead of names" in warned
    assert "letters of 'сеть'" in warned
