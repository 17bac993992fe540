"""One shape from several pictures of the same person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.fitting.types import FitResult, ViewsFit

F8 = npt.NDArray[np.float64]


def pool_shape(results: Sequence[FitResult | ViewsFit]) -> F8:
    """(B,) the shape that several pictures of one person say together, weighed by what each can tell.

    The Gaussian posterior under a standard normal prior: ``(sum_i A_i + I)^-1 sum_i (A_i + I) b_i``
    shrunk so that the prior counts once and not once a picture.
    """
    total = np.eye(len(results[0].params.betas))
    pull = np.zeros(len(total))
    for r in results:
        # A result's shape is (A + I)^-1 A m: m, what the picture alone says, enters by A m.
        pull += (r.shape_information + np.eye(len(total))) @ r.params.betas
        total += r.shape_information
    return np.asarray(np.linalg.solve(total, pull))
