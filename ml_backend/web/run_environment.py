"""Variables by which `lantern serve` tells its web processes where things are. Not settings: users never set them."""

LISTENER = "LANTERN_LISTENER"
"""Number of the open listening socket."""
STOPPING_FILE = "LANTERN_STOPPING_FILE"
"""While the file of this name exists, /ready says 503."""
MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""Folder where the web processes keep their metrics; the name is prometheus_client's."""
