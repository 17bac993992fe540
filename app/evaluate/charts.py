"""The plots of a report."""

from __future__ import annotations

from html import escape

import numpy as np
import numpy.typing as npt

from app.evaluate.report import Plots
from app.evaluate.svg import Plot, svg_of
from backends.confidence import confidence_rgb

F8 = npt.NDArray[np.float64]

_WIDTH, _HEIGHT = 560, 250
_BINS = 40
_POINTS = 600
_ROW = 22


def color_of(mm: float, tolerance_mm: float) -> str:
    """The confidence map's colour of an error."""
    r, g, b = (int(v) for v in confidence_rgb(np.array(mm), tolerance_mm))
    return f"#{r:02x}{g:02x}{b:02x}"


def _high(values: F8, least: float) -> float:
    known = values[np.isfinite(values)]
    return max(float(known.max()) * 1.06 if known.size else 0.0, least)


def histogram(plots: Plots, tolerance_mm: float) -> str | None:
    """How large the joints' errors are; the last bar holds all beyond."""
    errors = plots.errors_mm
    if not errors.size:
        return None
    top = max(float(np.quantile(errors, 0.99)), 1.2 * tolerance_mm)
    edges = np.linspace(0.0, top, _BINS + 1)
    counts = np.histogram(np.minimum(errors, top), edges)[0]
    share = 100.0 * counts / len(errors)
    middles = (edges[1:] + edges[:-1]) / 2
    plot = Plot(_WIDTH, _HEIGHT, (0.0, top), (0.0, _high(share, 1.0)))
    plot.axes("Joint error, mm", "Joints, %")
    hints = [f"{a:.0f} to {b:.0f} mm: {s:.1f} %" for a, b, s in zip(edges, edges[1:], share)]
    hints[-1] = f"{edges[-2]:.0f} mm and more: {share[-1]:.1f} %"
    plot.bars(edges, share, [color_of(float(m), tolerance_mm) for m in middles], hints)
    median = float(np.median(errors))
    return plot.upright(min(median, top), "ink", f"median {median:.0f} mm").svg("Histogram of joint errors")


def joint_bars(plots: Plots, tolerance_mm: float) -> str | None:
    """The mean error of each joint."""
    values = plots.joint_mm
    if not np.isfinite(values).any():
        return None
    label, right = 132, 46
    scale = (_WIDTH - label - right) / _high(values, 1e-6)
    parts = []
    for k, (name, mm) in enumerate(zip(plots.joints, values)):
        y = 4 + k * _ROW
        words = escape(name.replace("_", " ").capitalize())
        parts.append(f'<text class="tick" x="{label - 9}" y="{y + 14}" text-anchor="end">{words}</text>')
        if np.isfinite(mm):
            width = max(mm * scale, 1.0)
            parts.append(
                f'<rect x="{label}" y="{y + 2}" width="{width:.1f}" height="{_ROW - 6}" rx="2" '
                f'fill="{color_of(float(mm), tolerance_mm)}"/>'
                f'<text class="value" x="{label + width + 6:.1f}" y="{y + 14}">{mm:.0f}</text>'
            )
    height = 8 + _ROW * len(values)
    return svg_of(_WIDTH, height, parts, "Mean error of each joint, mm")


def over_time(plots: Plots, tolerance_mm: float) -> str | None:
    """The mean error of the people in each frame; long footage by its worst frame in each stretch."""
    y = plots.frame_mm
    if not np.isfinite(y).any() or len(y) < 2:
        return None
    x = plots.times_s
    if len(y) > _POINTS:
        groups = np.array_split(np.arange(len(y)), _POINTS)
        y = np.array([np.nanmax(y[g]) if np.isfinite(y[g]).any() else np.nan for g in groups])
        x = np.array([x[g[0]] for g in groups])
    plot = Plot(
        2 * _WIDTH + 24,
        210,
        (float(x[0]), float(max(x[-1], x[0] + 1e-3))),
        (0.0, _high(y, 1.2 * tolerance_mm)),
    )
    plot.axes("Time, s", "Error, mm").level(tolerance_mm, "quiet", f"tolerance {tolerance_mm:g} mm")
    return plot.line(x, y, "main").svg("Error over time")


def calibration(plots: Plots, tolerance_mm: float) -> str | None:
    """How often the error is within the tolerance against how often it was said to be."""
    if not plots.weight.size:
        return None
    plot = Plot(_WIDTH, _HEIGHT, (0.0, 1.0), (0.0, 1.0))
    fifths = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    plot.axes(
        f"Predicted chance to be within {tolerance_mm:g} mm", "Observed share", x_ticks=fifths, y_ticks=fifths
    )
    plot.line([0, 1], [0, 1], "quiet").line(plots.predicted, plots.observed, "main")
    radius = 2.5 + 6.5 * np.sqrt(plots.weight / plots.weight.max())
    return plot.dots(plots.predicted, plots.observed, radius, "main").svg("Reliability of the confidence")


def risk(plots: Plots) -> str | None:
    """The mean error of the surest share of the joints, beside what knowing the errors would give."""
    n = len(plots.coverage)
    if n < 2:
        return None
    index = np.unique(np.linspace(max(n // 100, 1) - 1, n - 1, 200).round().astype(int))
    x, by_confidence, best = plots.coverage[index], plots.risk_mm[index], plots.oracle_mm[index]
    plot = Plot(_WIDTH, _HEIGHT, (0.0, 1.0), (0.0, _high(np.concatenate([by_confidence, best]), 1e-6)))
    plot.axes(
        "Share of joints kept, the surest first", "Mean error, mm", x_ticks=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    )
    plot.level(float(plots.risk_mm[-1]), "quiet", "without confidence")
    return plot.line(x, best, "best").line(x, by_confidence, "main").svg("Risk against coverage")


def expected_measured(plots: Plots, tolerance_mm: float) -> str | None:
    """Of joints with like expected errors the middle one's measured error, and where eight of ten lie."""
    n = len(plots.expected_mm)
    if n < 50:
        return None
    order = np.argsort(plots.expected_mm, kind="stable")
    groups = np.array_split(order, min(24, n // 25))
    x = np.array([np.median(plots.expected_mm[g]) for g in groups])
    low, middle, high = (
        np.array([np.quantile(plots.measured_mm[g], q) for g in groups]) for q in (0.1, 0.5, 0.9)
    )
    keep = np.concatenate([[True], np.diff(x) > 0])
    x, low, middle, high = x[keep], low[keep], middle[keep], high[keep]
    if len(x) < 2:
        return None
    top = max(_high(x, tolerance_mm), 1e-6)
    plot = Plot(_WIDTH, _HEIGHT, (0.0, top), (0.0, max(_high(high, tolerance_mm), 1e-6)))
    plot.axes("Expected error, mm", "Measured error, mm").band(x, low, high, "main")
    end = min(top, _high(high, tolerance_mm))
    return plot.line([0, end], [0, end], "quiet").line(x, middle, "main").svg("Expected and measured error")
