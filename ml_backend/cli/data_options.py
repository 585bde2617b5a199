"""What simulate and propagate share: options about the data, and the bar that shows how far they are."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from ml_backend.config import Settings

if TYPE_CHECKING:
    from ml_backend.data.encoders import EncoderOptions

DATA_HELP = "\n".join(
    (
        ".npz with x (N,D), or uint8 pictures x (N,H,W[,C]), or text; or .jsonl/.csv with text, embedding or image",
        "in each row. x wins over text unless --encoder is given.",
    )
)


def add_data_options(parser: ArgumentParser) -> None:
    """DATA and --encoder."""
    parser.add_argument("data", help=DATA_HELP, metavar="DATA", type=Path)
    parser.add_argument("--encoder", help="vector, text, pixels, sentence-transformers:NAME or openai:MODEL")
    parser.add_argument("--device", help="cpu, cuda, cuda:N or auto (LANTERN_DEVICE)")
    parser.add_argument("--home", help="folder that remembers encoded texts (LANTERN_HOME)", type=Path)


def settings_of(args: Namespace) -> dict[str, object]:
    """Settings that the options set; None = not given."""
    return {"home": args.home, "device": args.device}


def encoder_options(settings: Settings) -> EncoderOptions:
    """Where texts are encoded."""
    from ml_backend.data.encoders import EncoderOptions

    return EncoderOptions(
        embeddings_url=settings.embeddings_url,
        embeddings_api_key=settings.embeddings_api_key,
        device=settings.device,
    )


Progress = Callable[[str, float], None]


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Gives the function to call with a step's name and the share done: a bar on a terminal, elsewhere (a pipeline's
    log) a line for each tenth, both on standard error.
    """
    if not sys.stderr.isatty():
        yield _lines()
        return
    with tqdm(total=1.0, bar_format="{percentage:3.0f}%|{bar:30}| {elapsed} {desc}", leave=False) as bar:

        def show(what: str, share: float) -> None:
            bar.set_description_str(what, refresh=False)
            bar.n = min(max(share, bar.n), 1.0)
            bar.refresh()

        yield show


def _lines() -> Progress:
    told = -1

    def show(what: str, share: float) -> None:
        nonlocal told
        tenth = int(min(share, 1.0) * 10)
        if tenth > told:
            told = tenth
            print(f"{tenth * 10:3d} %  {what}", file=sys.stderr, flush=True)

    return show
