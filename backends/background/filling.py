"""What may be where nothing was ever seen: smooth from around, or with edges that run on."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numba
import numpy as np

from backends.background.types import F4, U1, BoolArray

Array = Any

_REACH = 4
"""Pixels from which an unknown pixel takes its colour."""
_STRENGTH = 25.0
"""How strictly colours run along an edge, none across."""
_COHERENT = 0.35
"""Edges this clear, in [0, 1], guide the colours in full; less clear ones in part."""
_WIDTHS = (80, 160, 320)
"""Edges are led on in pictures of about these widths: in a larger one the noise of single pixels leads."""
_MEMBRANE_WIDTH = 160
_ROUNDS = 400
_KNOWN = 0.3
_NOTHING = 96


def fill(rgb: U1, known: BoolArray) -> U1:
    """Unknown pixels from their surroundings: averages from ever farther away (push and pull).

    Gortler et al., The Lumigraph, 1996, section 4.3.
    """
    if known.all():
        return rgb
    if not known.any():
        return np.full_like(rgb, _NOTHING)
    filled = np.clip(spread(rgb.astype(np.float32), known) + 0.5, 0, 255).astype(np.uint8)
    return np.where(known[..., None], rgb, filled)


def spread(values: F4, known: BoolArray) -> F4:
    """(H, W, C) ``values`` where ``known`` (H, W), elsewhere smoothly from around; something is known."""
    levels = [(values * known[..., None], known.astype(np.float32))]
    while max(levels[-1][1].shape) > 1 and not (levels[-1][1] > 0).all():
        color, weight = levels[-1]
        size = (max(1, (weight.shape[1] + 1) // 2), max(1, (weight.shape[0] + 1) // 2))
        w = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA))
        c = np.asarray(cv2.resize(color, size, interpolation=cv2.INTER_AREA)).reshape(*w.shape, -1)
        # Sums of weighted colour stay weighted: dividing gives the mean of what is known.
        share = np.minimum(w * 4.0, 1.0) / np.maximum(w, 1e-6)
        levels.append((c * share[..., None], w * share))
    color, weight = levels[-1]
    result = (color / np.maximum(weight, 1e-6)[..., None]).astype(np.float32)
    for color, weight in levels[-2::-1]:
        size = (weight.shape[1], weight.shape[0])
        coarse = np.asarray(cv2.resize(result, size, interpolation=cv2.INTER_LINEAR))
        result = color + coarse.reshape(color.shape) * (1.0 - weight)[..., None]
    return result


def fill_along_edges(rgb: U1, known: BoolArray) -> U1:
    """Unknown pixels from the rim inwards; edges run on into the unknown instead of blurring.

    The mean of what several guesses say, for each alone errs where another does not: colours led along
    edges in pictures of three sizes, after Bornemann and Maerz, Fast image inpainting based on coherence
    transport, J. Math. Imaging and Vision 28, 2007, and a membrane spanned between the rims.
    """
    if known.all():
        return rgb
    if not known.any():
        return np.full_like(rgb, _NOTHING)
    h, w = known.shape
    total = np.zeros((h, w, 3), np.float32)
    for width in _WIDTHS:
        small, seen = _smaller(rgb, known, width)
        total += cv2.resize(_led(small, seen), (w, h), interpolation=cv2.INTER_CUBIC)
    small, seen = _smaller(rgb, known, _MEMBRANE_WIDTH)
    total += cv2.resize(_membrane(small, seen), (w, h), interpolation=cv2.INTER_CUBIC)
    mean = total / np.float32(len(_WIDTHS) + 1)
    # The rim keeps its exact colours: what differs there fades inwards.
    differs = spread(rgb - mean, known)
    filled = np.clip(mean + differs + 0.5, 0, 255).astype(np.uint8)
    return np.where(known[..., None], rgb, filled)


def _smaller(rgb: U1, known: BoolArray, width: int) -> tuple[F4, BoolArray]:
    """The picture about ``width`` wide, means of known pixels alone, and where enough were known."""
    h, w = known.shape
    scale = min(1.0, width / w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    weight = np.asarray(cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    sums = np.asarray(cv2.resize(rgb * np.float32(known[..., None]), size, interpolation=cv2.INTER_AREA))
    weight, sums = weight.reshape(size[1], size[0]), sums.reshape(size[1], size[0], 3)
    small = (sums / np.maximum(weight, 1e-6)[..., None]).astype(np.float32)
    seen = weight > _KNOWN
    return small, seen if seen.any() else weight > 0


def _membrane(values: F4, known: BoolArray) -> F4:
    """(h, w, 3) unknown pixels are the mean of those about them."""
    out = spread(values, known)
    for _ in range(_ROUNDS):
        out = np.where(known[..., None], values, cv2.blur(out, (3, 3), borderType=cv2.BORDER_REFLECT_101))
    return out


def _led(values: F4, known: BoolArray) -> F4:
    if known.all():
        return values
    distance = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
    rows, columns = np.nonzero(~known)
    order = np.argsort(distance[rows, columns], kind="stable")
    start = np.asarray(cv2.GaussianBlur(spread(values, known), (0, 0), 0.8), np.float32)
    out = np.where(known[..., None], values, start).astype(np.float32)
    guide = np.ascontiguousarray(out.mean(axis=2))
    done = known.copy()
    _march(out, guide, done, rows[order], columns[order], _REACH, _STRENGTH, _COHERENT)
    return out


@numba.njit(cache=True, nogil=True)
def _march(
    out: Array, guide: Array, done: Array, rows: Array, columns: Array,
    reach: int, strength: float, coherent: float,
) -> None:  # fmt: skip
    """Fill pixels in order; ``done`` (H, W) and ``guide`` (H, W, brightness) are kept up."""
    height, width = done.shape
    for k in range(len(rows)):
        y, x = rows[k], columns[k]
        y0, y1 = max(y - reach, 0), min(y + reach + 1, height)
        x0, x1 = max(x - reach, 0), min(x + reach + 1, width)
        xx, xy, yy = 0.0, 0.0, 0.0
        for j in range(max(y0, 1), min(y1, height - 1)):
            for i in range(max(x0, 1), min(x1, width - 1)):
                if done[j, i] and done[j, i - 1] and done[j, i + 1] and done[j - 1, i] and done[j + 1, i]:
                    gx = 0.5 * (guide[j, i + 1] - guide[j, i - 1])
                    gy = 0.5 * (guide[j + 1, i] - guide[j - 1, i])
                    xx, xy, yy = xx + gx * gx, xy + gx * gy, yy + gy * gy
        apart = math.sqrt((xx - yy) * (xx - yy) + 4 * xy * xy)
        clear = apart / (xx + yy) if xx + yy > 1.0 else 0.0
        # The direction in which brightness changes least.
        angle = 0.5 * math.atan2(2 * xy, xx - yy) + 0.5 * math.pi
        ax, ay = math.cos(angle), math.sin(angle)
        lead = strength * min(clear / coherent, 1.0)
        total, r, g, b = 0.0, 0.0, 0.0, 0.0
        for j in range(y0, y1):
            for i in range(x0, x1):
                if done[j, i]:
                    dx, dy = float(i - x), float(j - y)
                    far = dx * dx + dy * dy
                    if far > reach * reach + 0.5:
                        continue
                    across = (-ay * dx + ax * dy) / reach
                    w = math.exp(-0.5 * (lead * across) ** 2) / math.sqrt(far)
                    w += 1e-6
                    total += w
                    r, g, b = r + w * out[j, i, 0], g + w * out[j, i, 1], b + w * out[j, i, 2]
        if total > 0:
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = r / total, g / total, b / total
            guide[y, x] = (out[y, x, 0] + out[y, x, 1] + out[y, x, 2]) / 3
        done[y, x] = True
