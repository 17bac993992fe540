"""Pieces of mesh that move with a body: cut out along a line, moved outwards, smoothed, joined.

A vertex of a surface is a mixture of the body's vertices plus an offset in the rest pose. So it is shaped
and skinned as the body's own vertices are, wherever a cut put it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from backends.body.model import BodyModel

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A mesh that hangs on the body.

    Attributes:
        mix: (N, V) rows over the body's vertices.
        offset: (N, 3) metres, added in the rest pose.
        faces: (F, 3).
        colors: (N, 3) sRGB 0..255.
        rest: (N, 3) where the vertices are in the rest pose of the shaped body.
    """

    mix: sparse.csr_matrix
    offset: F8
    faces: I4
    colors: F8
    rest: F8

    def moved(self, by: F8) -> Surface:
        """Every vertex moved by ``by`` (N, 3), rest pose."""
        return replace(self, offset=self.offset + by, rest=self.rest + by)

    def painted(self, colors: npt.ArrayLike, where: npt.NDArray[np.bool_] | None = None) -> Surface:
        """In another colour, or a colour for each vertex, everywhere or at some vertices."""
        new = np.broadcast_to(np.asarray(colors, dtype=np.float64), self.colors.shape)
        if where is not None:
            new = np.where(where[:, None], new, self.colors)
        return replace(self, colors=np.array(new))

    def __len__(self) -> int:
        return len(self.rest)


def whole(body: BodyModel, betas: F8, color: npt.ArrayLike) -> Surface:
    """The body itself."""
    rest = body.v_template + body.shapedirs @ betas
    mix = sparse.identity(len(rest), format="csr")
    colors = np.tile(np.asarray(color, dtype=np.float64), (len(rest), 1))
    return Surface(mix, np.zeros_like(rest), body.faces, colors, rest)


def anchored(body_rest: F8, points: F8, mix: sparse.csr_matrix, faces: I4, color: npt.ArrayLike) -> Surface:
    """A mesh of one's own at ``points`` (N, 3) of the rest pose, hung on the body by ``mix`` (N, V)."""
    colors = np.broadcast_to(np.asarray(color, dtype=np.float64), points.shape)
    return Surface(mix, points - mix @ body_rest, faces.astype(np.int32), np.array(colors), points)


def hung_on(n_body: int, vertices: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> sparse.csr_matrix:
    """(N, V) rows that mix few body vertices: ``vertices`` (N,) or (N, K), ``weights`` likewise."""
    v = np.asarray(vertices, dtype=np.int64)
    v = v.reshape(len(v), -1)
    w = np.ones(v.shape) if weights is None else np.asarray(weights, dtype=np.float64).reshape(v.shape)
    row = np.repeat(np.arange(len(v)), v.shape[1])
    return sparse.csr_matrix((w.reshape(-1), (row, v.reshape(-1))), shape=(len(v), n_body))


def cut(surface: Surface, values: F8) -> Surface:
    """The part where ``values`` (N,), linear over each face, is above zero; its border is exact.

    Faces on the border are split along the line of zeros (Lorensen & Cline's interpolation, on a surface).
    """
    values = np.where(np.abs(values) < 1e-9, 1e-9, values)
    above = values > 0
    count = above[surface.faces].sum(axis=1)
    keep = surface.faces[count == 3]
    pairs: list[npt.NDArray[np.int64]] = []
    tri: list[npt.NDArray[np.int64]] = []
    n = len(values)
    for k in (1, 2):
        odd_above = k == 1
        mixed = surface.faces[count == k].astype(np.int64)
        if not len(mixed):
            continue
        # Turn each face so that the vertex which differs from the two others comes first.
        first = np.argmax(above[mixed] == odd_above, axis=1)
        a, b, c = (mixed[np.arange(len(mixed)), (first + i) % 3] for i in range(3))
        ab_id = n + sum(map(len, pairs)) + np.arange(len(a))
        ac_id = ab_id + len(a)
        pairs += [np.stack([a, b], 1), np.stack([a, c], 1)]
        if odd_above:
            tri.append(np.stack([a, ab_id, ac_id], 1))
        else:
            tri += [np.stack([ab_id, b, c], 1), np.stack([ab_id, c, ac_id], 1)]
    if not pairs:
        return _compact(keep.astype(np.int64), surface.mix, surface.offset, surface.colors, surface.rest)
    edges = np.concatenate(pairs)
    key = np.sort(edges, axis=1)
    unique, where = np.unique(key, axis=0, return_inverse=True)
    va, vb = values[unique[:, 0]], values[unique[:, 1]]
    t = np.clip(va / (va - vb), 0.0, 1.0)
    a, b = unique[:, 0], unique[:, 1]
    mix = sparse.vstack(
        [surface.mix, sparse.diags(1 - t) @ surface.mix[a] + sparse.diags(t) @ surface.mix[b]], format="csr"
    )

    def blend(x: F8) -> F8:
        both: F8 = np.concatenate([x, x[a] * (1 - t)[:, None] + x[b] * t[:, None]])
        return both

    faces = np.concatenate(tri)
    faces = np.where(faces >= n, n + where.reshape(-1)[np.maximum(faces - n, 0)], faces)
    return _compact(
        np.concatenate([keep, faces]), mix, blend(surface.offset), blend(surface.colors),
        blend(surface.rest),
    )  # fmt: skip


def _compact(
    faces: npt.NDArray[np.int64], mix: sparse.csr_matrix, offset: F8, colors: F8, rest: F8
) -> Surface:
    used, faces = np.unique(faces, return_inverse=True)
    return Surface(mix[used], offset[used], faces.reshape(-1, 3).astype(np.int32), colors[used], rest[used])


def joined(surfaces: Sequence[Surface]) -> Surface:
    """Several surfaces as one."""
    starts = np.cumsum([0] + [len(s) for s in surfaces[:-1]])
    return Surface(
        sparse.vstack([s.mix for s in surfaces], format="csr"),
        np.concatenate([s.offset for s in surfaces]),
        np.concatenate([s.faces + np.int32(k) for s, k in zip(surfaces, starts)]),
        np.concatenate([s.colors for s in surfaces]),
        np.concatenate([s.rest for s in surfaces]),
    )


def normals(surface: Surface) -> F8:
    """(N, 3) unit normals of the rest pose, outwards."""
    v, f = surface.rest, surface.faces
    face = np.cross(v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]])
    out = np.zeros_like(v)
    for k in range(3):
        np.add.at(out, f[:, k], face)
    unit: F8 = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
    return unit


