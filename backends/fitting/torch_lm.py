"""Batched Levenberg-Marquardt in torch: the terms of :mod:`terms` for many people at once, but for those on
the skin (outline, surface), whose pairs change from round to round and from one person to the next.

On a CPU the compiled threads of :mod:`batch` are faster; this is for a GPU, where thousands of bodies
cost about as much as one. Derivatives are by hand here too. Each body has its own damping.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from backends.camera import Camera
from backends.fitting.arrays import Evidence, Prior
from backends.fitting.batch import BatchFit, make_batch, starts
from backends.fitting.evidence import N_POINTS
from backends.fitting.fitter import COLD_WIDTH, BodyFitter
from backends.fitting.kernels import N_FIT_JOINTS, N_POSE
from backends.fitting.torch_points import Tensor, TorchBody
from backends.fitting.torch_solve import damped_steps
from backends.fitting.torch_terms import Terms, evidence_arrays, joined
from backends.keypoints.layout import N_KEYPOINTS

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_HUGE = 1e30
_CROWDED = 0.8
"""Of those being fitted, the share still on their way above which nobody is put aside: that costs, too."""

_PART = 2048
"""People prepared by one core at a time."""

_BYTES, _SHARE, _MOST_PARTS = 200_000, 0.4, 32
"""Memory a person needs while it is fitted, how much of what is free on the GPU is taken, and the most parts
fitted together: the more people, the less time goes into telling the GPU what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some of the people: who can be fitted, which keypoints count, starts (N, n), evidence on the device."""

    enough: BoolArray
    used: BoolArray
    start: Tensor
    known: dict[str, Tensor]


class TorchFitter:
    """The fit of many people at once, on a GPU where there is one."""

    def __init__(self, fitter: BodyFitter, *, device: str | None = None, dtype: Any = torch.float32) -> None:
        """``device`` as torch names it; by default CUDA where there is one, else the CPU."""
        self._fitter = fitter
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._dtype = dtype
        self._body = TorchBody.make(fitter.arrays, N_KEYPOINTS, self.device, dtype)
        self._whole = TorchBody.make(fitter.arrays, N_POINTS, self.device, dtype)
        self.nb = fitter.body.n_betas

    def fit_many(
        self, xy: npt.ArrayLike, score: npt.ArrayLike, world: npt.ArrayLike, camera: Camera
    ) -> BatchFit:
        """As :func:`backends.fitting.batch.fit_many`, to the working precision."""
        arrays = tuple(np.asarray(a, dtype=np.float64) for a in (xy, score, world))
        n = max(len(a) for a in arrays)
        parts = [tuple(a[i : i + _PART] for a in arrays) for i in range(0, max(n, 1), _PART)]
        fits: list[BatchFit] = []
        with ThreadPoolExecutor(min(len(parts), os.cpu_count() or 1)) as pool, torch.no_grad():
            # While some are fitted, the processor's cores weigh the evidence of the next ones.
            ready = [pool.submit(self._prepare, part, camera) for part in parts]
            together = self._parts_at_once()
            while ready:
                fits.append(self._fit([r.result() for r in ready[:together]]))
                del ready[:together]
        return BatchFit(*(np.concatenate([getattr(f, a.name) for f in fits]) for a in fields(BatchFit)))

    def _parts_at_once(self) -> int:
        if self.device.type != "cuda":
            return 1
        free, _ = torch.cuda.mem_get_info(self.device)
        return int(np.clip(_SHARE * free / (_BYTES * _PART), 1, _MOST_PARTS))

    def _prepare(self, part: tuple[F8, ...], camera: Camera) -> _Part:
        xy, score, world = part
        batch = make_batch(self._fitter, xy, score, world, camera)
        return _Part(
            batch.enough, batch.view.used, self._tensor(starts(self._fitter, batch)),
            self._evidence(batch.known),
        )  # fmt: skip

    def _fit(self, parts: Sequence[_Part]) -> BatchFit:
        f = self._fitter
        enough, used = (np.concatenate([getattr(p, a) for p in parts]) for a in ("enough", "used"))
        prior, limits = f.prior_for(self.nb), self._tensor(f.bounds(self.nb, in_front=True))
        terms = Terms(self._body, joined([p.known for p in parts]), prior, self._tensor)
        x = torch.cat([p.start for p in parts])
        x, _ = self._descend(terms, x, limits, f.settings.cold_iterations, COLD_WIDTH, 1e-3)
        x, cost = self._descend(terms, x, limits, f.settings.cold_iterations, 1.0, 1e-5)
        away = terms.misses(x).double().cpu().numpy()
        found, costs = x.double().cpu().numpy(), cost.double().cpu().numpy()
        fitted = enough & np.isfinite(costs) & (costs < _HUGE) & np.isfinite(found).all(axis=1)
        found[~fitted] = np.concatenate([f.prior.mean, np.zeros(self.nb)])
        squares = np.where(used & fitted[:, None], away**2, 0.0).sum(axis=1)
        rms = np.where(fitted, np.sqrt(squares / np.maximum(used.sum(axis=1), 1)), np.nan)
        return BatchFit(
            fitted, found[:, :N_POSE].reshape(len(found), N_FIT_JOINTS, 3), found[:, N_POSE : N_POSE + 3],
            found[:, N_POSE + 3 :], rms, np.where(fitted, costs, np.inf),
        )  # fmt: skip

    def descend(
        self, known: Evidence, x: F8, *, in_front: bool = True, prior: Prior | None = None
    ) -> tuple[F8, F8]:
        """Many people's bodies from evidence of any kind: several views, depths, places in space, bones.

        Args:
            known: a row a person in all arrays but ``cameras`` and ``bones``
                (:func:`backends.fitting.clip_kernels.one_frame`).
            x: (N, 69 + B) where each starts; :meth:`BodyFitter.pack`.
            in_front: all stand before a camera at the origin.

        Returns:
            Unknowns (N, 69 + B), and costs (N,), inf where a body lies behind its only camera.
        """
        f = self._fitter
        told = bool(np.isfinite(known.points_sigma[:, N_KEYPOINTS:]).any())
        body = self._whole if told else self._body
        terms = Terms(body, self._evidence(known), prior or f.prior_for(self.nb), self._tensor)
        limits = self._tensor(f.bounds(self.nb, in_front=in_front))
        with torch.no_grad():
            found, cost = self._descend(terms, self._tensor(x), limits, f.settings.cold_iterations, 1.0, 1e-5)
        costs = cost.double().cpu().numpy()
        return found.double().cpu().numpy(), np.where(costs < _HUGE, costs, np.inf)

    def _tensor(self, a: Any) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(a), dtype=self._dtype, device=self.device)

    def _evidence(self, known: Evidence) -> dict[str, Tensor]:
        return {name: self._tensor(a) for name, a in evidence_arrays(known).items()}

    def _descend(
        self, terms: Terms, x: Tensor, limits: Tensor, steps: int, width: float, tolerance: float
    ) -> tuple[Tensor, Tensor]:
        """Unknowns (N, n) and costs (N,). Who has arrived is put aside, for the others to be faster."""
        found, costs = x.clone(), torch.empty_like(x[:, 0])
        who = torch.arange(len(x), device=x.device)
        lam, grow = torch.full_like(costs, 1e-3), torch.full_like(costs, 2.0)
        going = torch.ones_like(who, dtype=torch.bool)
        cost, H, g = terms.normal_equations(x, width)
        for _ in range(steps):
            step, solved = damped_steps(H, g, lam)
            trial = torch.clamp(torch.where(torch.isfinite(step), x + step, x), limits[:, 0], limits[:, 1])
            new, new_H, new_g = terms.normal_equations(trial, width)
            better = (new < cost) & solved & going
            done = better & (cost - new < tolerance * (new.abs() + 1.0))
            pick = better[:, None]
            x = torch.where(pick, trial, x)
            H = torch.where(pick[..., None], new_H, H)
            g = torch.where(pick, new_g, g)
            cost = torch.where(better, new, cost)
            lam = torch.where(better, torch.clamp(lam * 0.2, min=1e-6), lam * grow)
            grow = torch.where(better, torch.full_like(grow, 2.0), grow * 2.0)
            going &= ~done & (lam < 1e8)
            left = int(going.sum())
            if left > _CROWDED * len(going):
                continue
            found[who], costs[who] = x, cost
            if left == 0:
                break
            on = going.nonzero()[:, 0]
            terms = terms.of(on)
            who, x, H, g, cost, lam, grow = (a[on] for a in (who, x, H, g, cost, lam, grow))
            going = torch.ones_like(who, dtype=torch.bool)
        found[who], costs[who] = x, cost
        return found, costs
