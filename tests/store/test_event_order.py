"""Webhooks come twice, late and in any order: the rows must not depend on it."""

from __future__ import annotations

import itertools
from functools import reduce

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_backend.store import annotations as rows
from ml_backend.store import projects
from ml_backend.store.annotation_state import AnnotationState, after_deletion, after_event
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.store.tables import Project
from tests.store.events import Deletion, Event, content, labels, said, tell

IDS = st.integers(1, 3)
TIMES = st.integers(0, 4).map(float)  # few, so that ties and crossings are common
SAID = st.builds(said, IDS, st.sampled_from("ab"), TIMES, task=st.integers(1, 2), skipped=st.booleans())
EVENTS: st.SearchStrategy[Event] = SAID | st.builds(Deletion, IDS, TIMES)


@st.composite
def reordered(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """A list of events, and the same set in another order with repetitions."""
    events = draw(st.lists(EVENTS, min_size=1, max_size=8))
    repeated = events + draw(st.lists(st.sampled_from(events), max_size=4))
    return events, draw(st.permutations(repeated))


def state_after(events: list[Event]) -> dict[int, AnnotationState]:
    def step(states: dict[int, AnnotationState], event: Event) -> dict[int, AnnotationState]:
        i = event.annotation_id
        if isinstance(event, Deletion):
            return states | {i: after_deletion(states.get(i), i, event.at)}
        return states | {i: after_event(states.get(i), AnnotationState.of(event))}

    empty: dict[int, AnnotationState] = {}
    return reduce(step, events, empty)


@given(reordered())
@settings(max_examples=200, deadline=None)
def test_any_order_with_repetitions_gives_the_same_states(events: tuple[list[Event], list[Event]]) -> None:
    straight, mixed = events
    assert state_after(straight) == state_after(mixed)


@given(st.lists(EVENTS, max_size=10))
@settings(max_examples=200, deadline=None)
def test_the_state_is_what_the_newest_event_says_unless_deleted(events: list[Event]) -> None:
    for number, state in state_after(events).items():
        mine = [event for event in events if event.annotation_id == number]
        told = [event for event in mine if isinstance(event, AnnotationRow)]
        assert state.deleted == (len(told) < len(mine))
        if told:
            newest = max(event.updated_at for event in told)
            assert state.updated_at == newest
            assert state.text in {event.text for event in told if event.updated_at == newest}


@pytest.mark.slow
@given(reordered(), st.integers(1, 4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_tables_do_not_depend_on_order_repetition_or_batches(
    db: Database, events: tuple[list[Event], list[Event]], batch: int
) -> None:
    straight, mixed = events
    one, other = fresh_project(db), fresh_project(db)
    tell(db, one, *straight)
    for start in range(0, len(mixed), batch):
        tell(db, other, *mixed[start : start + batch])
    assert content(db, one, range(4)) == content(db, other, range(4))
    assert tell(db, one, *mixed) == 0, "all of it again is no change"


def test_create_update_delete_in_each_of_the_orders_ends_deleted(db: Database) -> None:
    events: list[Event] = [said(1, "a", 1.0), said(1, "b", 2.0), Deletion(1, at=1.5)]
    for order in itertools.permutations(events):
        project = fresh_project(db)
        tell(db, project, *order)
        assert labels(db, project) == {}, order


@pytest.mark.parametrize("size", [1, 7])
def test_a_batch_is_as_its_events_one_by_one(db: Database, size: int) -> None:
    events = [said(i % 5, choice, float(t)) for t, (i, choice) in enumerate(itertools.product(range(9), "ab"))][::-1]
    one, other = fresh_project(db), fresh_project(db)
    tell(db, one, *events)
    for start in range(0, len(events), size):
        with db.write() as session:
            rows.apply_many(session, other, events[start : start + size])
    assert content(db, one, range(5)) == content(db, other, range(5))


_numbers = itertools.count(1_000)


def fresh_project(db: Database) -> Project:
    with db.write() as session:
        return projects.ensure(session, next(_numbers))
