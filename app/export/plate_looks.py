"""Which frames show the room: spread over the footage, and some more for what those do not show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.footage import Footage
from app.project.arrays import unpack
from app.project.store import VIEW, ProjectStore

I8 = npt.NDArray[np.int64]

_FEWEST, _MOST = 48, 240
_EVERY_S = 2.0
"""Frames are this far apart in footage that is long enough, up to the largest number."""
_EXTRA = 24
"""So many more frames are looked at for places that the others hardly show."""
_SHOWN = 4
"""A place that so many frames show is known."""
_COLUMNS, _ROWS = 48, 27
_WIDER = 0.06
"""People are taken to be wider than their boxes by this share of them."""
_CANDIDATES = 3000


def choose_looks(store: ProjectStore, footage: Footage) -> list[int]:
    """Frames to look at, ascending."""
    n = footage.n_frames
    wanted = int(np.clip(n / max(footage.fps, 1e-3) / _EVERY_S, _FEWEST, _MOST))
    evenly = np.unique(np.linspace(0, n - 1, min(wanted, n)).round().astype(np.int64))
    every = np.unique(np.concatenate([evenly, _for_the_rest(store, footage, evenly)]))
    return [int(frame) for frame in every]


def _for_the_rest(store: ProjectStore, footage: Footage, chosen: I8) -> I8:
    """A few frames in which people's boxes leave places free that they hide in ``chosen``."""
    some = np.linspace(0, footage.n_frames - 1, min(_CANDIDATES, footage.n_frames)).round().astype(np.int64)
    frames = np.unique(np.concatenate([chosen, some]))
    free = _free(store, footage, frames)
    known = np.isin(frames, chosen)
    shown = free[known].sum(axis=0)
    open_to_choice = ~known & _processed(store, footage.n_frames)[frames]
    extra: list[int] = []
    while len(extra) < _EXTRA:
        gain = (free & (shown < _SHOWN)).sum(axis=1) * open_to_choice
        best = int(gain.argmax()) if len(gain) else 0
        if not len(gain) or gain[best] == 0:
            break
        extra.append(int(frames[best]))
        open_to_choice[best] = False
        shown = shown + free[best]
    return np.array(extra, np.int64)


def _free(store: ProjectStore, footage: Footage, frames: I8) -> npt.NDArray[np.bool_]:
    """(N, cells) whether nobody's box touches each cell of the picture."""
    free = np.ones((len(frames), _ROWS, _COLUMNS), np.bool_)
    place = {int(f): i for i, f in enumerate(frames)}
    step = np.array([_COLUMNS / footage.width, _ROWS / footage.height])
    for row in store.query("SELECT frame, box FROM observations WHERE view_id = ?", (VIEW,)):
        i = place.get(int(row["frame"]))
        if i is None:
            continue
        box = unpack(row["box"]).astype(np.float64)
        if not np.isfinite(box).all():
            continue
        wider = _WIDER * (box[2:] - box[:2])
        x0, y0 = np.clip(np.floor((box[:2] - wider) * step), 0, (_COLUMNS, _ROWS)).astype(int)
        x1, y1 = np.clip(np.ceil((box[2:] + wider) * step), 0, (_COLUMNS, _ROWS)).astype(int)
        free[i, y0:y1, x0:x1] = False
    return free.reshape(len(frames), -1)


def _processed(store: ProjectStore, n: int) -> npt.NDArray[np.bool_]:
    """(n,) frames in which people were looked for: of others nobody knows who is in them."""
    done = np.zeros(n, np.bool_)
    for first, last in store.processed():
        done[first : last + 1] = True
    return done
