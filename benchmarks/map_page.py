"""How fast the map's page is in a headless Chromium without a graphics card: loading, moving, lassoing.

    python -m benchmarks.map_page [--points 100000 1000000]

Made-up points from a server on this machine, 1,400 x 860 pixels. `make frontend` must have built the page.
"""

from __future__ import annotations

import argparse
import sys
import time

from playwright.sync_api import Browser, sync_playwright

from ml_backend.demo.browser import SOFTWARE_GL, WITHOUT_GL, chromium
from tests.web.page.synthetic_map import SyntheticMap, serving

SETTLE_MILLISECONDS = 3000
FRAMES = 60
OUTLINE = ((500, 300), (800, 300), (800, 600), (500, 600))
FLAGS = {"canvas": WITHOUT_GL, "gl": SOFTWARE_GL}
HEAD = "| renderer | points | on screen, s | median frame, ms | 95 %, ms | lasso, s | of it selected |"


def main() -> int:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--points", type=int, nargs="+", default=[100_000, 1_000_000])
    chosen = parser.parse_args()
    sys.stdout.write(f"{HEAD}\n|{' --- |' * 7}\n")
    with sync_playwright() as playwright:
        for kind, flags in FLAGS.items():
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(flags))
            for points in chosen.points:
                sys.stdout.write(measure(browser, kind, points) + "\n")
            browser.close()
    return 0


def measure(browser: Browser, kind: str, points: int) -> str:
    """One row of the table."""
    with serving(SyntheticMap(points)) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 860})
        page.set_default_timeout(300_000)
        start = time.perf_counter()
        page.goto(f"{address}?renderer={'gl' if kind == 'gl' else 'cpu'}")
        page.wait_for_function("window.__map?.ready === true")
        page.evaluate("window.__map.fps(1)")
        loaded = time.perf_counter() - start
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        speed = page.evaluate("(frames) => window.__map.fps(frames)", FRAMES)
        page.mouse.move(*OUTLINE[0])
        page.mouse.down()
        for corner in OUTLINE[1:]:
            page.mouse.move(*corner, steps=4)
        start = time.perf_counter()
        page.mouse.up()
        page.wait_for_function("window.__map.selection().length > 0")
        lassoed, chosen = time.perf_counter() - start, page.evaluate("window.__map.selection().length")
        page.close()
    return f"| {kind} | {points:,} | {loaded:.2f} | {speed['median']} | {speed['p95']} | {lassoed:.2f} | {chosen:,} |"


if __name__ == "__main__":
    sys.exit(main())
