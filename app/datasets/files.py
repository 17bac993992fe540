"""Reading small files that others wrote, and checking the numbers in them."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.datasets.errors import DataSetError, damaged

F8 = npt.NDArray[np.float64]

MAX_JSON_BYTES = 1_000_000_000
"""Human3.6M's largest table has 0.4 GB."""

MAX_SMALL_BYTES = 50_000_000
"""One frame's json, a calibration: nothing near this size."""


_MOST = 1e12
"""No length, angle, pixel or count of a data set comes near; squares of it are still numbers."""


def read_bytes(path: Path, limit: int = MAX_SMALL_BYTES) -> bytes:
    """The file's bytes.

    Raises:
        DataSetError: it is missing, cannot be read, or is larger than ``limit``.
    """
    try:
        size = path.stat().st_size
        if size > limit:
            raise DataSetError(
                f"{path.name} has {size / 1e6:.0f} MB, far more than such a file should have. Check the path."
            )
        return path.read_bytes()
    except OSError as error:
        raise DataSetError(f"{path.name} cannot be read: {error.strerror}. Check the path {path}.") from error


def read_text(path: Path, limit: int = MAX_SMALL_BYTES) -> str:
    """The file's text (UTF-8).

    Raises:
        DataSetError: it is missing, too large or no text.
    """
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise damaged(path, "it is no text") from error


def read_json(path: Path, limit: int = MAX_SMALL_BYTES) -> Any:
    """The file's JSON value.

    Raises:
        DataSetError: it is missing, too large or no JSON.
    """
    try:
        return json.loads(read_text(path, limit))
    except (ValueError, RecursionError) as error:
        raise damaged(path, "it is no JSON") from error


def table(path: Path, value: Any, what: str) -> dict[str, Any]:
    """``value`` as a table.

    Raises:
        DataSetError: it is something else.
    """
    if not isinstance(value, dict):
        raise damaged(path, f"{what} should be a table")
    return value


def rows(path: Path, value: Any, what: str) -> list[Any]:
    """``value`` as a list.

    Raises:
        DataSetError: it is something else.
    """
    if not isinstance(value, list):
        raise damaged(path, f"{what} should be a list")
    return value


def field(path: Path, holder: dict[str, Any], key: str) -> Any:
    """``holder[key]``.

    Raises:
        DataSetError: it is missing.
    """
    if key not in holder:
        raise damaged(path, f"'{key}' is missing")
    return holder[key]


def integer(path: Path, value: Any, what: str, low: int = 0, high: int = 2**31) -> int:
    """``value`` as a whole number in ``low`` .. ``high``.

    Raises:
        DataSetError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise damaged(path, f"{what} should be a whole number from {low} to {high}, not {str(value)[:40]}")
    return value


def numbers(path: Path, value: Any, what: str, shape: tuple[int | None, ...], *, nan: bool = False) -> F8:
    """``value`` as float64 of ``shape`` (None: any length).

    Args:
        nan: whether values that are no numbers may stand for "not known".

    Raises:
        DataSetError: another shape, or values that are no (finite) numbers.
    """
    try:
        array = np.asarray(value)
        fits = array.dtype.kind in "fiub" and len(array.shape) == len(shape)
    except ValueError:  # rows of different length
        fits = False
    if not fits or any(want not in (None, have) for want, have in zip(shape, array.shape)):
        words = " x ".join("n" if n is None else str(n) for n in shape) or "a single one"
        raise damaged(path, f"{what} should be numbers, {words}")
    result = array.astype(np.float64)
    if not (nan or np.isfinite(result).all()):
        raise damaged(path, f"{what} holds values that are no numbers (NaN or infinity)")
    if np.nanmax(np.abs(result), initial=0.0) > _MOST:
        raise damaged(path, f"{what} holds values beyond all measure")
    return result


def flat(path: Path, value: Any, what: str, count: int | None) -> F8:
    """``count`` numbers however they are nested, in one row.

    Raises:
        DataSetError: another number of them, or values that are no numbers.
    """
    try:
        row = np.asarray(value).reshape(-1)
    except ValueError as error:  # rows of different length
        raise damaged(path, f"{what} should be {count or 'plain'} numbers") from error
    return numbers(path, row, what, (count,))


def rotation(path: Path, value: Any, what: str) -> F8:
    """``value`` as a rotation matrix.

    Raises:
        DataSetError: it is none (to a thousandth).
    """
    R = numbers(path, value, what, (3, 3))
    if np.abs(R @ R.T - np.eye(3)).max() > 1e-3 or np.linalg.det(R) < 0:
        raise damaged(path, f"{what} is no rotation")
    return R


def intrinsics(path: Path, value: Any, what: str) -> F8:
    """``value`` as a camera matrix in pixels.

    Raises:
        DataSetError: it is none.
    """
    K = numbers(path, value, what, (3, 3))
    if not (K[0, 0] > 0 and K[1, 1] > 0) or np.abs(K[2] - (0, 0, 1)).max() > 1e-6 or abs(K[1, 0]) > 1e-6:
        raise damaged(path, f"{what} is no camera matrix")
    return K


def distortion(path: Path, value: Any, what: str) -> F8:
    """``value``, 4 to 8 numbers in OpenCV's order, as k1 k2 p1 p2 k3.

    Raises:
        DataSetError: no such numbers, or a lens that five numbers do not describe.
    """
    raw = flat(path, value, what, None)
    if len(raw) not in (0, 4, 5, 8) or np.abs(raw[5:]).max(initial=0.0) > 0:
        raise DataSetError(
            f"{path.name}: {what} has {len(raw)} coefficients; this program knows lenses of up to five "
            "(k1 k2 p1 p2 k3). Undistort the pictures first, or calibrate with the simpler model."
        )
    dist = np.zeros(5)
    dist[: min(len(raw), 5)] = raw[:5]
    return dist


def relative(path: Path, value: Any, what: str) -> Path:
    """``value`` as the path of a file within the data set.

    Raises:
        DataSetError: it is none, or points outside.
    """
    name = PurePosixPath(value.replace("\\", "/")) if isinstance(value, str) and value else None
    if name is None or name.is_absolute() or ".." in name.parts or ":" in str(name) or "\0" in str(name):
        raise damaged(path, f"{what} should be the path of a file within the data set")
    return Path(*name.parts)


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) of a picture file.

    Raises:
        FootageError: it cannot be read.
    """
    from app.footage.pictures import read_picture

    height, width = read_picture(path).shape[:2]
    return width, height


def opencv_storage(path: Path) -> cv2.FileStorage:
    """An OpenCV FileStorage (yml) for reading.

    Raises:
        DataSetError: it is missing or none.
    """
    text = read_text(path)
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        opened = storage.isOpened()
    except (cv2.error, SystemError) as error:
        raise damaged(path, "it is no OpenCV file (yml)") from error
    if not opened:
        raise damaged(path, "it is no OpenCV file (yml)")
    return storage


def stored_matrix(path: Path, storage: cv2.FileStorage, key: str, shape: tuple[int | None, ...]) -> F8:
    """A matrix of an OpenCV FileStorage.

    Raises:
        DataSetError: it is missing, or of another shape.
    """
    try:
        node = storage.getNode(key)
        value = None if node.empty() else node.mat()
    except (cv2.error, SystemError) as error:
        raise damaged(path, f"'{key}' is no matrix") from error
    if value is None:
        raise damaged(path, f"'{key}' is missing")
    return numbers(path, value, key, shape)
