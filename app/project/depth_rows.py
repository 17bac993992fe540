"""Between the project's blobs and what a depth sensor says about a person."""

from __future__ import annotations

import numpy as np

from app.errors import ProjectError
from app.project.arrays import pack, unpack
from backends.depth import DepthPatch

_OWN = 1 << 15
"""Set where a cell is the person's; distances need fifteen bits."""


def depth_blobs(patch: DepthPatch | None) -> dict[str, bytes | None]:
    """The columns ``depth_place`` and ``depth_mm`` of an observation."""
    if patch is None:
        return {"depth_place": None, "depth_mm": None}
    cells = patch.mm | np.where(patch.own, _OWN, 0).astype(np.uint16)
    return {
        "depth_place": pack([patch.x0, patch.y0, patch.step], np.int32), "depth_mm": pack(cells, np.uint16),
    }  # fmt: skip


def read_depth(place: bytes | None, cells: bytes | None) -> DepthPatch | None:
    """Inverse of :func:`depth_blobs`; None where there is nothing.

    Raises:
        ProjectError: a damaged blob.
    """
    if place is None or cells is None:
        return None
    x0, y0, step = (int(v) for v in unpack(place, shape=(3,)))
    values = unpack(cells, shape=(-1, -1))
    if step < 1 or not values.size or values.dtype != np.uint16:
        raise ProjectError("The project holds a damaged record of depth. Run again with --restart.")
    return DepthPatch(x0, y0, step, (values & (_OWN - 1)).astype(np.uint16), values >= _OWN)
