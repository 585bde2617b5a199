"""How far a label on one component speaks for another: by a walk over the neighbour graph, and by their cosine.

Copies of an item have nothing but each other as neighbours, so that no walk leads from one variant of a log line to the
next, however alike they are. There the components themselves are compared, as neighbours are (`core.kernel`).

Facility location over what a question covers chooses what to label: few labels go to the hubs of large regions, more
labels to their parts, so that no budget has to be known in advance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.kernel import label_weight
from ml_backend.core.labels import as_matrix
from ml_backend.core.responsibilities import SparseResponsibilities

REACH = 0.9
"""Chance that the walk goes on at each step. On CLINC150 .8 to .95 were within a point of each other, .5 lost 7."""

FIRST_REACH = 0.97
"""The same for the first labels of a session (`batch.FIRST_LABELS`), which should speak for as much as they can: of the
ten digits 10 labels meet all instead of 9 (accuracy on 10,000 images .96 instead of .87). For all labels, 3 points less
on CLINC150 with 150; for the first ten, half a point."""

TRUST = 4
"""Of what is asked, a walk says at most the cosine by this power: from a few copies whose only other neighbours are
strangers it comes there almost surely (Mac's log lines: .81 at a cosine of .49). With 1 or 2 groups were left out for
that, a point of accuracy on Mac with 100 labels; 8 would be the cosine alone. The first labels of a session, which
should spread as far as they can, go without: with it ten named under a fifth of the demo's notifications, not 23 %."""

ISOLATED = 1e-9
"""Weight of the step from a component to itself, so that one without neighbours has a walk too."""


@dataclass(frozen=True)
class ComponentGraph:
    """affinity: (K, K) in [0, 1], [c, d] = how far a label on d speaks for c; 1 on the diagonal. The larger of the
    chance that a walk from c reaches d before it stops, and of what a label at their cosine is worth.
    covering: (K, K) in [0, 1], how far a question about d may stand for one about c: the same, but with a walk that
    says at most cosine^trust. To spread labels to strangers with little confidence does no harm, not to ask about them
    does.

    mass: (K,) share of the pool on each component, sums to at most 1.
    """

    affinity: NDArray[np.float64]
    covering: NDArray[np.float64]
    mass: NDArray[np.float64]

    @staticmethod
    def of(
        responsibilities: SparseResponsibilities,
        neighbours: NDArray[np.int32],
        similarities: NDArray[np.float32],
        reach: float = REACH,
        cosines: NDArray[np.float32] | None = None,
        *,
        trust: float = TRUST,
    ) -> ComponentGraph:
        """Steps go along the neighbour lists, weighed by cosine, from an item's first component to its neighbour's.

        reach: in [0, 1), chance that the walk goes on at each step. cosines: (K, K) in [-1, 1], of the components;
        None: not known, the walk alone counts. trust: >= 0, see TRUST; 0 = the walk is believed as it is.
        """
        k, home = responsibilities.n_components, responsibilities.indices[:, 0].astype(np.int64)
        weight = np.where(neighbours >= 0, np.maximum(similarities, 0.0), 0.0)
        edges = (home[:, None] * k + home[neighbours]).ravel()
        flow = np.bincount(edges, weights=weight.ravel(), minlength=k * k).reshape(k, k)
        steps = flow + flow.T + ISOLATED * np.eye(k)
        walk = steps / steps.sum(axis=1, keepdims=True)
        visits = np.linalg.inv(np.eye(k) - reach * walk)
        mass = np.asarray(as_matrix(responsibilities).sum(axis=0), np.float64).ravel()
        reached = np.minimum(visits / np.diag(visits), 1.0)
        mass /= max(len(home), 1)
        if cosines is None:
            return ComponentGraph(reached, reached, mass)
        cosine = np.clip(cosines.astype(np.float64), 0.0, 1.0)
        alike = label_weight(cosine)
        covering = np.maximum(np.minimum(reached, cosine**trust), alike)
        return ComponentGraph(np.maximum(reached, alike), covering, mass)

    @cached_property
    def squared_affinity(self) -> NDArray[np.float64]:
        """(K, K) in [0, 1]; made once."""
        return np.square(self.affinity)

    def coverage(self, labelled: SparseResponsibilities, answers: NDArray[np.int64]) -> NDArray[np.float64]:
        """(K,) in [0, 1]: how well the labelled items speak for each component; 0 without any.

        answers: (n,) equal numbers for items that were given the same. Those speak independently: a component is
        missed by all of them with the product of the chances that each misses it, so that a message need not be asked
        about under each of its names. Of different answers the one that says most counts.
        """
        missed = np.ones(len(self.mass))
        by_answer = np.argsort(answers, kind="stable")
        for items in np.split(by_answer, np.flatnonzero(np.diff(answers[by_answer])) + 1):
            by_all = np.ones(len(self.mass))
            for indices, r in zip(labelled.indices[items], labelled.values[items], strict=True):
                by_all *= 1.0 - self.covered_by(indices, r)
            np.minimum(missed, by_all, out=missed)
        return 1.0 - missed

    def covered_by(self, indices: NDArray[np.int32], r: NDArray[np.float32]) -> NDArray[np.float64]:
        """(K,) the same of one item, from its listed components (M,) and their r (M,), by falling r.

        Its first component counts as covered, the others in proportion. Weighed with r itself, a component that has
        been asked about stays partly open and is asked about again and again (347 of 500 questions on MNIST were 1s).
        """
        return np.asarray((self.covering[:, indices] * (r / max(float(r[0]), 1e-12))).max(axis=1))

    def importance(self, rooted: float, unsure: NDArray[np.float64]) -> NDArray[np.float64]:
        """(K,) what covering each component is worth, sums to 1: mass^(1 - rooted / 2) unsure^2, rooted in 0..1.

        unsure: (K,) in [0, 1], HIGH = its items may be named wrongly.
        With the mass itself large groups come first; with its root small ones come before large ones are asked thrice.
        """
        weight = self.mass ** (1.0 - 0.5 * rooted) * unsure**2
        return np.asarray(weight / max(float(weight.sum()), ISOLATED))

    def gain(self, importance: NDArray[np.float64], coverage: NDArray[np.float64], component: int) -> float:
        """Importance (K,) that a label on the component would newly cover."""
        return float(importance @ np.maximum(self.covering[:, component] - coverage, 0.0))
