#!/bin/sh
# The image's entrypoint: `docker run IMAGE [serve|connect|disconnect|doctor|simulate|propagate] ...`; no words = serve.
set -eu

if [ "$#" -eq 0 ]; then
    set -- serve
fi

# exec: Lantern gets the container's SIGTERM itself.
exec lantern "$@"
