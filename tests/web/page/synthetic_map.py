"""The map's interface on made-up points, for tests of the page: `python -m tests.web.page.synthetic_map 20000`."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from ml_backend.engine.map_colours import PALETTE
from ml_backend.web.map.column_bytes import pack
from ml_backend.web.map.page import BUILT, policy

CLASSES = (
    "refund", "card arrival", "top up", "exchange rate", "lost card", "cash", "transfer", "identity", "fees", "close",
)  # fmt: skip
NOBODY = 65_535
FIRST_TASK = 1000


@dataclass
class SyntheticMap:
    """Clusters of n points; what the page posts changes them."""

    n: int
    seed: int = 0
    columns: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    versions: dict[str, object] = field(default_factory=dict)
    bodies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)
    """Replies to GET, by path."""
    outbox: dict[str, object] = field(
        default_factory=lambda: {"waiting": 0, "failed": 0, "sent": 0, "needs": list[object]()}
    )
    shown_as: dict[str, str] = field(default_factory=dict)
    """Names that people chose, by class."""
    refuse_link: bool = False
    refuse_events: bool = False
    drop_events: bool = False

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        groups = 40
        centres = rng.uniform(-0.8, 0.8, (groups, 2))
        weight = rng.dirichlet(np.ones(groups))
        component = rng.choice(groups, self.n, p=weight)
        xy = centres[component] + rng.normal(size=(self.n, 2)) * rng.uniform(0.02, 0.07, groups)[component, None]
        kind = (component % len(CLASSES)).astype(np.uint16)
        odd = component >= groups - 3
        status = np.where(odd, 3, np.where(rng.random(self.n) < 0.01, 2, 1)).astype(np.uint8)
        self.columns = {
            "ids": np.arange(FIRST_TASK, FIRST_TASK + self.n, dtype=np.uint32),
            "xy": np.clip(xy, -1, 1).astype(np.float32),
            "class": np.where(odd, NOBODY, kind).astype(np.uint16),
            "status": status,
            "pending": np.zeros(self.n, np.uint8),
            "confidence": _byte(1 - 0.7 * rng.random(self.n) ** 3),
            "s_ood": _byte(np.where(odd, rng.uniform(0.85, 1, self.n), 0.8 * rng.random(self.n) ** 2)),
            "novelty": _byte(np.where(odd, 0.9, rng.random(self.n) ** 2)),
            "aleatoric": _byte(rng.random(self.n)),
            "disagreement": _byte(rng.random(self.n) ** 4),
            "density": _byte(weight[component] / weight.max()),
            "component": component.astype(np.uint32),
            "changed": (rng.random(self.n) < 0.05).astype(np.uint8),
        }
        self.versions = {"publication": 1, "labels": 1, "layout": 1, "rows": "a", "frame": 0, "marks": "a"}

    @property
    def xy(self) -> NDArray[np.float32]:
        """(n, 2) where the points are."""
        return self.columns["xy"].astype(np.float32, copy=False)

    def state(self) -> dict[str, object]:
        """The reply of GET state."""
        classes = []
        for i, name in enumerate(CLASSES):
            own = self.columns["class"] == i
            human = int((own & (self.columns["status"] == 2)).sum())
            look = {"name": name, "shown_as": self.shown_as.get(name, name), "colour": PALETTE[i]}
            classes.append({**look, "human": human, "propagated": int(own.sum()) - human})
        labelled = int((self.columns["status"] == 2).sum())
        return {
            "project": "5.1",
            "title": "Synthetic questions",
            "task_kind": "text",
            "label_studio": {"url": "http://127.0.0.1:1", "project": 5},
            "items": self.n,
            "versions": self.versions,
            "controls": [{"name": "intent", "kind": "single", "classes": classes}],
            "layout": {"kind": "pacmap", "better_on_its_way": False},
            "progress": {
                "labelled": labelled,
                "tasks": self.n,
                "covered_mass": 0.8,
                "accuracy": {"estimate": 0.87, "low": 0.84, "high": 0.9, "labels": labelled},
                "unreadable": 0,
            },
            "training": {
                "status": "idle",
                "run": None,
                "epoch": 0,
                "epochs": 0,
                "phase": None,
                "reason_disabled": None,
            },
            "settings": {"alpha0": None, "never_seen_level": 0.05, "query": "lantern"},
            "outbox": self.outbox,
            "changed": {"run": None, "count": 0},
            "components": 40,
            "used_components": 40,
        }

    def card(self, row: int) -> dict[str, object]:
        """One item."""
        index = int(self.columns["class"][row])
        name = None if index == NOBODY else CLASSES[index]
        human = self.columns["status"][row] == 2
        return {
            "row": row, "task": int(self.columns["ids"][row]), "kind": "text", "text": f"Question {row}",
            "thumbnail": False,
            "label": name if human else None, "annotators": ["ada"] if human else [], "predicted": name,
            "confidence": float(self.columns["confidence"][row]) / 255, "top": [[name, 0.8]] if name else [],
            "s_ood": 0.1, "novelty": 0.1, "aleatoric": 0.1, "disagreement": 0.1,
            "component": int(self.columns["component"][row]), "reason": "",
            "words": ["Quite sure."], "nearest_labelled": None,
        }  # fmt: skip

    def act(self, body: dict[str, object]) -> dict[str, object]:
        """Takes a label at once."""
        rows = np.asarray(body["tasks"], np.int64) - FIRST_TASK
        self.columns["class"][rows] = CLASSES.index(str(body["label"]))
        self.columns["status"][rows] = 2
        self.columns["pending"][rows] = 1
        self.versions = {**self.versions, "labels": int(str(self.versions["labels"])) + 1}
        act = {
            "id": len(self.bodies), "kind": "label", "label": body["label"], "control": "intent", "person": "Ada",
            "tasks": len(rows), "created_at": "2025-01-01T00:00:00+00:00", "undone": False,
            "progress": {"sent": 0, "failed": 0, "waiting": len(rows)}, "error": None,
        }  # fmt: skip
        return {"act": act, "kept": 0}

    def answer(self, row: int) -> None:
        """Somebody labels a task in Label Studio."""
        self._change("status", [row], 2)
        self.versions = {**self.versions, "labels": int(str(self.versions["labels"])) + 1}

    def delete(self, *rows: int) -> None:
        """Somebody deletes tasks in Label Studio: their rows stay."""
        self._change("ids", rows, 0)
        self._change("class", rows, NOBODY)
        self._change("status", rows, 5)
        self._publish()

    def turn_around(self) -> None:
        """Every task gets another row, the last one the first."""
        self.columns = {name: np.ascontiguousarray(values[::-1]) for name, values in self.columns.items()}
        self._publish()

    def _change(self, name: str, rows: Sequence[int], value: int) -> None:
        changed = self.columns[name].copy()
        changed[list(rows)] = value
        self.columns = {**self.columns, name: changed}

    def _publish(self) -> None:
        number = int(str(self.versions["publication"])) + 1
        self.versions = {**self.versions, "publication": number, "rows": f"of {number}"}

    def rename(self, name: str, shown_as: str) -> dict[str, object]:
        """The name of a class on the map; empty: its own again."""
        self.shown_as[name] = shown_as or name
        return {"shown_as": self.shown_as[name], "colour": PALETTE[CLASSES.index(name)]}

    def move(self, to: NDArray[np.float32]) -> None:
        """Another place for every point."""
        self.columns["xy"] = to.astype(np.float32)
        self.versions = {**self.versions, "frame": int(str(self.versions["frame"])) + 1}


def _byte(shares: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(255 * shares, 0, 255).astype(np.uint8)


def handler_of(world: SyntheticMap) -> type[BaseHTTPRequestHandler]:
    """Serves the built page and the made-up interface."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            path = urlsplit(self.path).path.rpartition("/api/")[2]
            world.bodies.append((path, body))
            if path == "session" and world.refuse_link:
                self._send(403, b'{"error": "this link is wrong or was revoked"}', "application/json")
            elif path == "session":
                self._json({"token": "t", "expires_in": 900})
            elif path == "sign-in":
                self._json({"person": {"id": 1, "name": "Ada", "email": "ada@example.org"}})
            elif path == "acts":
                self._json(world.act(body))
            elif path == "items":
                self._json({"items": [world.card(row) for row in body["rows"]]})
            elif path.startswith("controls/intent/classes/") and "shown_as" in body:
                self._json(world.rename(unquote(path.rpartition("/")[2]), body["shown_as"]))
            else:
                self._json({})

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            place, _, path = parts.path.partition("/api/")
            if not path:
                self._page(place)
            elif path in world.answers:
                self._json(world.answers[path])
            elif path == "state":
                self._json(world.state())
            elif path.startswith("columns/"):
                self._column(path.removeprefix("columns/"))
            elif path == "events":
                self._events()
            elif path.startswith("items/"):
                self._json(world.card(int(path.split("/")[1])) if path.count("/") == 1 else {"rows": []})
            elif path == "tasks":
                self._json({"row": int(parse_qs(parts.query)["value"][0]), "task": 1})
            else:
                self._json({"items": [], "acts": [], "runs": [], "rows": [], "components": [], "p": []})

        def _page(self, path: str) -> None:
            name = path.removeprefix("/map/assets/")
            file = BUILT / "assets" / name if name != path else BUILT / "index.html"
            kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
            if file.is_file():
                self._send(200, file.read_bytes(), kinds.get(file.suffix, "text/plain"), policy([]))
            else:
                self._send(404, b"", "text/plain")

        def _column(self, name: str) -> None:
            etag = f'"{name}-{hash(world.columns[name].tobytes())}"'
            if self.headers.get("If-None-Match") == etag:
                self._send(304, b"", "application/octet-stream", etag=etag)
            else:
                self._send(200, pack(world.columns[name]), "application/octet-stream", etag=etag)

        def _events(self) -> None:
            if world.refuse_events:
                self._send(503, b'{"error": "all taken"}', "application/json", extra={"Retry-After": "60"})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            told: object = None
            try:
                while not world.drop_events:
                    if told != world.versions:
                        told = world.versions
                        self.wfile.write(f"id: x-1\nevent: versions\ndata: {json.dumps(told)}\n\n".encode())
                    time.sleep(0.1)
            except OSError:
                return

        def _json(self, value: object) -> None:
            self._send(200, json.dumps(value).encode(), "application/json")

        def _send(
            self,
            status: int,
            body: bytes,
            kind: str,
            csp: str = "",
            *,
            etag: str = "",
            extra: dict[str, str] | None = None,
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in {"Content-Security-Policy": csp, "ETag": etag, **(extra or {})}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextmanager
def serving(world: SyntheticMap, port: int = 0) -> Iterator[str]:
    """The address of the page while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler_of(world))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/map/5"
    finally:
        world.drop_events = True
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    with serving(SyntheticMap(int(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else 0) as address:
        sys.stdout.write(address + "\n")
        threading.Event().wait()
