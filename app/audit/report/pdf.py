"""The report as a PDF, through ReportLab; the same content gives the same bytes."""

from __future__ import annotations

import io
import unicodedata
from typing import Any
from xml.sax.saxutils import escape

from app.audit.report.blocks import Block, Cell, Content, Facts, Section, Text

_INK, _SECONDARY, _LINE = "#1c232d", "#5d6878", "#d8dee6"
_TONES = {"plain": _INK, "good": "#0b7266", "warning": "#8f5e10", "bad": "#b8322f"}
_MARGIN_MM = 18
_PICTURE_PT = 48
_FRAME_PT = 6
"""ReportLab's own padding of a page's frame."""


def render_pdf(content: Content) -> bytes:
    """A4, with page numbers; nothing in it says on which machine it was made.

    The fonts that every PDF reader has know Western European letters; others are written without their
    accents where that is possible, else as a question mark. The page has them all.
    """
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate, Spacer

    styles = _styles()
    target = io.BytesIO()
    margin = _MARGIN_MM * mm
    document = SimpleDocTemplate(
        target, pagesize=A4, leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin,
        title=_plain(f"{content.title}: {content.stamp}"), author="", subject="", creator="Understudy",
        invariant=1,
    )  # fmt: skip
    width = A4[0] - 2 * margin - 2 * _FRAME_PT
    story: list[Any] = [
        _paragraph(content.title, styles["title"]),
        _paragraph(f"{content.made}, {content.maker}", styles["made"]),
        _stamp(content, styles, width),
        Spacer(1, 10),
        _figures(content, styles, width),
    ]
    for section in content.sections:
        story += _section(section, styles, width)
    document.build(story, onFirstPage=_foot(content), onLaterPages=_foot(content))
    return target.getvalue()


def _styles() -> dict[str, Any]:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    def style(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
        colour = more.pop("colour", _INK)
        font = more.pop("font", "Helvetica")
        return ParagraphStyle(
            name, fontName=font, fontSize=size, leading=leading, textColor=HexColor(colour), **more
        )

    return {
        "title": style("title", 19, 23, font="Helvetica-Bold"),
        "made": style("made", 9, 12, colour=_SECONDARY, spaceAfter=14),
        "heading": style("heading", 11.5, 14, font="Helvetica-Bold", spaceBefore=4, spaceAfter=6),
        "text": style("text", 9, 13, spaceAfter=5),
        "cell": style("cell", 8, 10.5),
        "head": style("head", 8, 10.5, colour=_SECONDARY),
        "code": style("code", 7, 9, font="Courier", wordWrap="CJK"),
        "figure": style("figure", 15, 18, font="Helvetica-Bold"),
        "stamp": style("stamp", 14, 18, font="Helvetica-Bold", colour=_TONES["plain"]),
    }


def _plain(text: str) -> str:
    """Letters that the standard fonts know."""
    result = []
    for letter in text:
        if letter.encode("cp1252", "ignore"):
            result.append(letter)
            continue
        base = unicodedata.normalize("NFKD", letter).encode("cp1252", "ignore").decode("cp1252")
        result.append(base or "?")
    return "".join(result)


def _paragraph(text: str, style: Any, tone: str = "plain") -> Any:
    from reportlab.platypus import Paragraph

    words = escape(_plain(text))
    return Paragraph(words if tone == "plain" else f'<font color="{_TONES[tone]}">{words}</font>', style)


def _stamp(content: Content, styles: dict[str, Any], width: float) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import Table as Grid

    inside = [
        _paragraph(content.stamp, styles["stamp"], content.tone),
        _paragraph(content.verdict, styles["text"]),
    ]
    return Grid(
        [[inside]], colWidths=[width],
        style=[("LINEBEFORE", (0, 0), (0, -1), 3, HexColor(_TONES[content.tone])),
               ("LEFTPADDING", (0, 0), (-1, -1), 10), ("TOPPADDING", (0, 0), (-1, -1), 1),
               ("BOTTOMPADDING", (0, 0), (-1, -1), 1)],
    )  # fmt: skip


def _figures(content: Content, styles: dict[str, Any], width: float) -> Any:
    from reportlab.platypus import Table as Grid

    row = [
        [_paragraph(value, styles["figure"]), _paragraph(word, styles["head"])]
        for value, word in content.figures
    ]
    return Grid(
        [row],
        colWidths=[width / max(len(row), 1)] * len(row),
        style=[("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")],
    )


def _section(section: Section, styles: dict[str, Any], width: float) -> list[Any]:
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import CondPageBreak, HRFlowable, Spacer

    parts: list[Any] = [
        CondPageBreak(90), Spacer(1, 8), HRFlowable(width="100%", thickness=0.6, color=HexColor(_LINE)),
        _paragraph(section.title, styles["heading"]),
    ]  # fmt: skip
    for block in section.blocks:
        parts += _block(block, styles, width)
    return parts


def _block(block: Block, styles: dict[str, Any], width: float) -> list[Any]:
    from reportlab.platypus import Spacer

    if isinstance(block, Text):
        return [_paragraph(block.text, styles["text"], block.tone)]
    if isinstance(block, Facts):
        rows = [
            [
                _paragraph(name, styles["head"]),
                _paragraph(value, styles["code" if name in block.code else "cell"]),
            ]
            for name, value in block.rows
        ]
        return [_grid(rows, [0.24 * width, 0.76 * width], lines=False), Spacer(1, 5)]
    heads = [_paragraph(h, styles["head"]) for h in block.heads]
    body = [
        [_cell(c, styles["code" if i in block.code else "cell"]) for i, c in enumerate(row)]
        for row in block.rows
    ]
    return [_grid([heads, *body], [w * width for w in block.widths], lines=True), Spacer(1, 6)]


def _grid(rows: list[list[Any]], widths: list[float], *, lines: bool) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import Table as Grid

    style: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 7), ("TOPPADDING", (0, 0), (-1, -1), 3 if lines else 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3 if lines else 1),
    ]  # fmt: skip
    if lines:
        style.append(("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor(_LINE)))
    return Grid(rows, colWidths=widths, style=style, repeatRows=1 if lines else 0)


def _cell(cell: Cell, style: Any) -> Any:
    from reportlab.platypus import Image

    words = _paragraph(cell.text, style, cell.tone)
    if not cell.picture:
        return words
    picture = Image(io.BytesIO(cell.picture))
    scale = _PICTURE_PT / max(picture.imageWidth, picture.imageHeight, 1)
    picture.drawWidth, picture.drawHeight = picture.imageWidth * scale, picture.imageHeight * scale
    picture.hAlign = "LEFT"
    return [words, picture]


def _foot(content: Content) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.units import mm

    def draw(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(HexColor(_SECONDARY))
        canvas.drawString(
            _MARGIN_MM * mm, 10 * mm, _plain(f"{content.title}, {content.made}: {content.stamp}")
        )
        canvas.drawRightString(document.pagesize[0] - _MARGIN_MM * mm, 10 * mm, f"Page {document.page}")
        canvas.restoreState()

    return draw
