"""Lantern without Label Studio: a simulated person answers its queries, next to baselines on the same embeddings."""

from ml_backend.engine.simulation.lantern import LoopSettings
from ml_backend.engine.simulation.simulate import SimulationOptions, SimulationResult, SimulationRow, simulate

__all__ = ["LoopSettings", "SimulationOptions", "SimulationResult", "SimulationRow", "simulate"]
