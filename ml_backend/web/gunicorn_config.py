"""Gunicorn's configuration, read by `gunicorn -c python:ml_backend.web.gunicorn_config`; the names are gunicorn's.

Never preload: faiss hangs in a process forked after its first search, and a CUDA context does not survive a fork. So
the parent imports neither; each web process builds its own app.
"""

from __future__ import annotations

import os
from pathlib import Path

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from prometheus_client import multiprocess

from ml_backend.config import Settings
from ml_backend.logs import configure_logging
from ml_backend.web.run_environment import LISTENER, MULTIPROCESS_DIRECTORY, STILL_SERVING

GRACEFUL_SECONDS = 20
"""Longest time that a request may go on after SIGTERM: with the supervisor's waits well below 30 s."""

_settings = Settings.from_environment(os.environ)
configure_logging(_settings.log_level, _settings.secrets())

bind = f"fd://{os.environ[LISTENER]}" if LISTENER in os.environ else f"{_settings.bind_host}:{_settings.port}"
workers = _settings.workers
worker_class = "gthread"
threads = _settings.threads
preload_app = False
graceful_timeout = GRACEFUL_SECONDS
# For gthread this is the longest time without a heartbeat, not without a reply.
timeout = 120
# Longer than Label Studio's requests lie apart while someone labels; below the 60 s of common proxies.
keepalive = 30
accesslog = None
control_socket_disable = True
loglevel = _settings.log_level.lower()
logger_class = "ml_backend.web.gunicorn_logger.QuietLogger"
if Path("/dev/shm").is_dir():
    # The heartbeat file must not wait for a busy disk.
    worker_tmp_dir = "/dev/shm"


def post_worker_init(worker: Worker) -> None:
    """Lets the app see that its process was told to stop: a stream would go on until it is killed."""
    worker.wsgi.config[STILL_SERVING] = lambda: bool(worker.alive)


def child_exit(_server: Arbiter, worker: Worker) -> None:
    """A web process is gone: its gauges no longer count."""
    if MULTIPROCESS_DIRECTORY in os.environ:
        multiprocess.mark_process_dead(worker.pid)
