"""Do people keep their identity? HOTA, IDF1, identity switches.

The two libraries that have these scores cannot be dependencies: TrackEval (1.3.0) asks for
opencv-python, a second cv2 wheel beside the headless one, and py-motmetrics (1.4.0, 2023) for pandas. So
the formulas are written here from their papers; the tests hold them against TrackEval's numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from backends.errors import InputError

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

ALPHAS = np.arange(0.05, 0.99, 0.05)
"""HOTA's thresholds on the similarity."""
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFrame:
    """One frame: ``true_ids`` (T,), ``found_ids`` (P,), and their ``similarity`` (T, P) in [0, 1]."""

    true_ids: npt.NDArray[np.integer]
    found_ids: npt.NDArray[np.integer]
    similarity: F8


@dataclass(frozen=True, slots=True)
class TrackingScores:
    """All shares in [0, 1], counts over all frames; NaN where nobody is there and nobody was found.

    Attributes:
        hota, det_a, ass_a, loc_a: means over :data:`ALPHAS` of higher order tracking accuracy and of its
            parts: detection, association, localisation.
        idf1, id_precision, id_recall: at a similarity of 0.5.
        switches, mota: at a similarity of 0.5.
        n_true, n_found: people times frames.
    """

    hota: float
    det_a: float
    ass_a: float
    loc_a: float
    idf1: float
    id_precision: float
    id_recall: float
    switches: int
    mota: float
    n_true: int
    n_found: int


def tracking_scores(frames: Sequence[TrackedFrame], threshold: float = 0.5) -> TrackingScores:
    """HOTA, identity and CLEAR scores of one sequence.

    Args:
        frames: every frame in order, also those where nobody is there. The similarity is the boxes' IoU
            or OKS; NaN counts as 0.
        threshold: least similarity of a match for IDF1, switches and MOTA (HOTA takes all).

    Raises:
        InputError: shapes that do not fit, an identity twice in a frame, similarities outside [0, 1].
    """
    numbered, n_true, n_found = _numbered(frames)
    total_true = sum(len(t) for t, _, _ in numbered)
    total_found = sum(len(f) for _, f, _ in numbered)
    hota, det_a, ass_a, loc_a = _hota(numbered, n_true, n_found)
    hits = _identity_hits(numbered, n_true, n_found, threshold)
    matched, switches = _clear(numbered, n_true, threshold)
    misses, false = total_true - matched, total_found - matched
    return TrackingScores(
        hota, det_a, ass_a, loc_a,
        _ratio(2 * hits, total_true + total_found), _ratio(hits, total_found), _ratio(hits, total_true),
        switches, _ratio(total_true - misses - false - switches, total_true),
        total_true, total_found,
    )  # fmt: skip


_Numbered = list[tuple[I8, I8, F8]]


def _ratio(a: float, b: float) -> float:
    return float(a) / b if b else float("nan")


def _numbered(frames: Sequence[TrackedFrame]) -> tuple[_Numbered, int, int]:
    """Identities as 0, 1, 2 ..., and how many there are of each kind."""
    true_numbers: dict[int, int] = {}
    found_numbers: dict[int, int] = {}
    result = []
    for i, frame in enumerate(frames):
        t, f = np.asarray(frame.true_ids), np.asarray(frame.found_ids)
        s = np.nan_to_num(np.asarray(frame.similarity, np.float64), nan=0.0)
        if t.ndim != 1 or f.ndim != 1 or s.shape != (len(t), len(f)):
            raise InputError(
                f"Frame {i}: {t.shape} and {f.shape} identities do not fit a similarity of shape {s.shape}."
            )
        if len(np.unique(t)) != len(t) or len(np.unique(f)) != len(f):
            raise InputError(f"Frame {i}: an identity is there twice.")
        if s.size and (s.min() < 0 or s.max() > 1 + 1e-9):
            raise InputError(f"Frame {i}: similarities lie in [0, 1], got {s.min():.3g} to {s.max():.3g}.")
        result.append((
            np.array([true_numbers.setdefault(int(v), len(true_numbers)) for v in t], np.int64),
            np.array([found_numbers.setdefault(int(v), len(found_numbers)) for v in f], np.int64),
            s,
        ))  # fmt: skip
    return result, len(true_numbers), len(found_numbers)


