"""The banded solver gives what scipy gives, says what is not positive, and lets go of Python's lock."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from scipy.linalg import cho_solve_banded, cholesky_banded

from backends.fitting.banded import solve_banded_inplace


def system(n: int, bands: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    band = rng.normal(0, 1, (n, bands))
    band[:, 0] = 4.0 * bands
    for k in range(1, bands):
        band[n - k :, k] = 0.0
    return band, np.asfortranarray(rng.normal(0, 1, (n, m)))


@pytest.mark.parametrize(("n", "bands", "m"), [(1, 1, 1), (50, 4, 3), (690, 207, 11)])
def test_it_is_scipys_solution_to_the_last_bit(n: int, bands: int, m: int) -> None:
    band, right = system(n, bands, m)
    factor = cholesky_banded(band.T.copy(order="F"), lower=True)
    wanted = cho_solve_banded((factor, True), right)
    assert solve_banded_inplace(band, right)
    assert np.array_equal(right, wanted)


def test_what_is_not_positive_is_said() -> None:
    band, right = system(20, 3, 1)
    band[7, 0] = -1.0
    assert not solve_banded_inplace(band, right)
    with pytest.raises(ValueError, match="order"):
        solve_banded_inplace(band, np.zeros((3, 1)))


def test_other_threads_go_on_meanwhile() -> None:
    band, right = system(12_000, 207, 11)
    beats: list[float] = []
    done = threading.Event()

    def beat() -> None:
        while not done.is_set():
            beats.append(time.perf_counter())
            time.sleep(0.0005)

    other = threading.Thread(target=beat, daemon=True)
    other.start()
    try:
        while not beats:
            time.sleep(0.001)
        begun = time.perf_counter()
        assert solve_banded_inplace(band, right)
        ended = time.perf_counter()
    finally:
        done.set()
        other.join()
    assert sum(begun < b < ended for b in beats) > 3, "the other thread ran while the system was solved"
