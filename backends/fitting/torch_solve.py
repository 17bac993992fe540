"""Steps of many damped normal equations at once.

On a GPU the libraries behind ``torch.linalg`` solve thousands of small systems one library call after the
other, far below what the card can do. There a kernel of our own is compiled at run time (NVRTC comes with
torch): one block of threads a body, the matrix in its shared memory. Elsewhere, or where the compiler is
missing, ``torch.linalg`` does it.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

import torch

Tensor = Any

LEAST_PIVOT = 1e-3
"""Added to each diagonal element before it is scaled by the damping, so that none stays at nothing."""

_THREADS = 128
_SHARED_BYTES = 48 * 1024
_SOURCE = r"""
extern "C" __global__ void damped_steps(
    const float* H, const float* g, const float* damping, float* step, int* solved, int n)
{
    // The lower triangle row by row; below it the right-hand side, which the elimination turns into L^-1 g.
    extern __shared__ float A[];
    const int t = threadIdx.x, tx = t & 15, ty = t >> 4;
    const long long body = blockIdx.x;
    const float* from = H + body * n * n;
    const float more = damping[body];
    #define AT(i, j) A[(i) * ((i) + 1) / 2 + (j)]
    for (int i = ty; i < n; i += 8)
        for (int j = tx; j <= i; j += 16) {
            const float v = from[i * n + j];
            AT(i, j) = i == j ? v + more * (v + LEAST_PIVOT) : v;
        }
    for (int j = t; j < n; j += 128) AT(n, j) = g[body * n + j];
    __syncthreads();
    bool fine = true;
    for (int k = 0; k < n; k++) {
        const float pivot = AT(k, k);
        fine = pivot > 0.0f && pivot < 3e38f;
        if (!fine) break;  // all threads alike
        const float scale = 1.0f / sqrtf(pivot);
        __syncthreads();
        for (int i = k + t; i <= n; i += 128) AT(i, k) *= scale;
        __syncthreads();
        for (int i = k + 1 + ty; i <= n; i += 8) {
            const float left = AT(i, k);
            const int last = i < n ? i : n - 1;
            for (int j = k + 1 + tx; j <= last; j += 16) AT(i, j) -= left * AT(j, k);
        }
        __syncthreads();
    }
    for (int k = n - 1; fine && k >= 0; k--) {
        const float x = AT(n, k) / AT(k, k);
        for (int j = t; j < k; j += 128) AT(n, j) -= AT(k, j) * x;
        if (t == 0) step[body * n + k] = -x;
        __syncthreads();
    }
    if (t == 0) solved[body] = fine;
}
"""

_log = logging.getLogger(__name__)


def damped_steps(H: Tensor, g: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    """Solve ``(H + damping * (diag H + LEAST_PIVOT)) step = -g`` for each body.

    Args:
        H: (N, n, n), symmetric; g: (N, n); damping: (N,).

    Returns:
        Steps (N, n), anything where not solved; (N,) bool, whether the matrix was positive definite.
    """
    kernel = _kernel(H.device) if H.is_cuda and H.dtype == torch.float32 and len(H) else None
    n = H.shape[-1]
    shared = 4 * (n + 1) * (n + 2) // 2
    if kernel is None or shared > _SHARED_BYTES:
        return _by_library(H, g, damping)
    step = torch.zeros_like(g)
    solved = torch.empty(len(H), dtype=torch.int32, device=H.device)
    arrays = [H.contiguous(), g.contiguous(), damping.contiguous(), step, solved, n]
    with torch.cuda.device(H.device):
        kernel((len(H), 1, 1), (_THREADS, 1, 1), arrays, shared)
    return step, solved.bool()


def _by_library(H: Tensor, g: Tensor, damping: Tensor) -> tuple[Tensor, Tensor]:
    damped = H.clone()
    diagonal = torch.diagonal(damped, dim1=1, dim2=2)
    diagonal += damping[:, None] * (diagonal + LEAST_PIVOT)
    L, info = torch.linalg.cholesky_ex(damped)
    return -torch.cholesky_solve(g[..., None], L)[..., 0], info == 0


@functools.cache
def _kernel(device: Any) -> Any:
    """The compiled kernel, None where this torch cannot compile it."""
    source = _SOURCE.replace("LEAST_PIVOT", f"{LEAST_PIVOT}f")
    try:
        with torch.cuda.device(device):
            return torch.cuda._compile_kernel(source, "damped_steps")
    except (AttributeError, OSError, RuntimeError) as error:
        _log.warning("Bodies are fitted with slower steps, as the GPU's compiler is missing: %s", error)
        return None
