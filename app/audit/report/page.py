"""The report as a page: one file, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
from html import escape

from app.audit.report.blocks import Block, Cell, Content, Facts, Section, Table, Text

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #eef1f4; color: #1c232d; -webkit-print-color-adjust: exact;
  font: 14px/1.5 Inter, "Segoe UI", -apple-system, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 960px; margin: 32px auto; background: #fff; padding: 48px 56px 40px;
  border: 1px solid #d8dee6; }
h1 { font-size: 24px; line-height: 1.2; font-weight: 600; margin: 0; }
h2 { font-size: 15px; font-weight: 600; margin: 36px 0 10px; padding-top: 14px;
  border-top: 1px solid #d8dee6; }
p { margin: 0 0 10px; max-width: 72ch; }
.made { color: #5d6878; margin: 4px 0 24px; }
.stamp { border-left: 4px solid var(--tone); padding: 2px 0 2px 16px; }
.stamp b { display: block; font-size: 18px; color: var(--tone); }
.stamp p { margin: 2px 0 0; }
.figures { display: flex; flex-wrap: wrap; gap: 12px 40px; margin: 24px 0 0; padding: 0; list-style: none; }
.figures b { display: block; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures span { color: #5d6878; }
dl { display: grid; grid-template-columns: 210px 1fr; gap: 4px 16px; margin: 0 0 12px; }
dt { color: #5d6878; } dd { margin: 0; }
.scroll { overflow-x: auto; margin: 0 0 12px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; table-layout: fixed; }
th { text-align: left; font-weight: 500; color: #5d6878; }
th, td { padding: 6px 12px 6px 0; vertical-align: top; border-bottom: 1px solid #e8ecf1;
  overflow-wrap: break-word; }
.code { font: 12px/1.6 ui-monospace, "Cascadia Mono", Consolas, Menlo, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
.good { color: #0b7266; } .warning { color: #8f5e10; } .bad { color: #b8322f; }
td img { display: block; max-width: 88px; max-height: 88px; margin-top: 4px;
  border: 1px solid #d8dee6; }
footer { margin-top: 36px; padding-top: 14px; border-top: 1px solid #d8dee6; color: #5d6878;
  font-size: 12px; }
@media (max-width: 700px) { main { padding: 24px; margin: 0; border: 0; } dl { grid-template-columns: 1fr; }
  table { min-width: 640px; } }
@media print { body { background: #fff; font-size: 11px; } main { border: 0; margin: 0; padding: 0;
  max-width: none; } h2 { break-after: avoid; } tr { break-inside: avoid; } .scroll { overflow: visible; } }
"""

_TONES = {"plain": "#1c232d", "good": "#0b7266", "warning": "#8f5e10", "bad": "#b8322f"}


def render_page(content: Content) -> str:
    """HTML; everything that comes from outside is escaped."""
    figures = "".join(
        f"<li><b>{escape(value)}</b><span>{escape(word)}</span></li>" for value, word in content.figures
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(content.title)}: {escape(content.stamp)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(content.title)}</h1>\n"
        f'<p class="made">{escape(content.made)}, {escape(content.maker)}</p>\n'
        f'<div class="stamp" style="--tone: {_TONES[content.tone]}"><b>{escape(content.stamp)}</b>'
        f"<p>{escape(content.verdict)}</p></div>\n"
        f'<ul class="figures">{figures}</ul>\n'
        + "".join(_section(s) for s in content.sections)
        + "<footer>Made on one machine, without a network. The manifest beside this page says the same for "
        "machines. Frames are counted from 1, times from the recording's first frame.</footer>\n"
        "</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    blocks = "".join(_block(b) for b in section.blocks)
    return f"<section>\n<h2>{escape(section.title)}</h2>\n{blocks}</section>\n"


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return f'<p class="{block.tone}">{escape(block.text)}</p>\n'
    if isinstance(block, Facts):
        return f"<dl>\n{''.join(_fact(name, value, block) for name, value in block.rows)}</dl>\n"
    return _table(block)


def _fact(name: str, value: str, facts: Facts) -> str:
    kind = ' class="code"' if name in facts.code else ""
    return f"<dt>{escape(name)}</dt><dd{kind}>{escape(value)}</dd>\n"


def _table(table: Table) -> str:
    columns = "".join(f'<col style="width: {100 * w:.0f}%">' for w in table.widths)
    heads = "".join(f'<th scope="col">{escape(h)}</th>' for h in table.heads)
    rows = "".join(
        f"<tr>{''.join(_cell(c, code=i in table.code) for i, c in enumerate(row))}</tr>\n"
        for row in table.rows
    )
    return (
        f'<div class="scroll"><table><colgroup>{columns}</colgroup><thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n"
    )


def _cell(cell: Cell, *, code: bool) -> str:
    kind = f' class="{"code" if code else cell.tone}"' if code or cell.tone != "plain" else ""
    picture = f'<img alt="" src="{_data_url(cell.picture)}">' if cell.picture else ""
    return f"<td{kind}>{escape(cell.text)}{picture}</td>"


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