def _hota(frames: _Numbered, n_true: int, n_found: int) -> tuple[float, float, float, float]:
    """HOTA and its parts: Luiten et al., HOTA, IJCV 129, 2021, equations 14 to 25 (alpha as in 26).

    Which true person goes with whom is chosen once for all thresholds: by the similarity times the
    Jaccard index of the two tracks, as the paper's section 5 does it.
    """
    if not n_true and not n_found:
        return (float("nan"),) * 4
    both = np.zeros((n_true, n_found))
    count_true, count_found = np.zeros((n_true, 1)), np.zeros((1, n_found))
    for t, f, s in frames:
        count_true[t] += 1
        count_found[0, f] += 1
        rest = s.sum(axis=0)[None] + s.sum(axis=1)[:, None] - s
        both[np.ix_(t, f)] += np.divide(s, rest, out=np.zeros_like(s), where=rest > _EPS)
    union = count_true + count_found - both
    jaccard = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    n = len(ALPHAS)
    tp, located = np.zeros(n), np.zeros(n)
    pairs = np.zeros((n, n_true, n_found))
    for t, f, s in frames:
        rows, columns = linear_sum_assignment(-(jaccard[np.ix_(t, f)] * s))
        value = s[rows, columns]
        for a, alpha in enumerate(ALPHAS):
            hit = value >= alpha - _EPS
            tp[a] += hit.sum()
            located[a] += value[hit].sum()
            pairs[a, t[rows[hit]], f[columns[hit]]] += 1
    det_a = tp / (count_true.sum() + count_found.sum() - tp)
    ass = pairs / np.maximum(count_true + count_found - pairs, 1.0)
    ass_a = (pairs * ass).sum(axis=(1, 2)) / np.maximum(tp, 1.0)
    loc_a = np.divide(located, tp, out=np.full(n, np.nan), where=tp > 0)
    found = loc_a[~np.isnan(loc_a)]
    return (
        float(np.sqrt(det_a * ass_a).mean()), float(det_a.mean()), float(ass_a.mean()),
        float(found.mean()) if found.size else float("nan"),
    )  # fmt: skip


def _identity_hits(frames: _Numbered, n_true: int, n_found: int, threshold: float) -> int:
    """IDTP: frames in which the one-to-one choice of identities that explains most is right.

    Ristani et al., Performance measures and a data set for multi-target, multi-camera tracking, ECCV
    workshops 2016, section 3: IDF1 = 2 IDTP / (true + found).
    """
    together = np.zeros((n_true, n_found))
    for t, f, s in frames:
        together[np.ix_(t, f)] += s >= threshold
    rows, columns = linear_sum_assignment(-together)
    return int(together[rows, columns].sum())


def _clear(frames: _Numbered, n_true: int, threshold: float) -> tuple[int, int]:
    """Matches and identity switches of CLEAR MOT.

    Bernardin and Stiefelhagen, Evaluating multiple object tracking performance, 2008, section 2.1: a
    match of the frame before is kept while it holds; a switch is a true person who is found under
    another identity than when last found. Frames without anybody are passed over.
    """
    last = np.full(n_true, -1)
    before = np.full(n_true, -1)
    matched = switches = 0
    for t, f, s in frames:
        if not s.size:
            continue
        kept = f[None] == before[t][:, None]
        score = np.where(s >= threshold - _EPS, s + 1000.0 * kept, 0.0)
        rows, columns = linear_sum_assignment(-score)
        good = score[rows, columns] > _EPS
        people, names = t[rows[good]], f[columns[good]]
        switches += int(((last[people] >= 0) & (last[people] != names)).sum())
        last[people] = names
        before[:] = -1
        before[people] = names
        matched += len(people)
    return matched, switches
