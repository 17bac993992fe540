"""A body in a fixed shape is posed as the body itself is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backends.body import BodyParams, FixedBody, load_body, posed_vertices
from backends.errors import InputError

BODY = load_body()


def somebody(seed: int) -> BodyParams:
    rng = np.random.default_rng(seed)
    return BodyParams(rng.normal(0, 1, BODY.n_betas), rng.normal(0, 0.3, (55, 3)), rng.normal(0, 1, 3))


@pytest.mark.parametrize("corrected", [False, True])
def test_it_is_posed_alike_whole_and_in_part_whoever_was_before(corrected: bool) -> None:
    body = BODY
    if corrected:
        moves = np.random.default_rng(1).normal(0, 0.001, (27, 3 * body.n_vertices)).astype(np.float32)
        body = replace(body, posedirs=moves)
    some = np.array([7, 13000, 5, 5, 420])
    whole, part = FixedBody(body), FixedBody(body, some)
    for seed in (0, 1, 0, *range(2, 14), 0):
        params = somebody(seed)
        expected = posed_vertices(body, params)
        np.testing.assert_allclose(whole.posed(params), expected, atol=1e-12)
        np.testing.assert_allclose(part.posed(params), expected[some], atol=1e-12)


def test_parameters_of_another_size_are_refused() -> None:
    fixed, params = FixedBody(BODY), somebody(0)
    with pytest.raises(InputError, match="takes betas"):
        fixed.posed(replace(params, betas=np.zeros(0)))
    with pytest.raises(InputError, match="pose"):
        fixed.posed(replace(params, pose=np.zeros((24, 3))))
