"""The report's style sheet: the program's colours, dark and light, and for paper."""

from __future__ import annotations

from typing import Final

_LIGHT = """--window:#eef1f4;--panel:#ffffff;--raised:#f4f6f8;--line:#d8dee6;--text:#1c232d;--dim:#5d6878;
--accent:#0e8f80;--warning:#8a5a12;--bad:#c53b38;--behind:#dfe4ea;--band:rgba(14,143,128,.16);"""

STYLE: Final = (
    """
:root{color-scheme:dark light;--window:#12151a;--panel:#191d24;--raised:#222832;--line:#2c333f;
--text:#e7eaf0;--dim:#98a2b3;--accent:#35c2b0;--warning:#f0b429;--bad:#ef6461;--behind:#0c0e12;
--band:rgba(53,194,176,.18);}
@media (prefers-color-scheme:light){:root{"""
    + _LIGHT
    + """}}
@media print{:root{"""
    + _LIGHT
    + """--window:#fff;}main{max-width:none;padding:0}.card,figure{break-inside:avoid}}
*{box-sizing:border-box}
body{margin:0;background:var(--window);color:var(--text);font:13px/1.5 Inter,system-ui,-apple-system,
"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1240px;margin:0 auto;padding:36px 32px 64px}
header{display:flex;flex-wrap:wrap;gap:8px 32px;align-items:flex-end;justify-content:space-between;
padding-bottom:20px;border-bottom:1px solid var(--line)}
.over,h2{font-size:11px;line-height:1.4;letter-spacing:.7px;text-transform:uppercase;font-weight:400;
color:var(--dim);margin:0}
h1{font-size:24px;line-height:1.25;font-weight:600;margin:4px 0 2px;overflow-wrap:anywhere}
.sub{color:var(--dim);margin:0}
.facts{display:flex;flex-wrap:wrap;gap:4px 22px;margin:0;padding:0;list-style:none;color:var(--dim);
font-size:12px}
.facts b{color:var(--text);font-weight:400}
h2{margin:34px 0 10px}
h2 span{letter-spacing:0;text-transform:none;font-size:12px;padding-left:10px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:1px;margin-top:24px;
background:var(--line);border:1px solid var(--line);border-radius:6px;overflow:hidden}
.tile{background:var(--panel);padding:14px 16px 12px}
.tile .what{color:var(--dim);font-size:12px}
.tile .big{font-size:25px;line-height:1.3;font-weight:600;letter-spacing:-.2px;white-space:nowrap}
.tile .big small{font-size:13px;font-weight:400;color:var(--dim);letter-spacing:0}
.tile .how{color:var(--dim);font-size:11px;line-height:1.4}
.tile.good .big{color:var(--accent)}.tile.bad .big{color:var(--bad)}
.grid2{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px}
.wide{grid-column:1/-1}.tall{grid-row:span 2}
@media (max-width:820px){.grid2{grid-template-columns:minmax(0,1fr)}main{padding:20px 14px 40px}}
.card{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:14px 16px 12px;margin:0}
.card h3{font-size:13px;font-weight:600;margin:0}
.card p{margin:1px 0 8px;color:var(--dim);font-size:12px}
.scroll{overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:12px}
th{font-weight:400;color:var(--dim);text-align:left;vertical-align:bottom;padding:9px 12px 7px;
border-bottom:1px solid var(--line);white-space:nowrap}
th small{display:block;font-size:11px}
td{padding:6px 12px;border-bottom:1px solid var(--line);vertical-align:baseline}
tr:last-child td{border-bottom:0}
.measures{table-layout:fixed;min-width:760px}
.measures th:nth-child(1){width:29%}.measures th:nth-child(2){width:14%}.measures th:nth-child(4){width:23%}
td.n,th.n{text-align:right}
td.n{white-space:nowrap;font-size:13px}
td.n small,td small{color:var(--dim);font-size:11px}
td.dim{color:var(--dim)}
td.best{font-weight:600}
.better{color:var(--dim);font-size:11px;padding-left:5px}
svg{display:block;width:100%;height:auto}
svg text{font:11px Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
fill:var(--dim);font-variant-numeric:tabular-nums}
svg .value,svg .note{fill:var(--text)}
svg .grid{stroke:var(--line);stroke-width:1}svg .axis{stroke:var(--dim);stroke-width:1}
svg .line{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
svg .line.main{stroke:var(--accent)}svg .line.best{stroke:var(--dim);stroke-dasharray:2 4}
svg .line.quiet,svg .mark.quiet{stroke:var(--dim);stroke-dasharray:5 4;stroke-width:1}
svg .mark.ink{stroke:var(--text);stroke-width:1}
svg .band.main{fill:var(--band)}svg .dot.main{fill:var(--accent);fill-opacity:.85}
.legend{display:flex;align-items:center;gap:8px;color:var(--dim);font-size:11px;margin:8px 0 0}
.legend i{width:150px;height:8px;border-radius:2px}
.key{display:flex;flex-wrap:wrap;gap:4px 18px;color:var(--dim);font-size:12px;margin:0 0 10px}
.key span{display:inline-flex;align-items:center;gap:6px}
.key i{width:9px;height:9px;border-radius:50%;background:#35c2b0}
.key i.sq{border-radius:1px;background:#f0b429}
.worst{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:16px}
figure{margin:0;background:var(--panel);border:1px solid var(--line);border-radius:6px;overflow:hidden}
figure img{display:block;width:100%;height:300px;object-fit:contain;background:var(--behind)}
figcaption{padding:9px 14px 11px;display:flex;justify-content:space-between;gap:12px;font-size:12px;
color:var(--dim)}
figcaption b{color:var(--text);font-weight:600;white-space:nowrap}
.notes{margin:0;padding:0;list-style:none}
.notes li{padding:5px 0 5px 14px;border-left:2px solid var(--warning);margin:6px 0}
.plain li{border-color:var(--line)}
.plain b{font-weight:600}
details{margin-top:34px;color:var(--dim)}summary{cursor:pointer;color:var(--text)}
details li{margin:4px 0}
footer{margin-top:34px;padding-top:14px;border-top:1px solid var(--line);color:var(--dim);font-size:12px}
"""
)
"""No font, picture or script is fetched from anywhere."""
