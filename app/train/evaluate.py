"""How good the expected errors are on scenes that nothing was trained or calibrated on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.train.alarms import Alarms, alarm_rows
from app.train.cost import Cost
from app.train.samples import OCCLUDED, TRUNCATED, VISIBLE, Samples, vertices_kept
from app.train.variants import KINDS, RUN
from backends.confidence.expected.model import ErrorModel, table_rows
from backends.confidence.expected.sites import Sites
from backends.confidence.expected.spread import carry_to_vertices, scaled_spread
from backends.confidence.expected.summary import ConfidenceSummary, summarise
from backends.fitting.kernels import N_FIT_JOINTS
from backends.metrics import confidence as c

F8 = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

WRONG_MM = 100.0
TOLERANCES_MM = (50.0, 100.0)
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_LEVEL_SHOWN = LEVELS.index(0.9)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: which joints. n: joints looked at. wrong: share more than 100 mm off.
        error_mm, expected_mm: mean true and expected error.
        auroc: of telling joints more than 100 mm off. ause: see :func:`backends.metrics.confidence.ause`.
        spearman: of expected and true error. ece50, ece100: of being within 50 and 100 mm.
        held: share of true errors under their 90 % bound.
    """

    name: str
    n: int
    wrong: float
    error_mm: float
    expected_mm: float
    auroc: float
    ause: float
    spearman: float
    ece50: float
    ece100: float
    held: float


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Everything that is printed.

    Attributes:
        rows: of the model, by what is true of the joint, by camera and by kind of scene.
        posterior: the same of the fit's own posterior, without the model, for comparison.
        summary: curves over all joints.
        vertex_spearman: of expected and true error per vertex; vertex_error_mm, vertex_expected_mm: means.
        sequences, people, scenes: how much it rests on.
    """

    rows: tuple[Row, ...]
    posterior: Row
    summary: ConfidenceSummary
    vertex_spearman: float
    vertex_error_mm: float
    vertex_expected_mm: float
    sequences: int
    people: int
    scenes: int


def evaluate_model(
    model: ErrorModel, samples: Samples, sites: Sites, preset_of: Sequence[str] | None = None
) -> Evaluation:
    """Scores over the 22 body joints of every sample, and over every 29th vertex.

    Frames judged by themselves and frames that somebody has corrected have rows of their own; everything
    else is about what a run ends with.

    Args:
        preset_of: (N,) the kind of scene of each sample, for rows of its own.
    """
    every_sample = samples
    run = samples.kind == RUN
    samples = samples.only(run)
    preset_of = None if preset_of is None else [p for p, r in zip(preset_of, run) if r]
    body = slice(0, N_FIT_JOINTS)
    features = samples.features
    centre, scale = model.centre_and_scale(features)
    group = table_rows(features)
    expected = model.expected_mm(centre, scale, group)
    error = samples.error_mm.astype(np.float64)
    bounds = [model.bound_mm(centre, scale, group, level)[:, body] for level in LEVELS]
    within = [model.probability_within(centre, scale, group, t)[:, body] for t in TOLERANCES_MM]
    shape = error[:, body].shape
    every = np.ones(shape, np.bool_)
    state = samples.state[:, body]
    chosen: list[tuple[str, BoolArray]] = [
        ("all", every), ("visible", state == VISIBLE), ("occluded", state == OCCLUDED),
        ("truncated", state == TRUNCATED),
        ("focal length known", every & ~samples.assumed[:, None]),
        ("focal length assumed", every & samples.assumed[:, None]),
    ]  # fmt: skip
    if preset_of is not None:
        kinds = np.asarray(preset_of)
        chosen += [(f"scene: {k}", every & (kinds == k)[:, None]) for k in sorted(set(preset_of))]
    rows = [
        _row(
            name, error[:, body][m], expected[:, body][m], within[0][m], within[1][m], bounds[_LEVEL_SHOWN][m]
        )
        for name, m in chosen
        if m.any()
    ]
    rows += _other_rows(model, every_sample)
    sigma = np.sqrt(np.maximum(np.diagonal(samples.posterior, axis1=1, axis2=2), 0.0))[:, body].astype(
        np.float64
    )
    plain = 0.92 * sigma.reshape(-1)
    posterior = _row(
        "posterior of the fit alone", error[:, body].reshape(-1), plain,
        c.probability_within(plain, 50.0), c.probability_within(plain, 100.0), c.error_bound(plain, 0.9),
    )  # fmt: skip
    vertex = vertex_expected(model, samples, expected, sites)
    return Evaluation(
        tuple(rows), posterior,
        summarise(
            expected[:, body].reshape(-1), error_mm=error[:, body].reshape(-1),
            probability=within[0].reshape(-1), bounds_mm=np.stack([b.reshape(-1) for b in bounds]),
            levels=LEVELS, tolerance_mm=TOLERANCES_MM[0],
        ),
        c.spearman(samples.vertex_mm, vertex).value, float(samples.vertex_mm.mean()), float(vertex.mean()),
        len({(int(s), int(t)) for s, t in zip(samples.scene, samples.track)}), len(samples),
        len(np.unique(samples.scene)),
    )  # fmt: skip


def _other_rows(model: ErrorModel, samples: Samples) -> list[Row]:
    """Rows of frames judged by themselves and of corrected ones, and of the vertices' bounds."""
    rows = []
    for kind, name in enumerate(KINDS):
        some = samples.only(samples.kind == kind)
        if kind == RUN or not len(some):
            continue
        centre, scale = model.centre_and_scale(some.features)
        group = table_rows(some.features)
        body = slice(0, N_FIT_JOINTS)
        in50, in100 = (
            model.probability_within(centre, scale, group, t)[:, body].reshape(-1) for t in TOLERANCES_MM
        )
        bound = model.bound_mm(centre, scale, group, LEVELS[_LEVEL_SHOWN])[:, body].reshape(-1)
        expected = model.expected_mm(centre, scale, group)[:, body].reshape(-1)
        error = some.error_mm[:, body].astype(np.float64).reshape(-1)
        rows.append(_row(name, error, expected, in50, in100, bound))
    return rows