def _edges(faces: I4) -> npt.NDArray[np.int64]:
    f = faces.astype(np.int64)
    return np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]])


def border(surface: Surface) -> npt.NDArray[np.bool_]:
    """(N,) which vertices lie on an open edge."""
    edges = np.sort(_edges(surface.faces), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    on = np.zeros(len(surface), np.bool_)
    on[unique[count == 1].reshape(-1)] = True
    return on


def _average(surface: Surface) -> sparse.csr_matrix:
    """(N, N) rows that average a vertex's neighbours."""
    edges = _edges(surface.faces)
    both = np.concatenate([edges, edges[:, ::-1]])
    n = len(surface)
    near = sparse.csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n, n))
    near.data[:] = 1.0
    count = np.maximum(np.asarray(near.sum(axis=1)).reshape(-1), 1.0)
    return sparse.csr_matrix(sparse.diags(1.0 / count) @ near)


def draped(
    surface: Surface, rounds: int, thickness: npt.ArrayLike, held: npt.NDArray[np.bool_] | None = None
) -> Surface:
    """Cloth laid over a surface: it does not follow every muscle, and is about ``thickness`` outside of it.

    Inflated by ``thickness`` (N,) or () metres, smoothed (Laplacian; the border and ``held`` (N,) vertices
    keep still), then moved outwards again where that let it sink in; how far is itself smooth, so that no
    crease appears.
    """
    average = _average(surface)
    edge = border(surface)
    thickness = np.broadcast_to(np.asarray(thickness, dtype=np.float64), len(surface))
    out = normals(surface)
    for _ in range(8):
        out = average @ out
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
    rest = surface.rest + out * thickness[:, None]
    free = ~edge if held is None else ~(edge | held)
    for _ in range(rounds):
        rest = rest + (average @ rest - rest) * free[:, None]
    smooth = surface.moved(rest - surface.rest)
    out = normals(smooth)
    gap = np.einsum("ij,ij->i", smooth.rest - surface.rest, out)
    need = np.where(edge, 0.0, np.maximum(0.8 * thickness - gap, 0.0))
    edges = _edges(surface.faces)
    for _ in range(4):
        high = need.copy()
        np.maximum.at(high, edges[:, 0], need[edges[:, 1]])
        np.maximum.at(high, edges[:, 1], need[edges[:, 0]])
        need = np.where(edge, 0.0, high)
    for _ in range(14):
        need = np.where(edge, 0.0, average @ need)
    return smooth.moved(out * need[:, None])


def worn(body: BodyModel, surface: Surface) -> BodyModel:
    """The body model whose mesh is ``surface``: the same joints and shapes, other vertices.

    It can be posed; what belongs to the bare body (keypoints, parts) keeps the bare body's indices.
    """
    weights = np.asarray(surface.mix @ body.weights.astype(np.float64))
    weights /= weights.sum(axis=1, keepdims=True)
    order = np.argsort(-weights, axis=1)[:, : body.skin_joints.shape[1]]
    top = np.take_along_axis(weights, order, axis=1)
    n_betas = body.n_betas
    dirs = surface.mix @ body.shapedirs.reshape(-1, 3 * n_betas)
    return replace(
        body,
        v_template=np.ascontiguousarray(surface.mix @ body.v_template + surface.offset),
        shapedirs=np.ascontiguousarray(dirs.reshape(-1, 3, n_betas)),
        faces=surface.faces, posedirs=None,
        skin_joints=order.astype(np.int32), skin_weights=top / top.sum(axis=1, keepdims=True),
    )  # fmt: skip
