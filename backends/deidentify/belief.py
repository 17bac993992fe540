"""Which limbs of a body are to be believed: a leg that nobody saw is not shown.

A fitted body is whole. Legs behind a table, or below the picture's border, are a guess of the fit, and a
drawn guess is read as a movement. Each limb is cut into pieces; a piece is believed as far as the person's
mask holds it (of all signs the one that tells best: of pieces that the truth does not show three quarters go,
of others one in twenty-five), less where a large error is expected, and wherever a person has put the
keypoint. Head and trunk are always believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
from scipy import sparse

from backends.body import BodyModel
from backends.body.skeleton import FINGERS, JOINT_INDEX
from backends.camera import Camera
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Keypoints, Source, Visibility
from backends.masks import CropMask

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
Array = Any

_BONES: Final = (
    (("hip", "knee", 4, 0.06), ("knee", "ankle", 4, 0.04), ("ankle", "foot", 2, 0.03)),
    (("shoulder", "elbow", 4, 0.04), ("elbow", "wrist", 4, 0.03), ("wrist", "middle1", 2, 0.03)),
)
"""Legs and arms from the trunk outwards: joint, next joint, pieces, half the limb's width in metres."""
_CHAIN: Final = 10
"""Pieces of one limb."""
N_PIECES: Final = 4 * _CHAIN

_EXPECTED_MM, _LOST_MM = 150.0, 350.0
"""From the first on an expected error takes belief away, at the second half of it."""
_HOLE = 3
"""So many pieces between believed ones are believed too: an arm does not fall apart under a strap."""
_LEGS: Final = np.r_[0:_CHAIN, 2 * _CHAIN : 3 * _CHAIN]
_BESIDE: Final = (1.8, 2.5, 3.2)
"""How far from its middle a leg is compared with what is beside it, in half its width."""
_SAME, _OTHER = 8.0, 16.0
"""Levels of the channel that differs most: up to the first nothing ends at a leg's sides."""
_BRIGHT, _DARK = 100.0, 0.3
"""Mean level from which on these hold; below they shrink with it, at most to this share."""
_UNSEEN, _SEEN = 0.25, 0.6
"""Shares of support between which a piece fades."""


def _pieces() -> tuple[list[int], list[int], list[float], list[float]]:
    """Of every piece: start and end of its bone, how far along it lies, half the limb's width."""
    starts, ends, along, radius = [], [], [], []
    for side in ("left", "right"):
        for bones in _BONES:
            for a, b, n, r in bones:
                for i in range(n):
                    starts.append(JOINT_INDEX[f"{side}_{a}"])
                    ends.append(JOINT_INDEX[f"{side}_{b}"])
                    along.append((i + 0.5) / n)
                    radius.append(r)
    return starts, ends, along, radius


_start, _end, _along, _radius = _pieces()
_START: Final = np.array(_start)
_END: Final = np.array(_end)
_ALONG: Final = np.array(_along)[:, None]
_RADIUS: Final = np.array(_radius)