def vertex_expected(model: ErrorModel, samples: Samples, expected: F8, sites: Sites) -> F8:
    """(N, M) expected errors of every 29th vertex, mm."""
    few, gain = vertices_kept(sites), model.vertex_gain.astype(np.float64)
    return np.array(
        [
            carry_to_vertices(
                few, np.outer(gain, gain) * scaled_spread(p.astype(np.float64), e, float(model.together))
            )
            for p, e in zip(samples.posterior, expected)
        ],
        np.float64,
    )


def _row(name: str, error: F8, expected: F8, in50: F8, in100: F8, bound: F8) -> Row:
    return Row(
        name, len(error), float((error > WRONG_MM).mean()), float(error.mean()), float(expected.mean()),
        c.auroc(-in100, error > WRONG_MM).value, c.ause(error, expected).value,
        c.spearman(error, expected).value, c.calibration(in50, error <= 50.0).ece.value,
        c.calibration(in100, error <= 100.0).ece.value, c.interval_coverage(error, bound).value,
    )  # fmt: skip


def as_text(evaluation: Evaluation, alarms: Alarms | None = None, cost: Cost | None = None) -> str:
    """The table and the curves, for a terminal; what the review asks and what a judgement costs below."""
    e, s = evaluation, evaluation.summary
    head = (
        f"{'joints':28}{'n':>8}{'>100mm':>8}{'error':>8}{'exp.':>8}{'AUROC':>8}{'AUSE':>8}{'Spearm.':>9}"
        f"{'ECE50':>8}{'ECE100':>8}{'90% held':>10}"
    )
    lines = [
        f"{e.people} people in {e.sequences} sequences of {e.scenes} scenes held out; mm after the body as a"
        " whole is aligned (place, turn, size)",
        "", head,
        *(_line(r) for r in (*e.rows, e.posterior)), "",
        f"vertices: Spearman {e.vertex_spearman:.3f}, mean error {e.vertex_error_mm:.0f} mm,"
        f" expected {e.vertex_expected_mm:.0f} mm",
        "mean error of the surest 50 / 80 / 95 %: " + " / ".join(f"{r:.0f}" for r in s.risk_at) + " mm",
        "bounds held: " + ", ".join(f"{a:.0%}: {b:.1%}" for a, b in zip(s.levels, s.held)),
        "coverage and risk, mm: "
        + ", ".join(f"{c_:.0%} {r:.0f}" for c_, r in zip(s.coverage[10::10], s.risk_mm[10::10])),
        "within 50 mm, predicted and observed: "
        + ", ".join(f"{p:.2f} {o:.2f}" for p, o in zip(s.reliability_predicted, s.reliability_observed)),
    ]  # fmt: skip
    if alarms is not None:
        lines += ["", *_alarm_lines(alarms)]
    if cost is not None:
        lines += [
            "",
            f"cost, ms a person-frame on one core: {cost.batch_ms:.2f} with {cost.frames} frames together,"
            f" {cost.single_ms:.2f} one by one, {cost.vertices_ms:.2f} more for {cost.vertices} vertices",
        ]
    return "\n".join(lines)


