"""How often somebody is found again among others, and how often by chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from backends.errors import InputError
from backends.identity.types import F4

_SAME = 1e-5
"""Similarities nearer to each other than this are the same: one picture, embedded twice, is not quite."""


@dataclass(frozen=True, slots=True)
class Matched:
    """What a matcher found.

    Attributes:
        known: people to choose from; people: of those, who was looked for; pictures: of them.
        rank1: share of people who were found, all their pictures taken together, in [0, 1].
        rank1_pictures: share of single pictures whose person was found.
        mean_rank: the right person's mean place among the known, 1 the first; ``(known + 1) / 2`` by chance.
    """

    known: int
    people: int
    pictures: int
    rank1: float
    rank1_pictures: float
    mean_rank: float

    @property
    def chance(self) -> float:
        """``rank1`` of somebody who guesses."""
        return 1 / self.known if self.known else float("nan")

    @property
    def chance_95(self) -> tuple[float, float]:
        """Between which ``rank1`` 95 of 100 who guess would lie."""
        return chance_interval(self.people, self.known)


def chance_interval(people: int, known: int, share: float = 0.95) -> tuple[float, float]:
    """Between which shares of ``people`` are found by guessing among ``known`` (binomial)."""
    if people < 1 or known < 1:
        return float("nan"), float("nan")
    low, high = binom.ppf(((1 - share) / 2, (1 + share) / 2), people, 1 / known)
    return float(low) / people, float(high) / people


def cosine(probes: F4, known: F4) -> F4:
    """(N, M) how alike unit vectors (N, D) and (M, D) are."""
    near: F4 = probes @ known.T
    return near


def closeness(probes: F4, known: F4) -> F4:
    """(N, M) minus the squared distance of (N, D) and (M, D): for measures of a body.

    Squared, so that several measures of one person count as their mean does: of plain distances the mean is
    the same for everybody who lies between them.
    """
    return -np.asarray(((probes[:, None] - known[None]) ** 2).sum(axis=2), np.float32)


def match(
    gallery: Mapping[str, F4], probes: Mapping[str, F4], alike: Callable[[F4, F4], F4] = cosine
) -> Matched:
    """Look for the people of ``probes`` among those of ``gallery``, both (N, D) vectors by person.

    A picture is as near to somebody as to the nearest of their pictures; a person as all their pictures are
    on average. Of several who are equally near, one is guessed. Whoever is not known is not looked for.

    Args:
        alike: (N, M) how alike (N, D) and (M, D) are; :func:`cosine` is for unit vectors.

    Raises:
        InputError: vectors that are not finite, or of different lengths.
    """
    names = sorted(name for name, vectors in gallery.items() if len(vectors))
    sought = [name for name in names if len(probes.get(name, ()))]
    if not sought:
        return Matched(len(names), 0, 0, float("nan"), float("nan"), float("nan"))
    first, whole, places, pictures = 0.0, 0.0, 0.0, 0
    for name in sought:
        near = np.stack([_nearest(probes[name], gallery[other], alike) for other in names])
        own = names.index(name)
        found, place = _found(near.mean(axis=1), own)
        whole, places = whole + found, places + place
        first += sum(_found(column, own)[0] for column in near.T)
        pictures += near.shape[1]
    n = len(sought)
    return Matched(len(names), n, pictures, whole / n, first / pictures, places / n)


def _nearest(probes: F4, known: F4, alike: Callable[[F4, F4], F4]) -> F4:
    """(N,) the similarity of each of ``probes`` (N, D) to the nearest of ``known`` (M, D)."""
    if probes.ndim != 2 or known.ndim != 2 or probes.shape[1] != known.shape[1]:
        raise InputError(f"vectors of different networks: {probes.shape} and {known.shape}")
    if not (np.isfinite(probes).all() and np.isfinite(known).all()):
        raise InputError("a network gave vectors that are no numbers")
    return np.asarray(alike(probes, known).max(axis=1), np.float32)


def _found(near: F4, own: int) -> tuple[float, float]:
    """The chance that the right one is named, and their mean place; of equals, one is guessed."""
    ahead = int((near > near[own] + _SAME).sum())
    equal = int((np.abs(near - near[own]) <= _SAME).sum())
    return (0.0 if ahead else 1 / equal), ahead + (equal + 1) / 2
