"""Targets that an epoch holds fixed: what an item's neighbours say of its component, and tau of each label set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, identity
from torch import Tensor

from ml_backend.core.batches import PoolBatches
from ml_backend.core.labels import LabelSet
from ml_backend.core.vae import ComponentVAE

TEACHER_M = 8
"""Components kept of each item's teacher."""
STEPS = 1
"""Two or more steps gain nothing on MNIST and lose half a point on CLINC150."""
SHARPNESS = 1.25
"""Keeps the average as crisp as what went in."""
CHUNK = 4096


@dataclass(frozen=True)
class NeighbourTeacher:
    """indices (N, M) int64 components, values (N, M) float32; rows sum to 1, or to 0 for items without neighbours."""

    indices: NDArray[np.int64]
    values: NDArray[np.float32]


@torch.no_grad()
def anchored_r(vae: ComponentVAE, pool: PoolBatches, top_m: int) -> csr_matrix:
    """(N, K) with the top M anchored responsibilities of each row.

    A teacher made of the present r follows its own pupil: with every epoch r grows harder and components merge
    (CLINC150 lost 6 points in 20 epochs). The anchored one has a fixed point.
    """
    top_m = min(top_m, vae.n_components)
    indices = np.empty((len(pool), top_m), dtype=np.int64)
    values = np.empty((len(pool), top_m), dtype=np.float32)
    for rows, _, base in pool.chunks():
        top = vae.anchored_log_r(base).topk(top_m, dim=1)
        indices[rows], values[rows] = top.indices.cpu().numpy(), top.values.exp().cpu().numpy()
    return _as_matrix(indices, values, vae.n_components)


def mutual_graph(neighbours: NDArray[np.int32]) -> csr_matrix:
    """(N, N) 0/1 graph of mutual neighbours; items without any keep one-sided ones. neighbours (N, k), -1 = none."""
    n, k = neighbours.shape
    rows = np.repeat(np.arange(n), k)
    columns = neighbours.ravel()
    real = columns >= 0
    graph = csr_matrix((np.ones(int(real.sum()), np.float32), (rows[real], columns[real])), shape=(n, n))
    graph.data[:] = 1.0
    mutual = graph.multiply(graph.T).tocsr()
    lonely = np.flatnonzero(np.diff(mutual.indptr) == 0)
    keep = csr_matrix((np.ones(len(lonely), np.float32), (lonely, lonely)), shape=(n, n))
    return (mutual + keep @ graph).tocsr()


def neighbour_teacher(graph: csr_matrix, r: csr_matrix) -> NeighbourTeacher:
    """r diffused STEPS times over the graph (N, N) with self-loops, cut to TEACHER_M components a step, then sharpened.

    Sharpening, r^SHARPNESS renormalised, keeps the assignments crisp.
    """
    lonely = np.flatnonzero(np.diff(graph.indptr) == 0)
    looped = graph + identity(graph.shape[0], dtype=np.float32, format="csr")
    indices, values = _average(looped, r)
    for _ in range(STEPS - 1):
        indices, values = _average(looped, _as_matrix(indices, values, r.shape[1]))
    values = values**SHARPNESS
    values /= np.maximum(values.sum(1, keepdims=True), 1e-12)
    values[lonely] = 0.0
    return NeighbourTeacher(indices, values)


def _average(graph: csr_matrix, r: csr_matrix) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Largest components of each row of graph @ r and their shares, (N, M) each, in chunks of dense rows."""
    top_m = min(TEACHER_M, r.shape[1])
    indices = np.empty((graph.shape[0], top_m), dtype=np.int64)
    values = np.empty((graph.shape[0], top_m), dtype=np.float32)
    for start in range(0, graph.shape[0], CHUNK):
        rows = slice(start, start + CHUNK)
        top = torch.from_numpy((graph[rows] @ r).toarray()).topk(top_m, dim=1)
        indices[rows] = top.indices.numpy()
        values[rows] = (top.values / top.values.sum(1, keepdim=True).clamp_min(1e-12)).numpy()
    return indices, values


def _as_matrix(indices: NDArray[np.int64], values: NDArray[np.float32], n_components: int) -> csr_matrix:
    n, top_m = indices.shape
    pointers = np.arange(0, n * top_m + 1, top_m)
    return csr_matrix((values.ravel(), indices.ravel(), pointers), shape=(n, n_components))


@torch.no_grad()
def label_tau(vae: ComponentVAE, pool: PoolBatches, labels: LabelSet, alpha0: float | None) -> Tensor:
    """tau (K, Y) = (s + alpha0) / sum_y (s + alpha0), soft counts s from dense r of the labelled rows; None = 1/Y."""
    n_classes = len(labels.classes)
    smoothing = 1.0 / n_classes if alpha0 is None else alpha0
    counts = torch.full((vae.n_components, n_classes), smoothing, device=vae.pi_logits.device)
    targets = torch.from_numpy(labels.targets).float().to(counts.device)
    for start in range(0, len(labels.rows), CHUNK):
        rows = slice(start, start + CHUNK)
        counts += vae.infer(*pool.take(labels.rows[rows])).log_r.exp().T @ targets[rows]
    return counts / counts.sum(1, keepdim=True)
