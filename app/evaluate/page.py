"""The report as one page that needs nothing but itself: no script, nothing from the network."""

from __future__ import annotations

import base64
from html import escape

import cv2
import numpy as np
import numpy.typing as npt

from app.evaluate import charts
from app.evaluate.definitions import DEFINITIONS
from app.evaluate.report import Group, Report, Row, WorstFrame
from app.evaluate.style import STYLE
from app.evaluate.tables import (
    SET_COLUMNS,
    descriptions,
    groups_of,
    other_rows,
    samples_of,
    set_lines,
    shared_about,
    unit_of,
)

U1 = npt.NDArray[np.uint8]

_TILES: tuple[tuple[str, str], ...] = (
    ("pa_mpjpe", "PA-MPJPE"), ("mpjpe", "MPJPE"), ("ap", "AP, keypoints"), ("hota", "HOTA"),
    ("auroc", "AUROC of the confidence"), ("longest_leak", "Longest leak"), ("mask_iou", "Mask IoU"),
    ("idf1", "IDF1"),
)  # fmt: skip
_MOST_TILES = 6
_QUALITY = 88
_ARROWS = {"lower": "↓", "higher": "↑", "": ""}


def html_page(report: Report) -> str:
    """The whole page as text."""
    body = "".join(
        (
            _header(report), _tiles(report), _warnings(report), _plots(report), _sets(report),
            *(_group(report, g, title) for g, title in groups_of(report)), _worst(report), _missing(report),
            _definitions(report), _footer(report),
        )
    )  # fmt: skip
    title = f"Evaluation of {report.project}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def _header(r: Report) -> str:
    facts = (
        ("Truth", f"{r.truth}, {r.view}"), ("Footage", r.footage), ("Frames", f"{r.counts.frames:,}"),
        ("Frames/s", f"{r.fps:.3g}"), ("Tolerance", f"{r.tolerance_mm:g} mm"), ("Made", _date(r.made_at)),
    )  # fmt: skip
    items = "".join(f"<li>{escape(k)} <b>{escape(v)}</b></li>" for k, v in facts)
    c = r.counts
    said = (
        f"{c.true_people:,} true people (counted once a frame): {c.matched:,} found, {c.missed:,} missed; "
        f"{c.extra:,} found who match nobody"
    )
    return (
        f'<header><div><p class="over">Evaluation</p><h1>{escape(r.project)}</h1>'
        f'<p class="sub">{escape(said)}.</p></div><ul class="facts">{items}</ul></header>'
    )


def _date(made_at: str) -> str:
    return made_at[:16].replace("T", " ") + " UTC"


def _tiles(r: Report) -> str:
    shown: list[str] = []
    for key, title in _TILES:
        row = next((x for x in r.rows if x.key == key and x.shown != "not known"), None)
        if row is None or len(shown) == _MOST_TILES:
            continue
        style = ""
        if key == "longest_leak":
            style = " bad" if row.value > 0 else " good"
        how = row.joint_set or samples_of(row)
        shown.append(
            f'<div class="tile{style}"><div class="what">{escape(title)}</div>'
            f'<div class="big">{row.shown} <small>{escape(unit_of(row))}</small></div>'
            f'<div class="how">{escape(how)}</div></div>'
        )
    return f'<div class="tiles">{"".join(shown)}</div>' if shown else ""


def _warnings(r: Report) -> str:
    notes = list(r.warnings)
    if any(w.picture is not None for w in r.worst):
        notes.append("This page shows people of the footage. Treat it as you treat the footage.")
    if not notes:
        return ""
    return f'<h2>Read this first</h2><ul class="notes">{"".join(f"<li>{escape(n)}</li>" for n in notes)}</ul>'


def _plots(r: Report) -> str:
    p, mm = r.plots, r.tolerance_mm
    legend = _legend(mm)
    best = "Mean error of the joints that the confidence puts first; dotted: the best order there is"
    reliable = "How often it is right, against how often it says so; large dots hold more joints"
    like = "Median and the middle 80 % of joints of like expected error; dashed: as it should be"
    cards = [
        _card(
            "Error over time",
            f"Mean of everybody in a frame; {p.errors_of}",
            charts.over_time(p, mm),
            "",
            " wide",
        ),
        _card("Joint errors", p.errors_of, charts.histogram(p, mm), legend),
        _card("By joint", f"Mean, mm; {p.errors_of}", charts.joint_bars(p, mm), legend, " tall"),
        _card("Expected and measured", like, charts.expected_measured(p, mm)),
        _card("Risk and coverage", best, charts.risk(p)),
        _card("Reliability", reliable, charts.calibration(p, mm)),
    ]
    drawn = "".join(c for c in cards if c)
    return f'<h2>At a glance</h2><div class="grid2">{drawn}</div>' if drawn else ""


def _card(title: str, text: str, svg: str | None, extra: str = "", style: str = "") -> str:
    if svg is None:
        return ""
    return f'<section class="card{style}"><h3>{escape(title)}</h3><p>{escape(text)}</p>{svg}{extra}</section>'


