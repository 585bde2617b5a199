"""How a project's tasks are read: source and encoder, chosen once, then kept until somebody asks for another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_backend.config import Settings
from ml_backend.data.cache import EmbeddingCache
from ml_backend.data.encoders import EncoderOptions, build_encoder
from ml_backend.data.encoders.base import Encoder
from ml_backend.data.label_config import LabelSchema
from ml_backend.data.media import Fetcher
from ml_backend.data.source import Source, choose_source
from ml_backend.engine.settings import ProjectSettings
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

SAMPLE = 20
"""Tasks looked at when the source is chosen automatically."""

CACHE_FILE = "encodings.db"
SOURCE_KEY = "source"
"""In a project's settings: what was chosen for it."""

FetcherFor = Callable[[Project], Fetcher]
"""How media of a project are fetched: Label Studio's address and token differ by installation."""


@dataclass(frozen=True)
class Reader:
    """Everything needed to turn a project's tasks into rows."""

    encoder: Encoder
    source: Source
    cache: EmbeddingCache
    fetch: Fetcher

    @property
    def identity(self) -> str:
        """What rows depend on: rows of different identities do not belong into one pool."""
        return f"{self.encoder.name}[{self.source.field}]"


class Readers:
    """Makes readers; encoders stay loaded. Safe for threads: an encoder that is made twice is only made in vain."""

    def __init__(self, settings: Settings, cache_folder: Path, fetcher_for: FetcherFor) -> None:
        self._settings = settings
        self._fetcher_for = fetcher_for
        self.cache = EmbeddingCache(cache_folder / CACHE_FILE)
        self._encoders: dict[str, Encoder] = {}

    def reader(self, db: Database, project: Project, schema: LabelSchema, wanted: ProjectSettings) -> Reader:
        """The project's reader. Raises ConfigError, with the setting to mend, when nothing can be read."""
        source = self._source(db, project, schema, wanted)
        return Reader(self._encoder(source.encoder_spec), source, self.cache, self._fetcher_for(project))

    def loaded(self) -> frozenset[str]:
        """Names of the encoders that this process has used."""
        return frozenset(encoder.name for encoder in list(self._encoders.values()))

    def fetch_of(self, project: Project) -> Fetcher:
        """How the media of the project's tasks are fetched."""
        return self._fetcher_for(project)

    def _source(self, db: Database, project: Project, schema: LabelSchema, wanted: ProjectSettings) -> Source:
        kept = project.settings.get(SOURCE_KEY)
        asked = {"encoder": wanted.encoder, "field": wanted.field, "schema": schema.inputs_digest}
        if isinstance(kept, Mapping) and kept.get("asked") == asked:
            return choose_source(schema, [], str(kept["encoder"]), str(kept["field"]))
        source = choose_source(schema, self._samples(db, project), wanted.encoder, wanted.field)
        chosen = {"asked": asked, "encoder": source.encoder_spec, "field": source.field}
        with db.write() as session:
            row = projects.ensure(session, project.uid)
            projects.configure(session, row, settings={**row.settings, SOURCE_KEY: chosen})
        return source

    @staticmethod
    def _samples(db: Database, project: Project) -> Sequence[Mapping[str, object]]:
        with db.read() as session:
            ids = tasks.live_ids(session, project)[:SAMPLE]
            return [task.data for task in tasks.by_ids(session, project, ids)]

    def _encoder(self, spec: str) -> Encoder:
        if spec not in self._encoders:
            s = self._settings
            options = EncoderOptions(
                embeddings_url=s.embeddings_url, embeddings_api_key=s.embeddings_api_key, device=s.device
            )
            self._encoders[spec] = build_encoder(spec, options)
        return self._encoders[spec]
