"""Which body an export speaks of: the one that was fitted, or SMPL, SMPL-H or SMPL-X from a person's file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.models.bodies import FREE, BodyChoice, body_choices, find_body
from backends.body import BodyModel, BodyParams
from backends.body.skeleton import JOINT_INDEX
from backends.fitting import transfer
from backends.fitting.kernels import N_FIT_JOINTS

FITTED = "free"
"""The body that was fitted: nothing is carried over."""

_SAME_SHAPE = 1e-6


def export_bodies(fitted: str) -> list[BodyChoice]:
    """What an export may speak of: the fitted body, called ``fitted``, then those that were added."""
    return [BodyChoice(FITTED, fitted, True), *(c for c in body_choices() if c.id != FREE)]


class ExportBody:
    """Carries fitted bodies to the body of an export, one shape a person."""

    def __init__(self, fitted: BodyModel, target: BodyModel | None = None) -> None:
        """``target`` None: bodies stay as they were fitted."""
        self._fitted = fitted
        self._target = target
        self._shapes: dict[int, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = {}

    @staticmethod
    def chosen(fitted: BodyModel, name: str) -> ExportBody:
        """The body called ``name``: "free", "smplx", "smplh" or "smpl" as installed, or a file's path.

        Raises:
            ModelError: the body's file has not been added, or is no body.
        """
        if name == FITTED:
            return ExportBody(fitted)
        target, _ = find_body(name)
        same = target.n_vertices == fitted.n_vertices and np.array_equal(target.v_template, fitted.v_template)
        return ExportBody(fitted, None if same else target)

    @property
    def model(self) -> BodyModel:
        """The body of the export."""
        return self._target or self._fitted

    @property
    def carried(self) -> bool:
        """Whether bodies are carried over at all."""
        return self._target is not None

    def of(self, track: int, params: BodyParams) -> tuple[BodyParams, float]:
        """A person's body as the export has it, and the mean distance of the two bodies' joints, mm."""
        if self._target is None:
            return params, 0.0
        known = self._shapes.get(track)
        if known is None or np.abs(known[0] - params.betas).max() > _SAME_SHAPE:
            known = (params.betas, self._shape(params))
            self._shapes[track] = known
        found = transfer(self._fitted, params, self._target, betas=known[1])
        return found.params, float(found.joints_mm.mean())

    def _shape(self, params: BodyParams) -> npt.NDArray[np.float64]:
        """The other body's shape with this one's joints, found at rest, where angles hide nothing."""
        assert self._target is not None
        still = BodyParams(params.betas, np.zeros_like(params.pose), np.zeros(3))
        return transfer(self._fitted, still, self._target).params.betas


def pose_arrays(body: BodyModel, params: BodyParams) -> dict[str, npt.NDArray[np.float64]]:
    """One body's angles under smplx's names and in the sizes that ``smplx.create`` takes for this body:
    SMPL has 23 joints in ``body_pose`` and no fingers, SMPL-H no jaw."""
    pose = params.pose
    arrays = {"global_orient": pose[0], "body_pose": pose[1:N_FIT_JOINTS].reshape(-1)}
    if body.name == "SMPL":
        hands = pose[[JOINT_INDEX["left_middle1"], JOINT_INDEX["right_middle1"]]]
        return arrays | {"body_pose": np.concatenate([arrays["body_pose"], hands.reshape(-1)])}
    arrays |= {
        "left_hand_pose": params.left_hand_pose.reshape(-1),
        "right_hand_pose": params.right_hand_pose.reshape(-1),
    }
    return arrays if body.name == "SMPL-H" else arrays | {"jaw_pose": params.jaw_pose}
