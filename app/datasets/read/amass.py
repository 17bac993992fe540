"""Reads motion capture in AMASS's layout (Mahmood et al., ICCV 2019): npz with poses, trans and betas.

``poses`` (N, 156) of SMPL-H or (N, 165) of SMPL-X, axis-angle; ``trans`` (N, 3) metres, world, z up;
``betas``; ``mocap_framerate`` or ``mocap_frame_rate``. There is no footage and no camera: ``camera`` is
None, and parameters stay in the file's own world. All betas of the file (AMASS has 16) are kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.datasets.errors import damaged
from app.datasets.files import flat, numbers
from app.datasets.npz import names_in, read_npz
from app.datasets.read.smpl import BODIES, as_55
from app.datasets.types import TrueFrame, TruePerson, TruthSet
from app.datasets.view import ReadView
from backends.body.params import BodyParams

KIND: Final = "amass"
_KEYS = ("poses", "trans", "betas")
_RATES = ("mocap_framerate", "mocap_frame_rate")


def find(path: Path) -> list[Path]:
    """The recordings that ``path`` is or holds."""
    files = [path] if path.is_file() else sorted(path.glob("*.npz"))
    return [p for p in files if p.suffix == ".npz" and names_in(p) >= set(_KEYS)]


def open_amass(path: Path, files: list[Path]) -> TruthSet:
    """Open recordings, one view of one person each.

    Raises:
        DataSetError: damaged.
    """
    root = path if path.is_dir() else path.parent
    return TruthSet(KIND, root, tuple(_view(file) for file in files))


def _view(path: Path) -> ReadView:
    arrays = read_npz(path, (*_KEYS, *_RATES))
    poses = numbers(path, arrays["poses"], "poses", (None, None))
    n, width = poses.shape
    if width % 3 or width // 3 not in BODIES or not n:
        raise damaged(path, f"poses has {width} columns; SMPL has 72, SMPL-H 156 and SMPL-X 165")
    trans = numbers(path, arrays["trans"], "trans", (n, 3))
    betas = numbers(path, arrays["betas"], "betas", (None,))
    rate = next((arrays[key] for key in _RATES if key in arrays), None)
    if rate is None:
        raise damaged(path, f"'{_RATES[0]}' is missing")
    fps = float(flat(path, rate, _RATES[0], 1)[0])
    if not 0 < fps <= 10_000:
        raise damaged(path, f"{fps} is no frame rate")

    def read(index: int) -> TrueFrame:
        params = BodyParams(betas.copy(), as_55(poses[index].reshape(-1, 3)), trans[index].copy())
        return TrueFrame(index, (TruePerson(1, params=params, body=BODIES[width // 3]),))

    return ReadView(path.stem, n, fps, None, read)
