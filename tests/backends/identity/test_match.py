"""Who is found again: everybody by a perfect network, as many as chance has it by one that sees nothing."""

from __future__ import annotations

import numpy as np
import pytest

from backends.errors import InputError
from backends.identity import chance_interval, closeness, match


def people(n: int, pictures: int, spread: float, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {}
    for k, axis in enumerate(np.eye(n)):
        vectors = axis + spread * rng.normal(size=(pictures, n))
        found[f"p{k}"] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return found


def test_a_network_that_knows_everybody_finds_everybody() -> None:
    found = match(people(12, 3, 0.02, 1), people(12, 4, 0.02, 2))
    assert (found.rank1, found.rank1_pictures, found.mean_rank) == (1.0, 1.0, 1.0)
    assert (found.known, found.people, found.pictures) == (12, 12, 48)


def test_a_network_that_sees_nothing_finds_as_many_as_chance() -> None:
    same = np.full((2, 9), 1 / 3, np.float32)
    noise = 1e-7 * np.random.default_rng(0).normal(size=(2, 9)).astype(np.float32)
    everybody = {f"p{k}": same + k * noise for k in range(10)}
    found = match(everybody, everybody)
    assert found.rank1 == pytest.approx(found.chance) == pytest.approx(0.1)
    assert found.rank1_pictures == pytest.approx(0.1)
    assert found.mean_rank == pytest.approx(5.5)


def test_random_vectors_lie_within_what_chance_gives() -> None:
    rng = np.random.default_rng(4)
    known, sought = ({f"p{k}": rng.normal(size=(3, 16)) for k in range(40)} for _ in range(2))
    found = match(known, sought)
    low, high = found.chance_95
    assert low <= found.rank1 <= high
    assert abs(found.mean_rank - 20.5) < 4 * 11.5 / 40**0.5


def test_people_who_are_not_known_are_not_looked_for_and_others_still_distract() -> None:
    known = people(4, 2, 0.0, 0)
    sought = {"p1": known["p1"], "stranger": known["p2"], "p3": known["p3"][:0]}
    found = match(known, sought)
    assert (found.known, found.people, found.rank1, found.chance) == (4, 1, 1.0, 0.25)


def test_somebody_else_who_is_nearer_is_named() -> None:
    known = people(3, 1, 0.0, 0)
    found = match(known, {"p0": known["p1"]})
    assert (found.rank1, found.mean_rank) == (0.0, 2.5)


def test_nobody_is_found_where_nobody_is_known() -> None:
    assert np.isnan(match({}, people(2, 1, 0.0, 0)).rank1)
    assert np.isnan(match({}, {}).chance)
    assert np.isnan(match({}, {}).chance_95[0])


def test_several_measures_of_a_body_count_as_their_mean() -> None:
    known = {name: np.array([[h]], np.float32) for name, h in (("a", 1.6), ("b", 1.7), ("c", 1.8))}
    found = match(known, {"b": np.array([[1.5], [1.92]], np.float32)}, closeness)
    assert (found.rank1, found.rank1_pictures) == (1.0, 0.0)


def test_bodies_are_compared_by_distance() -> None:
    known = {name: np.array([[h]], np.float32) for name, h in (("a", 1.6), ("b", 1.7), ("c", 1.8))}
    sought = {name: np.array([[h]], np.float32) for name, h in (("a", 1.62), ("c", 1.74))}
    found = match(known, sought, closeness)
    assert (found.rank1, found.mean_rank) == (0.5, 1.5)


@pytest.mark.parametrize(
    "vectors", [np.array([[np.nan, 0.0]], np.float32), np.ones((1, 3), np.float32), np.ones(2, np.float32)]
)
def test_vectors_that_cannot_be_compared_are_refused(vectors: np.ndarray) -> None:
    with pytest.raises(InputError, match="network"):
        match(people(2, 1, 0.0, 0), {"p0": vectors})


@pytest.mark.parametrize(("n", "known"), [(1, 1), (10, 10), (24, 24), (200, 50)])
def test_guesses_mostly_lie_within_the_interval(n: int, known: int) -> None:
    low, high = chance_interval(n, known)
    guessed = np.random.default_rng(0).binomial(n, 1 / known, 4000) / n
    assert np.mean((guessed >= low - 1e-9) & (guessed <= high + 1e-9)) >= 0.94
    assert low <= 1 / known <= high
