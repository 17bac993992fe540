"""The table of agreement models: as text, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.confidence.benchmark import IN_TIME_MEAN, OURS, OURS_MEAN
from app.confidence.reference import REFERENCE, TARGETS
from app.confidence.scores import LOWER_IS_BETTER, MEANING, Row

_HEADS = {
    "mc_accuracy": "mesh acc", "mc_balanced": "bal acc", "mc_auroc": "AUROC", "top1": "worst 1",
    "top3": "worst 3",
    "joint_auroc": "j AUROC", "joint_ause": "j AUSE", "joint_spearman": "Spearman", "joint_ece": "j ECE",
    "risk_50": "risk 50", "risk_80": "risk 80", "risk_95": "risk 95", "risk_100": "risk all",
}  # fmt: skip

LEGEND = (
    "mesh acc, bal acc, AUROC: is every SE <= 0.1? worst 1, worst 3: worst joint at the first guess, among "
    "three. j: joint by joint, all together: AUROC of SE > 0.1, AUSE (0 is the oracle), Spearman with SE, "
    "ECE of the probability. risk: mean SE (half crops) of the surest 50, 80, 95 %, all. +- is the standard "
    "deviation over runs. (lit.) are figures of others on the same arrays."
)


def as_text(rows: Sequence[Row]) -> str:
    """Ours and the literature's side by side, one block for each test set."""
    blocks = []
    for test in dict.fromkeys(r.test for r in rows):
        lines = [f"{test}"]
        reference = [r for r in REFERENCE if r.test == test]
        mine = [r for r in rows if r.test == test]
        width = max(len(_name(r)) for r in (*mine, *reference)) + 2
        lines.append(" " * width + "".join(f"{h:>15}" for h in _HEADS.values()))
        for row in mine:
            lines.append(_line(row, width))
            lines += [_line(r, width) for r in reference if r.model == row.model]
        named = {r.model for r in mine}
        lines += [_line(r, width) for r in reference if r.model not in named]
        blocks.append("\n".join(line.rstrip() for line in lines))
    return "\n\n".join(blocks)


def _name(row: Row) -> str:
    if row.runs == 0:
        return f"{row.model} (lit.)"
    return f"{row.model} x {row.runs}" if row.runs > 1 else row.model


def _line(row: Row, width: int) -> str:
    cells = []
    for key in _HEADS:
        if key not in row.mean:
            cells.append("")
        elif key in row.spread:
            cells.append(f"{row.mean[key]:.3f} +-{row.spread[key]:.3f}")
        else:
            cells.append(f"{row.mean[key]:.3f}")
    return f"{_name(row):{width}}" + "".join(f"{c:>15}" for c in cells)


_JUDGED = {OURS: "one_run", OURS_MEAN: "average_of_runs", IN_TIME_MEAN: "with_neighbours_in_time"}


def targets(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What was to be reached on ``test``, and what was: mean of the runs, their average, and that of the
    model that also looks at neighbours in time."""
    found = {r.model: r for r in rows if r.test == "test"}
    result = []
    for key, wanted in TARGETS.items():
        line: dict[str, Any] = {"figure": MEANING[key], "target": wanted}
        for model, name in _JUDGED.items():
            if model in found and key in found[model].mean:
                value = found[model].mean[key]
                line[name] = value
                line[f"{name}_reached"] = value <= wanted if key in LOWER_IS_BETTER else value >= wanted
        result.append(line)
    return result


def targets_text(rows: Sequence[Row]) -> str:
    """:func:`targets` as lines; empty where no model of ours was run on ``test``."""
    lines = []
    for line in targets(rows):
        said = [
            f"{words} {line[name]:.3f} ({'reached' if line[f'{name}_reached'] else 'not reached'})"
            for name, words in ((n, n.replace("_", " ")) for n in _JUDGED.values())
            if name in line
        ]
        if said:
            lines.append(f"  {line['figure']}: target {line['target']:g}; {'; '.join(said)}")
    return "\n".join(lines)


def as_plain(rows: Sequence[Row]) -> dict[str, Any]:
    """Plain values for JSON."""

    def plain(row: Row) -> dict[str, Any]:
        return {
            "model": row.model, "test": row.test, "runs": row.runs, "mean": row.mean, "spread": row.spread,
        }  # fmt: skip

    return {
        "rows": [plain(r) for r in rows], "literature": [plain(r) for r in REFERENCE],
        "targets": targets(rows), "meaning": MEANING,
    }  # fmt: skip
