"""Hands and jaw over time: what each frame shows of them trembles, and is missing now and then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.project.records import PersonRecord
from backends.body.skeleton import JOINT_NAMES

F8 = npt.NDArray[np.float64]

_SIGMA = 2.0
"""Standard deviation of the weights, frames."""
_REACH = 3.0
"""Frames farther than this many standard deviations say nothing."""


def _joints(side: str) -> list[int]:
    return [
        j for j, name in enumerate(JOINT_NAMES)
        if name.startswith(f"{side}_") and (name[-1].isdigit() or name.endswith("_wrist"))
    ]  # fmt: skip


_PARTS: tuple[tuple[str, list[int]], ...] = (
    ("left_hand", _joints("left")), ("right_hand", _joints("right")), ("face", [JOINT_NAMES.index("jaw")]),
)  # fmt: skip


def calm_hands(people: Sequence[PersonRecord]) -> list[PersonRecord]:
    """The same person's successive frames with hands and jaw averaged over their neighbours.

    A hand that is not seen for a moment stays as it was before and is after, fading to how the body's own
    fit has it.
    """
    with_body = [i for i, p in enumerate(people) if p.body is not None]
    if not any(p.estimate.details is not None for p in people) or not with_body:
        return list(people)
    frames = np.array([people[i].frame for i in with_body], np.float64)
    poses = np.stack([body.params.pose for i in with_body if (body := people[i].body) is not None])
    steps = (frames[:, None] - frames[None]) / _SIGMA
    nearness = np.exp(-0.5 * steps**2) * (np.abs(steps) <= _REACH)
    for part, joints in _PARTS:
        score = np.array([_score(people[i], part) for i in with_body])
        if not score.any():
            continue
        weights = nearness * score
        total = weights.sum(axis=1)
        mean = np.einsum("ij,jkc->ikc", weights, poses[:, joints]) / np.maximum(total, 1e-9)[:, None, None]
        # Where a frame sees the part itself the mean counts fully; beside, as far as the others reach.
        share = np.where(score > 0, 1.0, np.minimum(total, 1.0))[:, None, None]
        poses[:, joints] = share * mean + (1.0 - share) * poses[:, joints]
    result = list(people)
    for i, pose in zip(with_body, poses):
        body = people[i].body
        assert body is not None
        result[i] = replace(people[i], body=replace(body, params=replace(body.params, pose=pose)))
    return result


def _score(person: PersonRecord, part: str) -> float:
    found = getattr(person.estimate.details, part, None)
    return float(found.score) if found is not None else 0.0
