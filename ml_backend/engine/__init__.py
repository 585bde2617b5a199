"""Index, train, propagate, rank, publish: in memory (pool) and persisted (project). See README.md for the layer's law."""