def _keypoints_of_ends(ends: Sequence[int]) -> list[int]:
    names = {
        JOINT_INDEX[f"{s}_{joint}"]: INDEX[f"{s}_{point}"]
        for s in ("left", "right")
        for joint, point in (
            ("hip", "hip"), ("knee", "knee"), ("ankle", "ankle"), ("foot", "big_toe"),
            ("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "wrist"), ("middle1", "wrist"),
        )
    }  # fmt: skip
    return [names[e] for e in ends]


_NEAR: Final = np.array([_keypoints_of_ends((a, b)) for a, b in zip(_start, _end)])
"""(40, 2) keypoints at the ends of each piece's bone."""
_NEAREST: Final = np.where(_ALONG[:, 0] < 0.5, _NEAR[:, 0], _NEAR[:, 1])


@numba.njit(cache=True, nogil=True)
def _held(mask: Array, x0: int, y0: int, a: Array, b: Array, along: Array, reach: Array, out: Array) -> None:
    """Share of the places across each piece that the mask holds."""
    h, w = mask.shape
    for i in range(len(out)):
        dx, dy = b[i, 0] - a[i, 0], b[i, 1] - a[i, 1]
        length = np.sqrt(dx * dx + dy * dy)
        x, y = a[i, 0] + along[i] * dx, a[i, 1] + along[i] * dy
        if not np.isfinite(x + y):
            continue
        # Across the limb; of one that points at the camera in any direction.
        nx, ny = (-dy / length, dx / length) if length > 1e-3 else (1.0, 0.0)
        n = 0
        for k in range(-2, 3):
            u = int(np.rint(x + 0.5 * k * reach[i] * nx)) - x0
            v = int(np.rint(y + 0.5 * k * reach[i] * ny)) - y0
            if 0 <= u < w and 0 <= v < h and mask[v, u]:
                n += 1
        out[i] = n / 5


def limb_support(
    joints: F8, camera: Camera, keypoints: Keypoints, masks: Sequence[CropMask], keypoint_mm: F4 | None
) -> F4:
    """(40,) how much speaks for each piece of the limbs in one picture, in [0, 1]; NaN outside of it.

    Args:
        joints: (55, 3) of the body, metres, camera coordinates.
        masks: which pixels are this person; without any, the keypoints alone speak.
        keypoint_mm: (23,) expected errors, None where nobody knows them.
    """
    xy = camera.project(joints)
    a, b = xy[_START], xy[_END]
    middle = a + _ALONG * (b - a)
    seen = np.equal(keypoints.visibility, Visibility.VISIBLE)
    if masks:
        depth = np.maximum(joints[_START, 2], 0.1)
        held = np.zeros(N_PIECES, np.float32)
        mask, x0, y0 = _union(masks)
        _held(mask, x0, y0, a, b, _ALONG[:, 0], camera.fx * _RADIUS / depth, held)
    else:
        told = np.where(seen, 1.0, keypoints.score)
        held = ((1 - _ALONG[:, 0]) * told[_NEAR[:, 0]] + _ALONG[:, 0] * told[_NEAR[:, 1]]).astype(np.float32)
    if keypoint_mm is not None:
        doubt = np.clip((keypoint_mm - _EXPECTED_MM) / (_LOST_MM - _EXPECTED_MM), 0.0, 1.0)
        held *= 1 - 0.5 * np.nan_to_num(doubt[_NEAREST]).astype(np.float32)
    said = np.equal(keypoints.source, Source.PERSON)[_NEAREST]
    held[said] = seen[_NEAREST][said]
    inside = (middle >= 0).all(axis=1) & (middle <= (camera.width - 1, camera.height - 1)).all(axis=1)
    held[~inside] = np.nan
    return held


def stands_out(joints: F8, camera: Camera, rgb: U1, keypoints: Keypoints) -> F4:
    """(40,) how far each piece of the legs looks other than what lies beside it in a picture, in [0, 1]; 1
    for pieces of arms, and of legs that lie outside.

    A mask takes the fold of a drape for a leg, but a leg ends at its sides and a drape goes on. Of the pieces
    of legs that a mask held on drawn operating rooms this takes 19 of 100 where nobody was, and 1 of 100
    where somebody was; it errs with trousers of the colour of what is on both sides. In the dark less of a
    difference is one. Where a person has put a keypoint nothing is doubted.

    Args:
        joints: (55, 3) of the body, metres, camera coordinates; rgb: (H, W, 3) the picture.
    """
    xy = camera.project(joints)
    reach = camera.fx * _RADIUS[_LEGS] / np.maximum(joints[_START[_LEGS], 2], 0.1)
    differs = np.full(len(_LEGS), np.inf)
    _ends(rgb, xy[_START[_LEGS]], xy[_END[_LEGS]], _ALONG[_LEGS, 0], reach, differs)
    found = np.ones(N_PIECES, np.float32)
    found[_LEGS] = np.clip((differs - _SAME) / (_OTHER - _SAME), 0.0, 1.0)
    found[np.equal(keypoints.source, Source.PERSON)[_NEAREST]] = 1.0
    return found


@numba.njit(cache=True, nogil=True)
def _color(rgb: Array, x: float, y: float, out: Array) -> bool:
    """Mean colour of 5x5 pixels about a place; whether it lies in the picture."""
    h, w = rgb.shape[:2]
    if not (-0.5 < x < w - 0.5 and -0.5 < y < h - 0.5):
        return False
    u, v = int(np.rint(x)), int(np.rint(y))
    out[:] = 0.0
    n = 0
    for j in range(max(v - 2, 0), min(v + 3, h)):
        for i in range(max(u - 2, 0), min(u + 3, w)):
            for c in range(3):
                out[c] += rgb[j, i, c]
            n += 1
    out /= n
    return True


@numba.njit(cache=True, nogil=True)
def _ends(rgb: Array, a: Array, b: Array, along: Array, reach: Array, out: Array) -> None:
    """Levels by which each piece differs from what lies beside it; what lies outside is left as it is."""
    own, beside = np.empty((3, 3)), np.empty(3)
    for i in range(len(out)):
        dx, dy = b[i, 0] - a[i, 0], b[i, 1] - a[i, 1]
        length = max(np.sqrt(dx * dx + dy * dy), 1e-3)
        x, y = a[i, 0] + along[i] * dx, a[i, 1] + along[i] * dy
        if not np.isfinite(x + y + length):
            continue
        nx, ny = -dy / length * reach[i], dx / length * reach[i]
        inside = True
        for k in range(3):
            inside &= _color(rgb, x + 0.5 * (k - 1) * nx, y + 0.5 * (k - 1) * ny, own[k])
        if not inside:
            continue
        for c in range(3):  # the median of three
            low, high = min(own[0, c], own[1, c]), max(own[0, c], own[1, c])
            own[0, c] = max(low, min(high, own[2, c]))
        level = min(max(own[0].mean() / _BRIGHT, _DARK), 1.0)
        seen, most = False, 0.0
        for far in _BESIDE:
            for side in (-far, far):
                if _color(rgb, x + side * nx, y + side * ny, beside):
                    seen = True
                    most = max(most, np.abs(beside - own[0]).max() / level)
        if seen:
            out[i] = most


def _union(masks: Sequence[CropMask]) -> tuple[npt.NDArray[np.bool_], int, int]:
    x0, y0 = min(m.x0 for m in masks), min(m.y0 for m in masks)
    x1, y1 = max(m.x0 + m.width for m in masks), max(m.y0 + m.height for m in masks)
    every = np.zeros((y1 - y0, x1 - x0), np.bool_)
    for m in masks:
        every[m.y0 - y0 : m.y0 - y0 + m.height, m.x0 - x0 : m.x0 - x0 + m.width] |= m.decode()
    return every, x0, y0


def limb_belief(supports: Sequence[F4], weights: Sequence[float]) -> F4:
    """(40,) how far each piece is to be believed, in [0, 1], from its support (40,) in pictures about.

    The weighted mean over pictures, so that nothing flickers: a limb fades in and out. What lies outside of
    the picture is believed as what of the limb lies before it.
    """
    every = np.array(supports, np.float32).reshape(-1, N_PIECES)
    share = np.where(np.isnan(every), 0, np.array(weights, np.float32)[:, None])
    total = share.sum(axis=0)
    mean = (np.nan_to_num(every) * share).sum(axis=0) / np.maximum(total, 1e-6)
    mean[total == 0] = np.nan
    chains = mean.reshape(-1, _CHAIN)
    before = np.ones(len(chains), np.float32)
    for i in range(_CHAIN):
        chains[:, i] = before = np.where(np.isnan(chains[:, i]), before, chains[:, i])
    closed = _closed(chains)
    t = np.clip((closed - _UNSEEN) / (_SEEN - _UNSEEN), 0, 1)
    belief: F4 = (t * t * (3 - 2 * t)).reshape(-1).astype(np.float32)
    return belief


def _closed(chains: F4) -> F4:
    """Short holes along each chain filled (a grey closing); the trunk's side is believed."""
    n = _HOLE + 1
    padded = np.pad(chains, ((0, 0), (n, n)), mode="constant", constant_values=0)
    padded[:, :n] = 1.0
    wide = np.max([padded[:, i : padded.shape[1] - n + 1 + i] for i in range(n)], axis=0)
    narrow = np.min([wide[:, i : wide.shape[1] - n + 1 + i] for i in range(n)], axis=0)
    closed: F4 = np.maximum(chains, narrow[:, 1 : 1 + _CHAIN])
    return closed


def foot_belief(pieces: F4) -> tuple[float, float]:
    """Belief in the left and the right foot, of that in all pieces (40,)."""
    return float(pieces[_CHAIN - 1]), float(pieces[3 * _CHAIN - 1])


@dataclass(frozen=True, slots=True, eq=False)
class LimbVertices:
    """Where on the limbs a mesh's vertices lie: ``share`` (V, 40) sparse, rows add up to at most one."""

    share: sparse.csr_matrix

    def belief(self, pieces: F4) -> F4:
        """(V,) belief of every vertex in [0, 1], of the belief in ``pieces`` (40,)."""
        found: F4 = np.clip(1 - self.share @ (1 - pieces), 0, 1).astype(np.float32)
        return found


def limb_vertices(body: BodyModel) -> LimbVertices:
    """Of a body, bare or dressed."""
    joints = np.zeros((body.n_vertices, len(JOINT_INDEX)), np.float32)
    np.put_along_axis(joints, body.skin_joints, body.skin_weights.astype(np.float32), axis=1)
    share = np.zeros((body.n_vertices, N_PIECES), np.float32)
    piece = 0
    for side in ("left", "right"):
        for bones in _BONES:
            first = piece
            for a, b, n, _ in bones:
                start = body.J_template[JOINT_INDEX[f"{side}_{a}"]]
                axis = body.J_template[JOINT_INDEX[f"{side}_{b}"]] - start
                along = np.clip((body.v_template - start) @ axis / max(float(axis @ axis), 1e-9), 0.0, 1.0)
                moved = joints[:, _moved_by(side, a)].sum(axis=1)
                place = np.clip(piece + along * n - 0.5, first, first + _CHAIN - 1)
                low = np.floor(place).astype(int)
                rest = (place - low).astype(np.float32)
                rows = np.arange(len(low))
                share[rows, low] += moved * (1 - rest)
                share[rows, np.minimum(low + 1, first + _CHAIN - 1)] += moved * rest
                piece += n
    share[share < 0.01] = 0
    return LimbVertices(sparse.csr_matrix(share))


def _moved_by(side: str, joint: str) -> list[int]:
    """The joints whose skin belongs to the bone that begins at ``joint``."""
    names = [joint]
    if joint == "ankle":
        names.append("foot")
    if joint == "wrist":
        names += [f"{finger}{k}" for finger in FINGERS for k in (1, 2, 3)]
    return [JOINT_INDEX[f"{side}_{name}"] for name in names]