def _line(r: Row) -> str:
    return (
        f"{r.name:28}{r.n:>8}{r.wrong:>8.1%}{r.error_mm:>8.1f}{r.expected_mm:>8.1f}{r.auroc:>8.3f}{r.ause:>8.3f}"
        f"{r.spearman:>9.3f}{r.ece50:>8.3f}{r.ece100:>8.3f}{r.held:>10.1%}"
    )


def _alarm_lines(alarms: Alarms) -> list[str]:
    head = f"{'the review asks':28}{'items':>8}{'right':>8}{'chance':>8}{'a minute':>10}{'cards':>8}"
    return [
        head,
        *(
            f"{r.name:28}{r.n:>8}{r.right:>8.1%}{r.usual:>8.1%}{r.a_minute:>10.1f}{r.cards:>8.1f}"
            for r in alarm_rows(alarms)
        ),
    ]


def as_plain(
    evaluation: Evaluation, alarms: Alarms | None = None, cost: Cost | None = None
) -> dict[str, Any]:
    """The same in plain values, for JSON."""
    s = evaluation.summary

    def known(value: float) -> float | None:
        return None if math.isnan(value) else value

    return {
        "alignment": "similarity over the 22 body joints",
        "rows": [
            {f: known(v) if isinstance(v := getattr(r, f), float) else v for f in Row.__dataclass_fields__}
            for r in (*evaluation.rows, evaluation.posterior)
        ],
        "vertices": {
            "spearman": known(evaluation.vertex_spearman), "error_mm": evaluation.vertex_error_mm,
            "expected_mm": evaluation.vertex_expected_mm,
        },
        "risk_mm_at_coverage": dict(zip(("0.5", "0.8", "0.95"), s.risk_at)),
        "risk_curve": {"coverage": s.coverage.tolist(), "risk_mm": s.risk_mm.tolist()},
        "reliability": {
            "tolerance_mm": s.tolerance_mm, "predicted": s.reliability_predicted.tolist(),
            "observed": s.reliability_observed.tolist(), "count": s.reliability_count.tolist(),
        },
        "bounds": {"level": s.levels.tolist(), "held": s.held.tolist()},
        "people": evaluation.people, "sequences": evaluation.sequences, "scenes": evaluation.scenes,
        "alarms": [] if alarms is None else [asdict(r) for r in alarm_rows(alarms)],
        "cost": None if cost is None else asdict(cost),
    }  # fmt: skip
