"""Of which faces of a mesh the inner side can never be seen: those of closed surfaces, away from openings.

A look into a sleeve or under a hem ends somewhere; farther in, and all round a body's skin, faces that turn
their back to the camera are hidden by those on the near side. They need not be drawn, which is half the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

REACH_M = 0.28
"""As far as one looks into an opening: up a trouser leg from the floor."""


def closed_faces(
    vertices: F8, faces: npt.NDArray[np.integer[Any]], reach: npt.NDArray[np.float64] | float = REACH_M
) -> BoolArray:
    """(F,) faces that lie farther than ``reach`` from every open edge, measured along the surface.

    Pieces whose normals point inwards have none: what looks like their back is their outside.

    Args:
        vertices: (V, 3) metres, in rest; faces: (F, 3).
        reach: metres, of all vertices or of each (V,).
    """
    if not len(faces):
        return np.zeros(0, np.bool_)
    n = len(vertices)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    edges.sort(axis=1)
    lines, count = np.unique(edges, axis=0, return_counts=True)
    length = np.linalg.norm(vertices[lines[:, 0]] - vertices[lines[:, 1]], axis=1)
    # A length of zero would be no edge at all.
    graph = sparse.csr_matrix((np.maximum(length, 1e-9), lines.T), shape=(n, n))
    pieces = sparse.csgraph.connected_components(graph, directed=False)[1]
    rims = np.unique(lines[count != 2])
    far = np.ones(n, np.bool_)
    if len(rims):
        way = sparse.csgraph.dijkstra(graph, directed=False, indices=rims, min_only=True, limit=np.max(reach))
        far = way > reach
    closed: BoolArray = far[faces].all(axis=1) & _outwards(vertices, faces, pieces)[pieces[faces[:, 0]]]
    return closed


def _outwards(vertices: F8, faces: npt.NDArray[np.integer[Any]], pieces: npt.NDArray[np.int32]) -> BoolArray:
    """Of every piece whether its normals point outwards: by its volume about its own middle."""
    n = int(pieces.max()) + 1
    size = np.maximum(np.bincount(pieces, minlength=n), 1)
    middle = np.stack([np.bincount(pieces, vertices[:, k], n) for k in range(3)], axis=1) / size[:, None]
    a, b, c = ((vertices - middle[pieces])[faces[:, k]] for k in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c))
    outwards: BoolArray = np.bincount(pieces[faces[:, 0]], volume, n) > 0
    return outwards
