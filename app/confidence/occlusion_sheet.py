"""The figure of a sensitivity analysis: 14 panels, the mean and the worst place."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from app.confidence.figure import GREY, RULE, Figure
from app.confidence.heat import TOLERANCE, UNIT, heat_field, heat_over
from app.confidence.occlusion import Occlusion
from backends.confidence.agreement import AGREEMENT_JOINTS
from backends.confidence.sensitivity import mean_found

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

_CELL, _GAP, _LABEL, _MARGIN, _HEAD = 268, 18, 30, 44, 128
_COLUMNS, _ROWS = 5, 3
_MEAN: Final = 640

_WHAT = {
    "mesh": "mesh: error of its joints in space, about the hips",
    "keypoints": "keypoints: error in the picture",
}


def plain_name(joint: str) -> str:
    """ "right_ankle" as people say it."""
    return joint.replace("_", " ").capitalize()


def occlusion_sheet(result: Occlusion, name: str, title: str = "") -> Figure:
    """Draw one estimator's ("mesh" or "keypoints") part of a result."""
    grid_w = _COLUMNS * _CELL + (_COLUMNS - 1) * _GAP
    row_h = _CELL + _LABEL + _GAP
    figure = Figure(2 * _MARGIN + grid_w + 3 * _GAP + _MEAN, _HEAD + _ROWS * row_h - _GAP + _MARGIN)
    _head(figure, result, name, title)
    for j, joint in enumerate(AGREEMENT_JOINTS):
        x = _MARGIN + (j % _COLUMNS) * (_CELL + _GAP)
        y = _HEAD + (j // _COLUMNS) * row_h
        _panel(figure, result, name, j, plain_name(joint), x, y)
    last = len(AGREEMENT_JOINTS)
    x, y = _MARGIN + (last % _COLUMNS) * (_CELL + _GAP), _HEAD + (last // _COLUMNS) * row_h
    _picture(figure, result, x, y)
    _mean(figure, result, name, _MARGIN + grid_w + 3 * _GAP)
    return figure


def _head(figure: Figure, result: Occlusion, name: str, title: str) -> None:
    ny, nx = result.map.lost.shape
    side, square = result.image.shape[0], result.occluder
    what = f"Occlusion sensitivity of the {_WHAT[name]}"
    figure.text(f"{title}. {what}" if title else what, _MARGIN, 54, 28, weight=600)
    figure.text(
        f"Square of {square.size} px slid by {square.stride} px over the person's crop of {side} px: "
        f"{nx} × {ny} places. Errors against {result.against}.",
        _MARGIN, 86, 18, color=GREY,
    )  # fmt: skip
    y = _HEAD - 20
    figure.pixels[y : y + 1, _MARGIN:-_MARGIN] = RULE


def _heat(result: Occlusion, values: F8, name: str) -> U1:
    size = result.image.shape[0]
    field = heat_field(values, result.map.places, size, size)
    lost = heat_field(result.map.lost.astype(np.float64), result.map.places, size, size) > 0.5
    return heat_over(result.image, field, TOLERANCE[name], nobody=lost)


def _panel(figure: Figure, result: Occlusion, name: str, joint: int, title: str, x: int, y: int) -> None:
    values = result.shown(name, joint)
    known = values[np.isfinite(values)]
    most = f"at most {known.max():.0f} {UNIT[name]}" if len(known) else "not known"
    figure.text(title, x, y + 20, 17, weight=600)
    figure.text(most, x + _CELL, y + 20, 16, color=GREY, side="right")
    y += _LABEL
    figure.picture(_heat(result, values, name), x, y, _CELL, _CELL)
    scale = _CELL / result.image.shape[0]
    place = (result.joints_xy[joint] + 0.5) * scale
    if np.isfinite(place).all() and ((place > 0) & (place < _CELL)).all():
        figure.ring(x + place[0], y + place[1], 7)


def _picture(figure: Figure, result: Occlusion, x: int, y: int) -> None:
    figure.text("Picture", x, y + 20, 17, weight=600)
    figure.text("occluder to scale", x + _CELL, y + 20, 16, color=GREY, side="right")
    image = result.occluder.cover(result.image, result.map.places[0, 0])
    figure.picture(image, x, y + _LABEL, _CELL, _CELL)


def _mean(figure: Figure, result: Occlusion, name: str, x: int) -> None:
    values, unit = result.shown(name), UNIT[name]
    y = _HEAD
    figure.text("Mean of the joints", x, y + 20, 17, weight=600)
    y += _LABEL
    figure.picture(_heat(result, values, name), x, y, _MEAN, _MEAN)
    lines = []
    if np.isfinite(values).any():
        row, column = result.map.worst(name)
        scale = _MEAN / result.image.shape[0]
        figure.frame(*(np.array([x, y, x, y]) + scale * result.map.places[row, column]))
        per_joint = mean_found(np.stack([result.shown(name, j) for j in range(14)]).reshape(14, -1), axis=1)
        known = np.where(np.isfinite(per_joint), per_joint, -1.0)
        worst = int(np.argmax(known))
        figure.text(
            f"worst place, framed: {values[row, column]:.0f} {unit}", x + _MEAN, _HEAD + 20, 16,
            color=GREY, side="right",
        )  # fmt: skip
        lines = [
            f"Mean over all places: {np.nanmean(values):.1f} {unit}.",
            f"Most sensitive joint: {plain_name(AGREEMENT_JOINTS[worst]).lower()}, "
            f"{per_joint[worst]:.1f} {unit} in the mean.",
        ]
    n_lost = int(result.map.lost.sum())
    lines.append(
        f"Nobody was found at {n_lost} of {result.map.lost.size} places" + (", hatched." if n_lost else ".")
    )
    y += _MEAN + 26
    figure.bar(x, y, _MEAN, TOLERANCE[name], unit)
    for i, line in enumerate(lines):
        figure.text(line, x, y + 80 + 26 * i, 17, color=GREY)
