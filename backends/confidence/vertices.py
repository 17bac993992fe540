"""From the confidence of a body to its vertices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backends.body import BodyModel
from backends.confidence.expected import make_sites, vertex_bounds, vertex_errors
from backends.confidence.types import BodyConfidence

F4 = npt.NDArray[np.float32]


def vertex_mm(body: BodyModel, confidence: BodyConfidence) -> F4:
    """(V,) float32 expected error of each vertex, mm.

    Projects of earlier versions do not say how errors hang together; there a vertex has the mean over the
    ends of the bones that move it.
    """
    if confidence.sites is not None:
        return vertex_errors(make_sites(body), confidence.sites)
    mm: F4 = (body.end_weights @ confidence.joint_mm.astype(np.float64)).astype(np.float32)
    return mm


def vertex_bound_mm(body: BodyModel, confidence: BodyConfidence) -> F4 | None:
    """(V,) float32 the error that nine of ten of each vertex's stay under, mm; None where it is not known."""
    if confidence.sites is None:
        return None
    return vertex_bounds(make_sites(body), confidence.sites)
