"""Cholesky's way through a banded system, by LAPACK, with Python's lock let go.

``scipy.linalg.cholesky_banded`` calls the same two routines but holds the lock meanwhile: with a clip of 240
frames that is some hundred milliseconds in which a window cannot be drawn.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.extending import get_cython_function_address

F8 = npt.NDArray[np.float64]

_INT = ctypes.POINTER(ctypes.c_int)
_DOUBLE = ctypes.POINTER(ctypes.c_double)


@cache
def _routine(name: str, *arguments: Any) -> Any:
    address = get_cython_function_address("scipy.linalg.cython_lapack", name)
    return ctypes.CFUNCTYPE(None, *arguments)(address)  # a foreign call of ctypes lets go of the lock


def solve_banded_inplace(band: F8, right: F8) -> bool:
    """Solve ``A x = right``, A symmetric, positive and banded; False where it is not positive.

    Args:
        band: (N, B) C-contiguous, row i the diagonal and what lies below it in column i; overwritten.
        right: (N, M) Fortran-contiguous; becomes the solution.
    """
    if not (band.flags.c_contiguous and right.flags.f_contiguous and len(band) == len(right)):
        raise ValueError("a banded system needs (N, B) in C's order and (N, M) in Fortran's order")
    n, bands, m = ctypes.c_int(len(band)), ctypes.c_int(band.shape[1]), ctypes.c_int(right.shape[1])
    below, info = ctypes.c_int(band.shape[1] - 1), ctypes.c_int(0)
    lower = b"L"
    a, b = band.ctypes.data_as(_DOUBLE), right.ctypes.data_as(_DOUBLE)
    factor = _routine("dpbtrf", ctypes.c_char_p, _INT, _INT, _DOUBLE, _INT, _INT)
    factor(lower, n, below, a, bands, info)
    if info.value != 0:
        return False
    solve = _routine("dpbtrs", ctypes.c_char_p, _INT, _INT, _INT, _DOUBLE, _INT, _DOUBLE, _INT, _INT)
    solve(lower, n, below, m, a, bands, b, n, info)
    return bool(info.value == 0)
