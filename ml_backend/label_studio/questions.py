"""What the map asks: a control's name as the page uses it, and what an answer does to an annotation."""

from __future__ import annotations

from dataclasses import dataclass

from ml_backend.data.answers import Answers
from ml_backend.data.edits import Edit, choose, tick
from ml_backend.data.label_config import Control, LabelSchema
from ml_backend.engine.label_sets import BINARY_CLASSES, YES, store_name
from ml_backend.errors import InputError


@dataclass(frozen=True)
class Question:
    """What a control's name on the map means: the control, and of a `multiple` one the choice."""

    control: Control
    choice: str | None

    @property
    def store(self) -> str:
        """Name of the label set."""
        return self.control.name if self.choice is None else store_name(self.control, self.choice)

    def edit(self, label: str) -> Edit:
        """What the label does to an annotation. Raises InputError for a label that the control does not have."""
        if self.choice is None:
            return choose(self.control, label)
        if label not in BINARY_CLASSES:
            raise InputError(f"{self.store!r} is answered with yes or no")
        return tick(self.control, self.choice, on=label == YES)

    def is_answered(self, answers: Answers) -> bool:
        """Whether somebody's answers say anything about it."""
        if self.choice is None:
            return answers.answers(self.control)
        return answers.says(self.control, self.choice) is not None


def question_of(schema: LabelSchema, name: str, label: str | None = None) -> Question:
    """`control`, or `control/choice` of a multiple one; there, `control` alone means the choice in `label`. Raises
    InputError when the schema has no such question.
    """
    for control in schema.controls:
        if control.kind != "multiple" and control.name == name:
            return Question(control, None)
        if control.kind == "multiple":
            if control.name == name and label in control.classes:
                return Question(control, label)
            for choice in control.classes:
                if store_name(control, choice) == name:
                    return Question(control, choice)
    raise InputError(f"the label config has no control {name[:80]!r} with such a class: reload the map")
