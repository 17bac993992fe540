"""What somebody points at, before anything runs: which cameras, whether they fit together, what is amiss."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs

from app.datasets.open import open_truth
from app.errors import UnderstudyError
from app.footage import open_footage
from app.footage.pictures import SUFFIXES, natural_key
from app.multiview.calibration import Calibrated, match, plain, read_calibration
from app.multiview.types import RATES_APART, ViewsRequest
from app.review.opening import SUFFIX
from app.review.thumbnails import scaled_into

U1 = npt.NDArray[np.uint8]

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".mkv", ".avi", ".ts", ".m2ts", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"}
)
CALIBRATION_SUFFIXES = frozenset({".json", ".toml", ".yml", ".yaml"})
_THUMB = (160, 112)
_MANY = 24
_LEAST = 2


@dataclass(frozen=True, slots=True, eq=False)
class FoundCamera:
    """One camera's footage as it was recognised.

    Attributes:
        name: what the camera will be called; calibrated: its name in the calibration, "" where it has none.
        thumbnail: (h, w, 3) RGB, at most 160 x 112; None where nothing can be read.
        trouble: why it cannot be used, with what to do; "" where it can. doubt: what should be looked at.
    """

    path: Path
    name: str
    width: int = 0
    height: int = 0
    n_frames: int = 0
    fps: float = 0.0
    thumbnail: U1 | None = None
    calibrated: str = ""
    trouble: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """What was recognised.

    Attributes:
        calibration: the file or folder, None while there is none; known: names of its cameras.
        calibration_trouble: why it cannot be used. trouble: why nothing can begin, "" where it can.
        goes_on: the folder for the results holds what an earlier start has found.
    """

    cameras: tuple[FoundCamera, ...] = ()
    calibration: Path | None = None
    known: tuple[str, ...] = ()
    calibration_trouble: str = ""
    trouble: str = ""
    goes_on: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can begin."""
        return not self.trouble


def gather(paths: Sequence[Path]) -> tuple[list[Path], list[str], Path | None]:
    """What was dropped or chosen, taken apart: footage, a name for each, and a calibration or None.

    A folder is a data set, or holds videos, or a folder of pictures for each camera, or is one camera's
    pictures itself. Nothing is opened but a data set's small files.
    """
    sources: list[Path] = []
    names: list[str] = []
    calibration: Path | None = None
    for path in paths:
        if path.is_dir():
            more, called, found = _folder(path)
            sources += more
            names += called
            calibration = calibration or found
        elif path.suffix.lower() in CALIBRATION_SUFFIXES:
            calibration = path
        elif path.suffix != SUFFIX:
            sources.append(path)
            names.append(path.stem)
    return sources, names, calibration


def _folder(folder: Path) -> tuple[list[Path], list[str], Path | None]:
    inside = sorted((p for p in folder.iterdir() if not p.name.startswith(".")), key=natural_key)
    calibration = _calibration_in(folder)
    videos = [p for p in inside if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file()]
    if videos and calibration is not None:
        return videos, [p.stem for p in videos], calibration
    try:
        truth = open_truth(folder)
    except UnderstudyError:
        truth = None
    if truth is not None and truth.views:
        places = [(v.source[0].parent if isinstance(v.source, tuple) else v.source, v) for v in truth.views]
        found = [(p, v.name) for p, v in places if p is not None]
        if found:
            return [p for p, _ in found], [n for _, n in found], calibration or folder
    if videos:
        return videos, [p.stem for p in videos], calibration
    if any(p.suffix.lower() in SUFFIXES for p in inside):
        return [folder], [folder.name], calibration
    cameras = [p for p in inside if p.is_dir() and _holds_pictures(p)]
    return cameras, [p.name for p in cameras], calibration


def _holds_pictures(folder: Path) -> bool:
    return any(p.suffix.lower() in SUFFIXES for p in folder.iterdir())


def _calibration_in(folder: Path) -> Path | None:
    try:
        read_calibration(folder)
    except UnderstudyError:
        return None
    return folder


def look_at(path: Path, name: str) -> FoundCamera:
    """One camera's footage: read once, which takes a moment for a long recording. Never raises."""
    try:
        with open_footage(path) as footage:
            return FoundCamera(
                path, name, footage.width, footage.height, footage.n_frames,
                footage.fps if footage.kind == "video" else 0.0, scaled_into(footage.frame(0), _THUMB),
            )  # fmt: skip
    except UnderstudyError as error:
        return FoundCamera(path, name, trouble=str(error))


