"""Arrays as little-endian blobs that declare their own dtype and shape, and JSON that may hold them.

A project file comes from outside, so reading checks everything before it allocates:
no pickle, no object dtype, sizes that add up.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import ProjectError

AnyArray = npt.NDArray[Any]

_CODES = {"<f2": 1, "<f4": 2, "<f8": 3, "|u1": 4, "<u2": 5, "<u4": 6, "<i4": 7, "<i8": 8, "|b1": 9}
_DTYPES = {code: np.dtype(name) for name, code in _CODES.items()}
_MAX_DIMENSIONS = 4


def pack(array: npt.ArrayLike, dtype: npt.DTypeLike | None = None) -> bytes:
    """An array as one blob: code of the dtype, number of dimensions, shape (uint32), data.

    Raises:
        ValueError: for a dtype that the format does not know.
    """
    a = np.ascontiguousarray(np.asarray(array) if dtype is None else np.asarray(array).astype(dtype))
    a = a.astype(a.dtype.newbyteorder("<"), copy=False)
    code = _CODES.get(a.dtype.str)
    if code is None or a.ndim > _MAX_DIMENSIONS:
        raise ValueError(f"cannot store an array of {a.dtype} with {a.ndim} dimensions")
    return struct.pack(f"<BB{a.ndim}I", code, a.ndim, *a.shape) + a.tobytes()


def unpack(blob: bytes, *, shape: tuple[int, ...] | None = None) -> AnyArray:
    """The array in ``blob``, read-only.

    Args:
        shape: what the caller relies on; -1 for any length along that dimension.

    Raises:
        ProjectError: when the blob is damaged or of another shape.
    """
    try:
        code, ndim = struct.unpack_from("<BB", blob)
        if ndim > _MAX_DIMENSIONS:
            raise ValueError
        dims = struct.unpack_from(f"<{ndim}I", blob, 2)
        array = np.frombuffer(blob, dtype=_DTYPES[code], offset=2 + 4 * ndim).reshape(dims)
    except (struct.error, KeyError, ValueError, TypeError) as error:
        raise ProjectError(
            "The project holds a damaged array. Restore the file from a copy, or run again with --restart."
        ) from error
    if shape is not None and (
        len(shape) != array.ndim or any(want not in (-1, have) for want, have in zip(shape, array.shape))
    ):
        raise ProjectError(f"The project holds an array of shape {array.shape} where {shape} is needed.")
    return array


def _default(value: object) -> object:
    if isinstance(value, np.ndarray):
        return {"__array__": base64.b64encode(pack(value)).decode("ascii")}
    if isinstance(value, bytes):
        return {"__bytes__": base64.b64encode(value).decode("ascii")}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"cannot store a {type(value).__name__}")


def _hook(value: dict[str, Any]) -> Any:
    if "__array__" in value:
        return unpack(base64.b64decode(value["__array__"])).copy()
    if "__bytes__" in value:
        return base64.b64decode(value["__bytes__"])
    return value


def to_json(value: object) -> str:
    """JSON of plain values, bytes and arrays nested in lists and dicts with string keys."""
    return json.dumps(value, default=_default, separators=(",", ":"))


def from_json(text: str) -> Any:
    """Inverse of :func:`to_json`.

    Raises:
        ProjectError: when the text is damaged.
    """
    try:
        return json.loads(text, object_hook=_hook)
    except ValueError as error:
        raise ProjectError("The project holds a damaged record. Restore the file from a copy.") from error
