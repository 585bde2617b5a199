"""Index, train, propagate, rank, publish: in memory (pool) and persisted (project). README.md has the layer's law."""
