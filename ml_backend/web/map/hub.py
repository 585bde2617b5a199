"""What changes, told to every open map: one thread a process looks twice a second, and at once after a write through
this process, but only while somebody watches.

An event has the id `HUB-NUMBER`. A watcher that comes back with one gets what it missed; with an id of another
process, or too old a one, it gets everything as it is now, which says as much.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ml_backend.errors import LanternError

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
KEPT_EVENTS = 256
"""Of one project, for watchers that come back."""

Json = Mapping[str, object]


@dataclass(frozen=True)
class Pulse:
    """A project at one moment. values: event name -> what it carries, sent whenever it differs from the last time.

    run, epochs: the newest training and its epochs so far, each sent once as an event `epoch`; None: there is none.
    """

    values: Mapping[str, Json]
    run: int | None = None
    epochs: Sequence[Json] = ()


@dataclass(frozen=True)
class Event:
    """One event, as it is sent."""

    number: int
    name: str
    data: str


@dataclass
class _Channel:
    """One project's events. `number`: of the last one; it grows for as long as the process lives."""

    number: int = 0
    watchers: int = 0
    pulse: Pulse | None = None
    told: dict[str, str] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))

    def add(self, name: str, data: str) -> None:
        self.number += 1
        self.events.append(Event(self.number, name, data))


class Hub:
    """All streams of a process. Safe for threads."""

    def __init__(self, look: Callable[[str], Pulse], most_watchers: int) -> None:
        """look: reads a project by its uid. most_watchers: each holds a thread of the web server."""
        self.name = secrets.token_hex(4)
        self._look = look
        self._most = most_watchers
        self._channels: dict[str, _Channel] = {}
        self._changed = threading.Condition()
        self._soon = threading.Event()
        self._thread: threading.Thread | None = None

    def enter(self, uid: str) -> Watcher | None:
        """A watcher of the project, to be left again; None when all places are taken."""
        with self._changed:
            if sum(channel.watchers for channel in self._channels.values()) >= self._most:
                return None
            channel = self._channels.setdefault(uid, _Channel())
            channel.watchers += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="map-events", daemon=True)
                self._thread.start()
        return Watcher(self, uid)

    def leave(self, uid: str) -> None:
        """The other end of `enter`."""
        with self._changed:
            self._channels[uid].watchers -= 1

    def since(self, uid: str, number: int, wait_seconds: float) -> list[Event]:
        """Events after a number; waits for one at most so long."""
        with self._changed:
            channel = self._channels[uid]
            if channel.number <= number:
                self._changed.wait(wait_seconds)
            return [event for event in channel.events if event.number > number]

    def begin(self, uid: str, last_id: str | None) -> tuple[int, list[Event]]:
        """Where a watcher starts: the number to go on from, and what to send first."""
        with self._changed:
            channel = self._channels[uid]
            missed = self._missed(channel, last_id)
            if missed is not None:
                return channel.number, missed
            if channel.pulse is None:
                return channel.number, []  # nobody watched before: the first look tells everything
            return channel.number, _everything(channel.pulse, channel.number)

    def _missed(self, channel: _Channel, last_id: str | None) -> list[Event] | None:
        """None: what was missed is not known any more."""
        name, _, text = (last_id or "").partition("-")
        if name != self.name or not text.isdecimal() or len(text) > 18:
            return None
        number = int(text)
        oldest = channel.events[0].number if channel.events else channel.number + 1
        if not oldest - 1 <= number <= channel.number:
            return None
        return [event for event in channel.events if event.number > number]

    def look_soon(self) -> None:
        """Something was just written here: whoever did it waits to see it."""
        self._soon.set()

    def _run(self) -> None:
        while True:
            self._soon.clear()
            with self._changed:
                watched = [uid for uid, channel in self._channels.items() if channel.watchers > 0]
                if not watched:
                    # What comes after this is not seen, so nobody may go on from before it.
                    self._channels.clear()
                    self.name = secrets.token_hex(4)
                    self._thread = None
                    return
            for uid in watched:
                self._look_at(uid)
            self._soon.wait(LOOK_SECONDS)

    def _look_at(self, uid: str) -> None:
        try:
            pulse = self._look(uid)
        except LanternError as error:
            log.warning("the events of project %s cannot be read: %s", uid, error)
            return
        except Exception:  # the thread must go on: it serves other projects too
            log.exception("the events of project %s cannot be read", uid)
            return
        with self._changed:
            channel = self._channels[uid]
            for name, data in _news(channel, pulse):
                channel.add(name, data)
            channel.pulse = pulse
            self._changed.notify_all()


@dataclass
class Watcher:
    """One stream's place in the hub."""

    hub: Hub
    uid: str
    left: bool = False

    def leave(self) -> None:
        """Free the place; again is harmless."""
        if not self.left:
            self.left = True
            self.hub.leave(self.uid)


def _news(channel: _Channel, pulse: Pulse) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    before = channel.pulse
    known = len(before.epochs) if before is not None and before.run == pulse.run else 0
    if known > len(pulse.epochs):
        known = 0  # the run was begun again
    found += [("epoch", _text(epoch)) for epoch in pulse.epochs[known:]]
    for name, value in pulse.values.items():
        text = _text(value)
        if channel.told.get(name) != text:
            channel.told[name] = text
            found.append((name, text))
    return found


def _everything(pulse: Pulse, number: int) -> list[Event]:
    """All of it carries the number of the last event: who has read it has missed nothing."""
    events = [Event(number, "epoch", _text(epoch)) for epoch in pulse.epochs]
    return events + [Event(number, name, _text(value)) for name, value in pulse.values.items()]


def _text(value: Json) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