def _legend(mm: float) -> str:
    stops = ",".join(charts.color_of(2 * mm * k / 8, mm) for k in range(9))
    return (
        f'<div class="legend">0<i style="background:linear-gradient(90deg,{stops})"></i>'
        f"{2 * mm:g} mm and more; near-white is {mm:g} mm</div>"
    )


def _sets(r: Report) -> str:
    lines = set_lines(r)
    if not lines:
        return ""
    first = lines[0].rows
    heads = "".join(
        f'<th class="n">{escape(title)} <span class="better">{_ARROWS[row.better]}</span>'
        f"<small>{escape(row.unit)}, {escape(_short(row.alignment))}</small></th>"
        for (_, title), row in zip(SET_COLUMNS, first)
    )
    body = ""
    for line in lines:
        note = f"<br><small>{escape(line.rows[0].note)}</small>" if line.rows[0].note else ""
        cells = "".join(f'<td class="n">{row.shown}</td>' for row in line.rows)
        samples = f'<td class="n dim">{_samples(line.rows[0])}</td>'
        body += f"<tr><td>{escape(line.joint_set)}{note}</td>{cells}{samples}</tr>"
    return (
        f'<h2>Joints in space</h2><div class="scroll"><table><tr><th>Joint set</th>{heads}'
        f'<th class="n">Samples</th></tr>{body}</table></div>'
    )


def _short(alignment: str) -> str:
    return {
        "Procrustes (rotation, translation, scale)": "Procrustes",
        "none (camera coordinates)": "unaligned",
    }.get(alignment, f"by {alignment}")


def _samples(row: Row) -> str:
    return escape(samples_of(row))


def _group(r: Report, group: Group, title: str) -> str:
    rows = other_rows(r, group)
    if not rows:
        return ""
    body, shared = "", shared_about(rows)
    for row, (about, note) in zip(rows, descriptions(rows)):
        body += (
            f'<tr><td>{escape(row.name)}<span class="better">{_ARROWS[row.better]}</span></td>'
            f'<td class="n">{row.shown} <small>{escape(unit_of(row))}</small></td>'
            f'<td class="dim">{escape(about)}{"<br>" if about and note else ""}{escape(note)}</td>'
            f'<td class="n dim">{_samples(row)}</td></tr>'
        )
    name = "Vertices and visibility" if group == "3d" else title
    return (
        f"<h2>{escape(name)}<span>{escape(shared)}</span></h2>"
        '<div class="scroll"><table class="measures"><tr><th>Measure</th><th class="n">Value</th>'
        f'<th>Of what, and how</th><th class="n">Samples</th></tr>{body}</table></div>'
    )


def _worst(r: Report) -> str:
    if not r.worst:
        return ""
    drawn = [w for w in r.worst if w.picture is not None]
    if not drawn:
        rows = "".join(
            f'<tr><td>{w.frame}</td><td class="n">{w.time_s:.2f} s</td><td class="n">{w.person}</td>'
            f'<td class="n">{w.error_mm:.0f} <small>mm</small></td></tr>'
            for w in r.worst
        )
        table = (
            '<div class="scroll"><table><tr><th>Frame</th><th class="n">Time</th>'
            f'<th class="n">True person</th><th class="n">Error</th></tr>{rows}</table></div>'
        )
        return f"<h2>Where it is worst</h2>{table}"
    key = (
        '<div class="key"><span><i></i>truth</span><span><i class="sq"></i>estimate</span>'
        "<span>right: the body in the colours of its confidence</span></div>"
    )
    figures = "".join(_figure(w) for w in drawn)
    return (
        f'<h2>Where it is worst</h2>{key}{_legend(r.tolerance_mm)}<p></p><div class="worst">{figures}</div>'
    )


def _figure(w: WorstFrame) -> str:
    label = f"Frame {w.frame}, person {w.person}"
    return (
        f'<figure><img alt="{escape(label)}" src="data:image/jpeg;base64,{_jpeg(w.picture)}">'
        f"<figcaption><span>{escape(label)}, {w.time_s:.2f} s</span>"
        f"<b>{w.error_mm:.0f} mm</b></figcaption></figure>"
    )


def _jpeg(picture: U1 | None) -> str:
    if picture is None:
        return ""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return base64.b64encode(data.tobytes()).decode("ascii")


def _missing(r: Report) -> str:
    if not r.missing:
        return ""
    items = "".join(f"<li><b>{escape(what)}</b>: {escape(why)}.</li>" for what, why in r.missing)
    return f'<h2>Not measured</h2><ul class="notes plain">{items}</ul>'


def _definitions(r: Report) -> str:
    keys = {row.key for row in r.rows}
    items = "".join(
        f"<li>{escape(text)}{f' ({escape(source)})' if source else ''}.</li>"
        for key, (text, source) in DEFINITIONS.items()
        if key in keys
    )
    return (
        f"<details><summary>What the numbers mean, and who defined them</summary><ul>{items}"
        f"<li>Matching: {escape(r.matching)}.</li>"
        "<li>A sample is left out where truth or estimate is not known, and counted as not known. Means are "
        "pooled over all samples.</li></ul></details>"
    )


def _footer(r: Report) -> str:
    by = f"Made by {r.program}. " if r.program else ""
    return f"<footer>{escape(by)}Nothing on this page comes from the network, and it sends nothing.</footer>"