def inspect(
    cameras: Sequence[FoundCamera], calibration: Path | None, output: Path | None = None
) -> Inspection:
    """Whether the cameras that :func:`look_at` saw belong together, and to the calibration. Never raises."""
    known: list[Calibrated] = []
    amiss = ""
    if calibration is not None:
        try:
            known = read_calibration(calibration)
        except UnderstudyError as error:
            amiss = str(error)
        except OSError as error:
            amiss = f"{calibration.name} cannot be read: {error.strerror}."
    judged = _matched(cameras, known, calibration)
    judged = _same_rate(_same_length(judged))
    doubles = [n for n, k in Counter(plain(c.name) for c in judged).items() if k > 1]
    judged = [
        replace(
            c, trouble=c.trouble or f"Two cameras are called {c.name}. Take one away, or rename its file."
        )
        if plain(c.name) in doubles
        else c
        for c in judged
    ]
    goes_on = output is not None and any((output / f"{c.name}{SUFFIX}").is_file() for c in judged)
    return Inspection(
        tuple(judged), calibration, tuple(c.name for c in known), amiss,
        _why_not(judged, calibration, amiss), goes_on,
    )  # fmt: skip


def _why_not(cameras: Sequence[FoundCamera], calibration: Path | None, amiss: str) -> str:
    if not cameras:
        return "Add the videos first"
    bad = [c for c in cameras if c.trouble]
    if bad:
        return f"{bad[0].name} cannot be used like this: put it right or take it away"
    if len(cameras) < _LEAST:
        return "One camera alone tells no depth: add another"
    if calibration is None:
        return "Choose the calibration: it says where the cameras stand"
    return "Choose another calibration" if amiss else ""


def _matched(
    cameras: Sequence[FoundCamera], known: Sequence[Calibrated], calibration: Path | None
) -> list[FoundCamera]:
    if not known or calibration is None:
        return list(cameras)
    found, by_order = match([c.name for c in cameras], known)
    judged = []
    for camera, one in zip(cameras, found):
        if one is None:
            names = ", ".join(k.name for k in known[:_MANY])
            words = f"{calibration.name} has no camera called {camera.name}; it has {names}."
            more = " Rename the file like its camera, or take it away."
            judged.append(replace(camera, trouble=camera.trouble or words + more))
            continue
        here = replace(camera, calibrated=one.name)
        if by_order and not here.trouble:
            here = replace(here, doubt=f"Taken for {one.name}, by order: its name does not tell.")
        judged.append(_sized(here, one, calibration))
    return judged


def _sized(camera: FoundCamera, one: Calibrated, calibration: Path) -> FoundCamera:
    """Whether the pictures have the size that was calibrated."""
    if camera.trouble:
        return camera
    try:
        one.fit(camera.name, camera.width, camera.height)
    except UnderstudyError as error:
        return replace(camera, trouble=str(error))
    except OSError as error:
        return replace(camera, trouble=f"{calibration.name} cannot be read: {error.strerror}.")
    return camera


def _same_length(cameras: list[FoundCamera]) -> list[FoundCamera]:
    lengths = Counter(c.n_frames for c in cameras if not c.trouble)
    if len(lengths) < _LEAST:
        return cameras
    # The usual length; where all differ, the longest.
    usual = max(lengths, key=lambda n: (lengths[n], n))
    words = "It has {} frames, others {}: does it begin at another moment?"
    return [
        replace(c, doubt=_and(c.doubt, words.format(c.n_frames, usual)))
        if not c.trouble and c.n_frames != usual
        else c
        for c in cameras
    ]


def _same_rate(cameras: list[FoundCamera]) -> list[FoundCamera]:
    rates = [c.fps for c in cameras if c.fps and not c.trouble]
    if not rates or max(rates) <= (1 + RATES_APART) * min(rates):
        return cameras
    usual = Counter(round(r, 1) for r in rates).most_common(1)[0][0]
    words = "It has {:g} frames a second, others {:g}. Convert it to the rate of the others first."
    return [
        replace(c, trouble=words.format(round(c.fps, 2), usual))
        if c.fps and not c.trouble and abs(c.fps - usual) > RATES_APART * usual
        else c
        for c in cameras
    ]


def _and(first: str, second: str) -> str:
    return f"{first} {second}".strip()


def request_for(
    found: Inspection, output: Path, offsets: Sequence[int], *, hands_face: bool, body: str, refine: bool
) -> ViewsRequest:
    """The work that an inspection without trouble asks for; ``offsets`` a camera, its frame at moment 0."""
    return ViewsRequest(
        tuple(c.path for c in found.cameras), found.calibration, output,
        offsets=tuple(offsets) if any(offsets) else (), body=body, hands_face=hands_face,
        refine_cameras=refine, names=tuple(c.name for c in found.cameras),
    )  # fmt: skip


def default_output(sources: Sequence[Path]) -> Path:
    """A folder for the results beside the footage where that can be written, else in the documents."""
    folder = sources[0].parent if sources else Path.home()
    if not os.access(folder, os.W_OK):
        folder = Path(platformdirs.user_documents_dir()) / "Understudy"
    stem = re.sub(r"[\s_-]*\d*$", "", sources[0].parent.name) if sources else ""
    return folder / f"{stem or 'Room'} cameras"
