"""Expected errors of a track's bodies, in millimetres: per joint, per keypoint, per vertex."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backends.confidence.expected.features import track_features
from backends.confidence.expected.model import ErrorModel, shipped_model, table_rows
from backends.confidence.expected.sites import N_SITES, Sites
from backends.confidence.expected.spread import carry_to_vertices, scaled_spread
from backends.confidence.expected.types import Sighting
from backends.confidence.types import BodyConfidence, SiteErrors
from backends.errors import InputError
from backends.fitting.kernels import N_FIT_JOINTS

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]


def expected_errors(
    sites: Sites,
    sightings: Sequence[Sighting],
    model: ErrorModel | None = None,
    *,
    span: tuple[float, float] | None = None,
) -> list[BodyConfidence]:
    """Expected errors of one person's bodies in successive frames.

    Neighbouring frames count, up to 0.4 s on either side: long tracks may be given in windows that overlap
    by that. A frame given by itself is judged too, then without what movement tells and by tables of its own.
    Figures hold after the body as a whole is aligned.

    Args:
        sites: of the body that was fitted (:func:`make_sites`), made once.
        sightings: one a frame, in order of time.
        model: the one that ships by default.
        span: times at which the whole track begins and ends, where these frames are a window of it.

    Returns:
        One a sighting.

    Raises:
        InputError: no frames, times that do not rise, arrays of a wrong shape, fits of another body.
        WeightsError: the shipped model is missing or damaged.
    """
    model = model or shipped_model()
    features, gathered = track_features(sites, sightings, span)
    centre, scale = model.centre_and_scale(features)
    group = table_rows(features)
    expected = model.expected_mm(centre, scale, group)
    bound = model.bound_mm(centre, scale, group)
    gain = np.outer(model.vertex_gain, model.vertex_gain).astype(np.float64)
    out = []
    for t in range(len(sightings)):
        together = scaled_spread(gathered.posterior[t], expected[t], float(model.together))
        errors = SiteErrors(
            mm=expected[t].astype(np.float32),
            bound_mm=bound[t].astype(np.float32),
            row=group[t],
            spread=(gain * together).astype(np.float32),
            centre=centre[t].astype(np.float32),
            scale=scale[t].astype(np.float32),
        )
        out.append(
            BodyConfidence(
                keypoint_mm=_carried(sites.keypoint_weight, together),
                joint_mm=_carried(sites.joint_weight, together),
                mean_mm=float(expected[t, :N_FIT_JOINTS].mean()),
                sites=errors,
            )
        )
    return out


def _carried(weight: F8, together: F8) -> F4:
    """(N,) root mean square errors of points that hang on the sites by ``weight`` (N, 27)."""
    out: F4 = np.sqrt(np.maximum(((weight @ together) * weight).sum(axis=1), 0.0)).astype(np.float32)
    return out


def vertex_errors(sites: Sites, error: SiteErrors) -> F4:
    """(V,) float32 expected error of each vertex, mm; about a tenth of a millisecond for 14,000 vertices."""
    return carry_to_vertices(sites, error.spread)


def keypoint_bounds(sites: Sites, confidence: BodyConfidence) -> F4:
    """(23,) the error that nine of ten of each keypoint's stay under, mm; NaN where it is not known.

    The bound of the sites between which a keypoint lies, as much larger or smaller as its error is.
    """
    e = confidence.sites
    if e is None:
        return np.full(len(confidence.keypoint_mm), np.nan, np.float32)
    bounds: F4 = confidence.keypoint_mm * (sites.keypoint_weight @ _stretch(e)).astype(np.float32)
    return bounds


def vertex_bounds(sites: Sites, error: SiteErrors) -> F4:
    """(V,) float32 the error that nine of ten of each vertex's stay under, mm; as :func:`keypoint_bounds`."""
    share = (_stretch(error)[sites.vertex_site] * sites.vertex_weight).sum(axis=1)
    bounds: F4 = vertex_errors(sites, error) * share.astype(np.float32)
    return bounds


def _stretch(error: SiteErrors) -> F8:
    """(27,) how much larger than the expected error each site's bound is."""
    ratio: F8 = error.bound_mm.astype(np.float64) / np.maximum(error.mm.astype(np.float64), 1e-3)
    return ratio


def site_probability(error: SiteErrors, tolerance_mm: float, model: ErrorModel | None = None) -> F4:
    """(27,) probability that each site lies within ``tolerance_mm`` of the truth.

    Raises:
        InputError: a tolerance that is not positive.
    """
    if not tolerance_mm > 0:
        raise InputError(f"A tolerance needs to be positive millimetres, got {tolerance_mm}.")
    model = model or shipped_model()
    p: F4 = model.probability_within(
        error.centre.astype(np.float64), error.scale.astype(np.float64), error.row, tolerance_mm
    ).astype(np.float32)
    return p


def vertex_probability(
    sites: Sites, error: SiteErrors, tolerance_mm: float, model: ErrorModel | None = None
) -> F4:
    """(V,) probability that each vertex lies within ``tolerance_mm`` of the truth.

    By the tables of the sites that a vertex hangs between, each with the tolerance stretched as the
    vertex's expected error is larger or smaller than the site's.

    Raises:
        InputError: a tolerance that is not positive.
    """
    if not tolerance_mm > 0:
        raise InputError(f"A tolerance needs to be positive millimetres, got {tolerance_mm}.")
    model = model or shipped_model()
    mm = np.maximum(vertex_errors(sites, error).astype(np.float64), 1e-3)
    grid = np.geomspace(0.05, 20.0, 64)
    site = error.mm.astype(np.float64)
    centre, scale = error.centre.astype(np.float64)[:, None], error.scale.astype(np.float64)[:, None]
    group = np.repeat(error.row[:, None], len(grid), axis=1)
    curves = model.probability_within(
        np.broadcast_to(centre, group.shape), np.broadcast_to(scale, group.shape), group, site[:, None] * grid
    )
    at = np.interp(np.log(tolerance_mm / mm), np.log(grid), np.arange(len(grid)))
    low = np.minimum(at.astype(np.int64), len(grid) - 2)
    share = (at - low)[:, None]
    chosen = sites.vertex_site
    values = curves[chosen, low[:, None]] * (1.0 - share) + curves[chosen, low[:, None] + 1] * share
    p: F4 = (values * sites.vertex_weight).sum(axis=1).astype(np.float32)
    return p


def unknown_error(mm: float = 500.0) -> BodyConfidence:
    """The stated low confidence of a person of whom nothing can be used: every figure is ``mm``."""
    site = np.full(N_SITES, mm, np.float32)
    errors = SiteErrors(
        site, site, np.ones(N_SITES, np.uint8), np.outer(site, site).astype(np.float32),
        np.full(N_SITES, np.log(mm + 5.0), np.float32), np.full(N_SITES, 0.5, np.float32),
    )  # fmt: skip
    return BodyConfidence(np.full(23, mm, np.float32), np.full(55, mm, np.float32), float(mm), errors)
