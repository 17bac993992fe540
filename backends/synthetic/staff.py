"""People to be cast: bodies of known sex, age, build and height."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from backends.body import load_body
from backends.errors import InputError
from backends.synthetic.shapes import F8

_FILE = Path(__file__).resolve().parents[2] / "resources" / "bodies" / "anny_phenotypes.npz"


@cache
def _table() -> tuple[tuple[str, ...], F8, F8]:
    try:
        with np.load(_FILE, allow_pickle=False) as z:
            return tuple(str(n) for n in z["names"]), z["phenotypes"].astype(float), z["betas"].astype(float)
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"the table of bodies is missing or damaged: {_FILE.name}") from error


_HEIGHTS = {True: (1.65, 0.065), False: (1.785, 0.07)}
"""Mean and spread of adults' standing height, metres: women, men (round figures for Western Europe)."""
_CHOICE = 10


@cache
def _heights() -> F8:
    body = load_body()
    return np.array([body.height(b) for b in _table()[2]])


def cast_body(rng: np.random.Generator, *, woman: bool) -> F8:
    """(B,) betas of an adult of the shipped body: a height drawn for the sex, then one of Anny's phenotypes.

    Raises:
        InputError: the table that ships with the body is missing or damaged.
    """
    names, phenotypes, betas = _table()
    rows = np.flatnonzero((phenotypes[:, names.index("gender")] > 0.5) == woman)
    mean, spread = _HEIGHTS[woman]
    height = mean + spread * float(np.clip(rng.normal(), -2.2, 2.2))
    near = rows[np.argsort(np.abs(_heights()[rows] - height))[:_CHOICE]]
    chosen: F8 = betas[near[int(rng.integers(len(near)))]].copy()
    return chosen
