"""What training leaves in a folder, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.confidence.benchmark import Trained
from app.confidence.report import as_plain, as_text
from app.confidence.scores import Row
from app.errors import ModelError, StorageError
from backends.confidence.agreement import (
    N_JOINTS,
    PUBLISHED_CONSTANTS,
    PublishedNetworks,
    Standardise,
    load_published,
    save_checkpoint,
)
from backends.confidence.agreement.model import AgreementModel, load_agreement
from backends.errors import WeightsError

MC_FILE, WJC_FILE, CONSTANTS_FILE = "classifier.pt", "classifier_wj.pt", "standardise.json"
OURS_FILE, IN_TIME_FILE = "agreement.npz", "agreement_in_time.npz"
TABLE_FILE, CARD_FILE = "table.json", "MODEL_CARD.md"
SHIPPED = Path(__file__).resolve().parents[2] / "resources" / "confidence" / OURS_FILE
"""Our model as trained on 3DPW; see docs/models/agreement.md."""
_MAX_JSON = 1_000_000

_CARD = """# Agreement models

Made by `understudy confidence train` on this machine; not part of the program.

- **Input**: for each of 14 joints the distance between a mesh's joint and a keypoint estimator's (ED, half
  crops) and the estimator's confidence. `{ours}` takes both, a missing joint as missing; `{mc}` and `{wjc}`
  (the networks of arXiv 2305.17245, in its layout) take ED alone, standardised by `{constants}`.
- **Output**: per joint the expected error and the probability of more than 0.1 half crops; the probability
  of being the worst joint; the probability that the whole mesh is good.
- **Data**: {data}. Rows with an SE above 1 were left out.
- **Runs**: {runs}, seeds {seed} and up. `{ours}` averages them.
- **Licence of the data**: arrays made from 3DPW are for non-commercial research only. Weights trained on
  them carry that condition: do not ship them, and do not use them on patients' recordings beyond research.
- **Limits**: errors are two-dimensional and relative to the spine, so blind to depth and to the body's
  place; learnt from SPIN against OpenPose, so another pair of estimators needs its own training; people who
  look unlike those of the training data are not vouched for.

```
{table}
```
"""


def save_trained(folder: Path, trained: Trained, rows: Sequence[Row], about: Mapping[str, Any]) -> list[Path]:
    """Write networks, constants, table and model card; the files.

    Args:
        about: ``data`` (names of the splits), ``runs``, ``seed``.

    Raises:
        StorageError: the folder cannot be written.
    """
    constants = {
        "mean": trained.published.standardise.mean.tolist(),
        "named_std": trained.published.standardise.named_std.tolist(),
        "spread": trained.published.standardise.spread,
    }
    card = _CARD.format(
        ours=OURS_FILE, mc=MC_FILE, wjc=WJC_FILE, constants=CONSTANTS_FILE, data=about["data"],
        runs=about["runs"], seed=about["seed"], table=as_text(rows),
    )  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_checkpoint(trained.published.mc, folder / MC_FILE)
        save_checkpoint(trained.published.wjc, folder / WJC_FILE)
        (folder / CONSTANTS_FILE).write_text(json.dumps(constants, indent=1), encoding="utf-8")
        trained.ours.save(folder / OURS_FILE, dict(about))
        names = [MC_FILE, WJC_FILE, CONSTANTS_FILE, OURS_FILE]
        if trained.in_time is not None:
            trained.in_time.save(folder / IN_TIME_FILE, dict(about))
            names.append(IN_TIME_FILE)
        (folder / TABLE_FILE).write_text(json.dumps(as_plain(rows), indent=1), encoding="utf-8")
        (folder / CARD_FILE).write_text(card, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{folder.name} cannot be written: {error.strerror or error}.") from error
    return [folder / n for n in (*names, TABLE_FILE, CARD_FILE)]


def model_and_networks(folder: Path | None) -> tuple[AgreementModel, PublishedNetworks | None]:
    """Our model and the published networks of a folder; without a folder the shipped model alone.

    A folder with the authors' two checkpoints only takes our model from the program.

    Raises:
        ModelError: missing, damaged, or with more in them than weights.
    """
    own = folder / OURS_FILE if folder is not None else SHIPPED
    try:
        model = load_agreement(own if own.is_file() else SHIPPED)
    except WeightsError as error:
        raise ModelError(str(error)) from error
    return model, load_networks(folder) if folder is not None else None


def load_networks(folder: Path) -> PublishedNetworks:
    """MC and WJC of a folder: trained here (with their own constants) or the authors' two checkpoints.

    Raises:
        ModelError: missing, damaged, or with more in them than weights.
    """
    try:
        return load_published(folder / MC_FILE, folder / WJC_FILE, _constants(folder / CONSTANTS_FILE))
    except WeightsError as error:
        raise ModelError(str(error)) from error


def load_trained(folder: Path) -> Trained:
    """Everything that :func:`save_trained` wrote.

    Raises:
        ModelError: missing or damaged.
    """
    published = load_networks(folder)
    try:
        ours = load_agreement(folder / OURS_FILE)
        path = folder / IN_TIME_FILE
        in_time: AgreementModel | None = load_agreement(path) if path.is_file() else None
    except WeightsError as error:
        raise ModelError(str(error)) from error
    return Trained(published, ours, in_time)


def _constants(path: Path) -> Standardise:
    if not path.is_file():
        return PUBLISHED_CONSTANTS
    try:
        if path.stat().st_size > _MAX_JSON:
            raise ValueError
        values = json.loads(path.read_text(encoding="utf-8"))
        mean, named = (np.asarray(values[k], np.float64) for k in ("mean", "named_std"))
        spread = values["spread"]
        if mean.shape != (N_JOINTS,) or named.shape != (N_JOINTS,) or not (named > 0).all():
            raise ValueError
        if not np.isfinite(mean).all() or spread not in ("named_std_is_variance", "as_named"):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{path.name} is damaged. Train again: understudy confidence train") from error
    return Standardise(mean, named, spread)
