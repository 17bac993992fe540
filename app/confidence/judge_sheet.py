"""The figure of one person's judgement: both skeletons, the mesh in the paper's colours and in ours."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from app.confidence.figure import GREY, INK, RULE, Figure
from app.confidence.judge import Judgement
from app.confidence.occlusion_sheet import plain_name
from app.confidence.people import crop_camera, cut
from backends.body import BodyModel, posed_vertices
from backends.camera import Camera
from backends.confidence import DEFAULT_TOLERANCE_MM, confidence_rgb
from backends.confidence.agreement import (
    AGREEMENT_JOINTS,
    PUBLISHED_CONSTANTS,
    Skeleton,
    Standardise,
    agreement_rgb,
    jet_rgb,
    part_of_vertex,
    part_values,
)
from backends.render import Mesh, composite, rasterize

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

_CELL, _GAP, _MARGIN, _HEAD, _ROW = 560, 26, 44, 128, 30
_LIMBS: Final = (
    (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 12), (12, 9), (9, 10), (10, 11), (12, 13),
    (2, 8), (3, 9),
)  # fmt: skip
_MESH, _KEYPOINTS = (53, 194, 176), (230, 159, 0)
_WIDTHS = (170, 120, 140, 130, 130, 140)


def judge_sheet(
    image: U1, said: Judgement, body: BodyModel, camera: Camera, title: str,
    standardise: Standardise = PUBLISHED_CONSTANTS,
) -> Figure:  # fmt: skip
    """Draw a judgement; ``camera`` is the whole picture's."""
    rows = len(AGREEMENT_JOINTS)
    foot = _HEAD + 30 + _CELL + 110
    figure = Figure(2 * _MARGIN + 3 * _CELL + 2 * _GAP, foot + (rows // 2) * _ROW + _MARGIN)
    _head(figure, said, title)
    big, view = _enlarged(image, said, camera)
    parts = part_of_vertex(body)
    assert said.seen.fit is not None
    vertices = posed_vertices(body, said.seen.fit.params)
    standardised = np.where(np.isfinite(said.agreement.ed), standardise(said.agreement.ed[None])[0], np.nan)
    paper = agreement_rgb(said.good, standardised, said.worst)
    ours = confidence_rgb(part_values(said.expected_mm))
    cells = [
        ("Two estimators", "mesh's joints green, second look orange", _skeletons(big, said)),
        ("Colours of the paper", _rule(said), _body(big, view, vertices, body, paper[parts])),
        ("Expected error", "in the picture's plane", _body(big, view, vertices, body, ours[parts])),
    ]
    for i, (name, words, cell) in enumerate(cells):
        x = _MARGIN + i * (_CELL + _GAP)
        figure.text(name, x, _HEAD + 20, 18, weight=600)
        figure.text(words, x + _CELL, _HEAD + 20, 16, color=GREY, side="right")
        figure.picture(cell, x, _HEAD + 30, _CELL, _CELL)
    y = _HEAD + 30 + _CELL + 20
    _jet_bar(figure, _MARGIN + _CELL + _GAP, y, said)
    figure.bar(_MARGIN + 2 * (_CELL + _GAP), y, _CELL, DEFAULT_TOLERANCE_MM, "mm")
    _table(figure, said, foot)
    return figure


def _head(figure: Figure, said: Judgement, title: str) -> None:
    who = "the published networks MC and WJC" if said.published else "the model of 28 inputs"
    worst = plain_name(AGREEMENT_JOINTS[int(np.argmax(said.worst))]).lower()
    figure.text(title, _MARGIN, 54, 28, weight=600)
    figure.text(
        f"By {who}: every joint within 0.1 half crops with probability {said.good:.2f}; the worst is most "
        f"likely the {worst}, {said.worst.max():.2f}."
        + ("" if said.agreement.aligned else " Hips or neck are missing: spines were not laid together."),
        _MARGIN, 86, 18, color=GREY,
    )  # fmt: skip
    y = _HEAD - 20
    figure.pixels[y : y + 1, _MARGIN:-_MARGIN] = RULE


def _rule(said: Judgement) -> str:
    return "good: standardised distance" if said.good > 0.5 else "not good: probability of being worst"


def _enlarged(image: U1, said: Judgement, camera: Camera) -> tuple[U1, Camera]:
    """The crop again, as large as it is shown, with its camera."""
    scale = _CELL / said.crop.image.shape[0]
    to_big = scale * said.crop.to_crop
    to_big[:, 2] += (scale - 1) / 2
    return cut(image, to_big, _CELL), crop_camera(camera, to_big, _CELL)


def _body(big: U1, view: Camera, vertices: F8, body: BodyModel, colours: U1) -> U1:
    drawn = rasterize([Mesh(vertices, body.faces, colours)], view)
    return composite(big, drawn, opacity=0.94)


def _skeletons(big: U1, said: Judgement) -> U1:
    canvas = (0.75 * big + 50).astype(np.uint8)
    scale = _CELL / said.crop.image.shape[0]
    for skeleton, colour in ((said.keypoints, _KEYPOINTS), (said.mesh, _MESH)):
        _bones(canvas, skeleton, colour, scale)
    return canvas


def _bones(canvas: U1, skeleton: Skeleton, colour: tuple[int, int, int], scale: float) -> None:
    at = (skeleton.xy + 0.5) * scale
    limit = 4.0 * _CELL
    shown = skeleton.found & (np.abs(np.nan_to_num(at)) < limit).all(axis=1)
    for a, b in _LIMBS:
        if shown[a] and shown[b]:
            start, end = ((round(float(at[k][0])), round(float(at[k][1]))) for k in (a, b))
            cv2.line(canvas, start, end, INK, 5, cv2.LINE_AA)
            cv2.line(canvas, start, end, colour, 3, cv2.LINE_AA)
    for k in np.flatnonzero(shown):
        place = (round(float(at[k][0])), round(float(at[k][1])))
        cv2.circle(canvas, place, 6, INK, -1, cv2.LINE_AA)
        cv2.circle(canvas, place, 4, colour, -1, cv2.LINE_AA)


def _jet_bar(figure: Figure, x: int, y: int, said: Judgement) -> None:
    figure.pixels[y : y + 16, x : x + _CELL] = jet_rgb(np.linspace(0, 1, _CELL), 0, 1)[None]
    low, high = (
        ("0", "10 standard deviations") if said.good > 0.5 else ("least likely the worst", "most likely")
    )
    figure.text(low, x, y + 40, 16, color=GREY)
    figure.text(high, x + _CELL, y + 40, 16, color=GREY, side="right")


def _table(figure: Figure, said: Judgement, y: int) -> None:
    """Two columns of seven joints."""
    heads = ["Joint", "distance", "confidence", "P(wrong)", "expected"]
    if said.se is not None:
        heads.append("true error")
    half = len(AGREEMENT_JOINTS) // 2
    for side in range(2):
        x = _MARGIN + side * (sum(_WIDTHS[: len(heads)]) + 60)
        _row(figure, x, y, heads, GREY)
        figure.pixels[y + 9 : y + 10, x : x + sum(_WIDTHS[: len(heads)])] = RULE
        for i in range(half):
            j = side * half + i
            ed = said.agreement.ed[j]
            cells = [
                plain_name(AGREEMENT_JOINTS[j]), f"{ed:.3f}" if np.isfinite(ed) else "missing",
                f"{said.agreement.confidence[j]:.2f}", f"{said.wrong[j]:.2f}",
                f"{said.expected_mm[j]:.0f} mm",
            ]  # fmt: skip
            if said.se is not None:
                cells.append(f"{said.se[j]:.3f}" if np.isfinite(said.se[j]) else "not known")
            _row(figure, x, y + (i + 1) * _ROW, cells, INK)


def _row(figure: Figure, x: int, y: int, cells: list[str], colour: tuple[int, int, int]) -> None:
    figure.text(cells[0], x, y, 17, color=colour)
    for i, cell in enumerate(cells[1:], start=1):
        figure.text(cell, x + sum(_WIDTHS[: i + 1]), y, 17, color=colour, side="right")
