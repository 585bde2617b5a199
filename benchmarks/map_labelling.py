"""How long a label for 500 points takes to show on the map, with all that follows from it: the real store, engine and
web app, the real page in a headless Chromium.

    python -m benchmarks.map_labelling [--items 20000] [--label 500] [--rounds 5]

Made-up vectors in 150 groups, of which each round labels a few. Label Studio is played in memory; what is labelled is
sent to it meanwhile, as ever. `make frontend` must have built the page. Seconds count from the key press.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from benchmarks.training_speed import vectors
from ml_backend.config import Settings
from ml_backend.demo.browser import WITHOUT_GL, chromium
from ml_backend.demo.ports import free_port
from ml_backend.engine.engine import Engine
from ml_backend.engine.project import ProjectEngine
from ml_backend.engine.warm_views import WarmViews
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.link_keys import CONNECTION_KEY, digest
from ml_backend.label_studio.map_acts import MapActs
from ml_backend.label_studio.media_access import fetcher_factory
from ml_backend.label_studio.outbox import Outbox
from ml_backend.label_studio.people import People
from ml_backend.label_studio.service import LanternService
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, tasks
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.web.app import create_app
from ml_backend.web.map import MapContext
from tests.label_studio.fake_people import ANN, FakeWithPeople

BUDGET_SECONDS = 1.0
NUMBER, CREATED, KEY = 5, 1_783_600_000, "key"
UID = f"{NUMBER}.{CREATED}"
GROUPS, DIMENSIONS, CLASSES = 150, 96, 10
CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text">{}</Choices>
</View>""".format("".join(f'<Choice value="class {i}"/>' for i in range(CLASSES)))
CHUNK, SETTLE_MILLISECONDS = 2_000, 4_000

WATCH = """([chosen, others]) => {
  const map = window.__map, colours = (rows) => rows.map((row) => map.colourOf(row));
  const differing = (rows, before) => rows.filter((row, i) => map.colourOf(row) !== before[i]).length;
  const own = colours(chosen), was = colours(others), times = { own: null, spread: null, started: null };
  window.__times = times;
  window.addEventListener('keydown', () => (times.started = performance.now()), { capture: true });
  const look = () => {
    if (times.started !== null) {
      const now = performance.now() - times.started;
      if (differing(chosen, own) === chosen.length) times.own ??= now;
      if (differing(others, was) > others.length / 2) times.spread ??= now;
    }
    if (times.own === null || times.spread === null) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
"""Notes when labelled rows, and most of the rows that follow, have another colour: milliseconds since the last key."""


def fill(db: Database, n: int) -> None:
    """A connected project with n tasks, and one label in every third group."""
    x = vectors(n, DIMENSIONS)
    connection = {"url": "http://ls.test", "connected": True, CONNECTION_KEY: digest(KEY)}
    with db.write() as session:
        projects.configure(session, projects.ensure(session, UID), label_config=CONFIG, connection=connection)
    for start in range(0, n, CHUNK):
        rows = range(start, min(start + CHUNK, n))
        data = [(i + 1, {"text": f"item {i}", "embedding": x[i].round(4).tolist()}) for i in rows]
        with db.write() as session:
            project = projects.ensure(session, UID)
            projects.touch_data(session, project, tasks.upsert_many(session, project, data), time.time())
    with db.write() as session:
        project = projects.ensure(session, UID)
        labels = [_label(group) for group in range(0, GROUPS, 3)]
        projects.touch_labels(session, project, annotation_rows.apply_many(session, project, labels), time.time())


def _label(group: int) -> AnnotationRow:
    name = f"class {group % (CLASSES - 1)}"
    result = [{"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": [name]}}]
    return AnnotationRow(group + 1, group + 1, "2", result, False, time.time())


@contextmanager
def serving(home: Path, n: int) -> Iterator[str]:
    """The page's address, while the web app serves it."""
    settings, db = Settings(home=home, debounce_seconds=3600.0), Database.open(home)
    connections = Connections(settings)
    engine = Engine(db, settings, fetcher_factory(settings, connections))
    fill(db, n)
    worker, deadline = ProjectEngine(db, settings, engine.readers), time.monotonic() + 1800
    while engine.view(UID) is None:
        worker.run(UID)
        assert time.monotonic() < deadline
    maps = MapContext(settings, db, engine, connections)
    created = datetime.fromtimestamp(CREATED, UTC).isoformat()
    fake = FakeWithPeople(project={"id": NUMBER, "created_at": created, "label_config": CONFIG, "title": "p"})
    fake.add_tasks(*range(1, n + 1))
    people = People(connections, api_at=fake.api_at)
    sender = Outbox(db, on_refused=people.forget)
    object.__setattr__(maps, "people", people)
    object.__setattr__(maps, "acts", MapActs(db, engine, sender))
    port, warm = free_port(), WarmViews(engine)
    warm.start()
    server = make_server(
        "127.0.0.1", port, create_app(settings, LanternService(settings, db, engine), maps=maps), threaded=True
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{port}/map/{UID}"
    warm.stop()
    sender.stop()
    server.shutdown()
    db.close()


def round_of(page: Page, n: int, labelled: int, number: int) -> tuple[float, float]:
    """(seconds until the labelled points, until most of those that follow have another colour)."""
    per_group = labelled // max(1, round(labelled / (0.6 * n / GROUPS)))
    groups = [1 + 3 * (number * 20 + i) % GROUPS for i in range(-(-labelled // per_group))]
    of_group = [np.arange(group, n, GROUPS) for group in groups]
    chosen = np.concatenate([rows[:per_group] for rows in of_group])[:labelled].tolist()
    others = np.concatenate([rows[per_group:] for rows in of_group]).tolist()
    page.evaluate("(rows) => window.__map.select(rows)", chosen)
    page.evaluate(WATCH, [chosen, others])
    page.keyboard.press("0" if number % 2 == 0 else "9")
    if page.get_by_role("group", name="Please confirm").is_visible():
        page.keyboard.press("Enter")
    page.wait_for_function("window.__times.own !== null && window.__times.spread !== null")
    times = page.evaluate("window.__times")
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    return times["own"] / 1000, times["spread"] / 1000


def main() -> int:
    """Prints the medians, every round, and the machine's load."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--label", type=int, default=500, help="points that get a label at once")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home), chosen.items) as address,
        sync_playwright() as player,
    ):
        browser = player.chromium.launch(executable_path=chromium(), args=list(WITHOUT_GL))
        page = browser.new_page(viewport={"width": 1400, "height": 860})
        page.set_default_timeout(60_000)
        page.add_init_script(f"sessionStorage.setItem('lantern.token.{UID}', '{ANN}')")
        page.goto(f"{address}?renderer=cpu#key={KEY}")
        page.wait_for_function("window.__map?.ready === true")
        page.get_by_role("button", name="Sign out").wait_for()
        page.wait_for_timeout(3000)
        found = [round_of(page, chosen.items, chosen.label, number) for number in range(chosen.rounds)]
        browser.close()
    own, spread = ([one[i] for one in found] for i in (0, 1))
    median, load = statistics.median(spread), os.getloadavg()[0]
    verdict = "met" if median <= BUDGET_SECONDS else "MISSED"
    sys.stdout.write(
        f"{chosen.label} of {chosen.items} points recoloured after {statistics.median(own):.2f} s, what follows from "
        f"them after {median:.2f} s (budget {BUDGET_SECONDS:.0f} s: {verdict})\n"
        f"rounds: {', '.join(f'{one:.2f}' for one in spread)}; load {load:.1f} on {os.cpu_count()} cores\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
