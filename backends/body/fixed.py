"""A body in the few shapes of a video's people: posing them frame after frame blends no shape anew."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backends.body.model import BodyModel
from backends.body.params import BodyParams
from backends.body.pose import posed_vertices, shaped_joints
from backends.errors import InputError

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]


_KEPT = 8
"""Shapes that are remembered: of people who are in the picture together."""


class FixedBody:
    """Poses a body, or some of its vertices, and remembers the shapes that were asked for last.

    Args:
        vertices: (K,) those that are wanted, in that order; all by default.
    """

    def __init__(self, body: BodyModel, vertices: I8 | None = None) -> None:
        self._body = body
        self._vertices = vertices
        self._shapes: OrderedDict[bytes, BodyModel] = OrderedDict()

    def posed(self, params: BodyParams) -> F8:
        """(K, 3) the wanted vertices as :func:`posed_vertices` has them, metres, coordinates of ``params``.

        Raises:
            InputError: for parameters of another size.
        """
        if params.betas.shape != (self._body.n_betas,):
            raise InputError(f"This body takes betas ({self._body.n_betas},); got {params.betas.shape}.")
        key = params.betas.tobytes()
        shaped = self._shapes.get(key)
        if shaped is None:
            shaped = self._shapes[key] = self._of_shape(params.betas)
            while len(self._shapes) > _KEPT:
                self._shapes.popitem(last=False)
        return posed_vertices(shaped, replace(params, betas=np.zeros(0)))

    def _of_shape(self, betas: F8) -> BodyModel:
        body = self._body
        some = slice(None) if self._vertices is None else self._vertices
        template = body.v_template[some] + body.shapedirs[some] @ betas
        posedirs = body.posedirs
        if posedirs is not None and self._vertices is not None:
            posedirs = np.ascontiguousarray(posedirs.reshape(len(posedirs), -1, 3)[:, some])
            posedirs = posedirs.reshape(len(posedirs), -1)
        return replace(
            body, v_template=np.ascontiguousarray(template), shapedirs=np.zeros((len(template), 3, 0)),
            posedirs=posedirs, J_template=shaped_joints(body, betas), J_shapedirs=np.zeros((55, 3, 0)),
            skin_joints=np.ascontiguousarray(body.skin_joints[some]),
            skin_weights=np.ascontiguousarray(body.skin_weights[some]),
        )  # fmt: skip
