"""A folder of evidence as samples of one split; bodies are fitted where that has not been done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.train.evidence import EvidenceError, load_evidence
from app.train.fits import Fits, fit_evidence, load_fits, save_fits
from app.train.recipe import SPLITS, TEST, scene_recipe
from app.train.samples import Samples, joined, make_samples
from backends.confidence.expected.sites import Sites
from backends.fitting import BodyFitter

FITS = "fits"
"""Folder beside the evidence in which fitted bodies are kept."""

_NOTHING = "{folder} holds no evidence of the split '{split}'. Make it with: data {folder}"


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Samples, and of each the kind of scene."""

    samples: Samples
    presets: tuple[str, ...]


def read_split(
    folder: Path,
    split: str,
    sites: Sites,
    *,
    refit: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Split:
    """The samples of every camera of a split.

    Bodies to learn from are fitted both with the true focal length and with the one that the program assumes
    where it knows none; of the test's cameras every third with the assumed one. Of every fourth scene the
    depth sensor is handed on, so that the model can do with and without.

    Args:
        refit: fit all bodies anew, not only those that are missing.

    Raises:
        EvidenceError: no evidence of this split, or a damaged file.
    """
    fitter = BodyFitter(sites.body)
    parts: list[Samples] = []
    presets: list[str] = []
    for path, scene, fits in cameras_of(folder, split, sites, refit=refit):
        part = make_samples(sites, fitter, load_evidence(path), fits, scene, depth=scene % 4 == 0)
        tell(f"{path.stem}, focal length {'assumed' if fits.assumed else 'known'}: {len(part)} people")
        if len(part):
            parts.append(part)
            presets += [scene_recipe(scene).preset] * len(part)
    if not parts:
        raise EvidenceError(_NOTHING.format(folder=folder, split=split))
    return Split(joined(parts), tuple(presets))


def cameras_of(
    folder: Path, split: str, sites: Sites, *, refit: bool = False
) -> Iterator[tuple[Path, int, Fits]]:
    """Each camera of a split with its scene's number and its bodies, once a focal length that is tried.

    Args:
        refit: as in :func:`read_split`.

    Raises:
        EvidenceError: as :func:`read_split`.
    """
    if split not in SPLITS:
        raise EvidenceError(f"There is no split '{split}'. Choose one of {', '.join(SPLITS)}.")
    paths = sorted(folder.glob(f"{split}_*_cam*.npz"))
    if not paths:
        raise EvidenceError(_NOTHING.format(folder=folder, split=split))
    for path in paths:
        scene, camera = _numbers(path)
        for assumed in _cameras_tried(split, scene, camera):
            kept = folder / FITS / f"{path.stem}_{'assumed' if assumed else 'known'}.npz"
            yield path, scene, _fits(kept, sites, path, assumed, refit)


def _cameras_tried(split: str, scene: int, camera: int) -> tuple[bool, ...]:
    """Whether to fit with the assumed focal length: both ways to learn from, one to be tested on."""
    return ((scene + camera) % 3 == 0,) if split == TEST else (False, True)


def _fits(kept: Path, sites: Sites, path: Path, assumed: bool, refit: bool) -> Fits:
    if kept.is_file() and not refit:
        return load_fits(kept)
    fits = fit_evidence(sites.body, load_evidence(path), assumed=assumed)
    kept.parent.mkdir(exist_ok=True)
    save_fits(fits, kept)
    return fits


def _numbers(path: Path) -> tuple[int, int]:
    """Scene and camera of a file's name."""
    words = path.stem.split("_")
    try:
        return int(words[1]), int(words[-1].removeprefix("cam"))
    except (IndexError, ValueError) as error:
        raise EvidenceError(
            f"{path.name} is not called as evidence is. Take it out of the folder."
        ) from error
