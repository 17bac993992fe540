"""Masks and pictures: closed forms, and the numbers of TrackEval, scikit-image and lpips."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from backends.errors import InputError, WeightsError
from backends.metrics.lpips import Lpips
from backends.metrics.masks import boundary_f, mask_iou
from backends.metrics.pictures import psnr, ssim


def square(x0: int, x1: int, size: int = 40) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    mask[10:30, x0:x1] = True
    return mask


def ragged(seed: int) -> np.ndarray:
    """A blob with a ragged outline."""
    rng = np.random.default_rng(seed)
    points = np.column_stack([60 + 40 * np.cos(np.arange(24) / 3.82), 45 + 30 * np.sin(np.arange(24) / 3.82)])
    points += rng.normal(scale=4, size=points.shape)
    mask = np.zeros((90, 120), np.uint8)
    cv2.fillPoly(mask, [points.astype(np.int32)], 1)
    return mask > 0


def picture(seed: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    base = np.stack([2 * x + y, 3 * y, 255 - 2 * x], axis=-1) + rng.normal(scale=12, size=(*size, 3))
    return np.clip(base, 0, 255).astype(np.uint8)


def test_squares_that_share_half() -> None:
    assert mask_iou(square(10, 30), square(20, 40)) == pytest.approx(1 / 3)
    assert mask_iou(square(10, 30), square(10, 30)) == 1.0
    assert mask_iou(square(0, 0), square(0, 0)) == 1.0
    assert mask_iou(square(0, 0), square(5, 6)) == 0.0


def test_an_outline_within_the_tolerance_is_right() -> None:
    # 40 x 40: the tolerance is ceil(0.008 * 56.6) = 1 pixel.
    assert boundary_f(square(10, 30), square(11, 31)) == 1.0
    assert boundary_f(square(10, 30), square(15, 35)) < 0.8
    assert boundary_f(square(0, 0), square(10, 30)) == 0.0
    assert boundary_f(square(0, 0), square(0, 0)) == 1.0


def test_trackevals_davis_outline_says_the_same() -> None:
    """TrackEval 1.3.0: its outlines and its formula with a bound of 0.008."""
    pairs = [(ragged(1), ragged(2)), (ragged(3), ragged(4)), (ragged(5), np.roll(ragged(5), 2, axis=1))]
    assert [boundary_f(a, b) for a, b in pairs] == pytest.approx(
        [0.4171161026492029, 0.5678720321693623, 1.0], abs=1e-12
    )


def test_a_part_of_the_picture_is_enough() -> None:
    a, b = ragged(1), ragged(2)
    part = (slice(2, 88), slice(5, 112))
    inside = np.zeros_like(a)
    inside[part] = True
    assert not ((a | b) & ~inside).any()
    assert boundary_f(a[part], b[part], picture=a.shape) == boundary_f(a, b)
    assert boundary_f(a[part], b[part]) != boundary_f(a, b, picture=(900, 1200))


def test_one_grey_level_of_noise() -> None:
    a = np.full((16, 16, 3), 100, np.uint8)
    assert psnr(a + 1, a) == pytest.approx(20 * math.log10(255))
    assert psnr(a, a) == math.inf
    assert psnr(a, 255 - a) == pytest.approx(20 * math.log10(255 / 55))


def test_only_the_masked_pixels_count() -> None:
    a, b = np.zeros((12, 12, 3), np.uint8), np.zeros((12, 12, 3), np.uint8)
    b[:6] = 50
    assert psnr(a, b, np.arange(144).reshape(12, 12) >= 72) == math.inf
    assert psnr(a, b, np.arange(144).reshape(12, 12) < 72) == pytest.approx(20 * math.log10(255 / 50))
    assert math.isnan(psnr(a, b, np.zeros((12, 12), bool)))


def test_constant_pictures_have_the_closed_form() -> None:
    # Without any variance SSIM is (2ab + C1) / (a^2 + b^2 + C1).
    a, b = np.full((20, 20), 60, np.uint8), np.full((20, 20), 180, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ssim(a, b) == pytest.approx((2 * 60 * 180 + c1) / (60**2 + 180**2 + c1))
    assert ssim(a, a) == 1.0


def test_scikit_image_says_the_same() -> None:
    """scikit-image 0.26.0: ``structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=255, channel_axis=2)`` and ``peak_signal_noise_ratio``."""
    a, b = picture(1), picture(2)
    assert ssim(a, b) == pytest.approx(0.2431393436048008, abs=1e-9)
    assert psnr(a, b) == pytest.approx(23.667238395252635, abs=1e-9)


def random_weights(path: Path) -> Path:
    """AlexNet's shapes with numbers from a seed."""
    rng = np.random.default_rng(9)
    shapes = [
        (1, 0, 3, 64, 11),
        (2, 3, 64, 192, 5),
        (3, 6, 192, 384, 3),
        (4, 8, 384, 256, 3),
        (5, 10, 256, 256, 3),
    ]
    state = {}
    for number, layer, n_in, n_out, k in shapes:
        kernel = rng.normal(scale=(n_in * k * k) ** -0.5, size=(n_out, n_in, k, k))
        state[f"net.slice{number}.{layer}.weight"] = torch.tensor(kernel, dtype=torch.float32)
        state[f"net.slice{number}.{layer}.bias"] = torch.tensor(rng.normal(size=n_out), dtype=torch.float32)
        weight = torch.tensor(rng.uniform(size=(1, n_out, 1, 1)), dtype=torch.float32)
        state[f"lin{number - 1}.model.1.weight"] = weight
    torch.save(state, path)
    return path


def test_the_lpips_package_says_the_same(tmp_path: Path) -> None:
    """lpips 0.1.4, version 0.1 with AlexNet, and the same random weights put into it."""
    metric = Lpips(random_weights(tmp_path / "alex.pth"))
    a, b = picture(1, (64, 80)), picture(2, (64, 80))
    assert metric(a, b) == pytest.approx(0.025703990831971, rel=1e-4)
    assert metric(b, a) == pytest.approx(metric(a, b))
    assert metric(a, a) == 0.0


def test_without_weights_lpips_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="not available"):
        Lpips(tmp_path / "alex.pth")


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    torch.save({"net.slice1.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="no weights of LPIPS"):
        Lpips(tmp_path / "other.pth")
    torch.save(Path, tmp_path / "code.pth")
    with pytest.raises(WeightsError, match="more than arrays"):
        Lpips(tmp_path / "code.pth")
    (tmp_path / "broken.pth").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(WeightsError, match="damaged"):
        Lpips(tmp_path / "broken.pth")


def test_other_arrays_are_refused(tmp_path: Path) -> None:
    a = picture(1)
    for metric in (psnr, ssim):
        with pytest.raises(InputError, match="one size"):
            metric(a, a[:-1])
        with pytest.raises(InputError, match="uint8"):
            metric(a / 255, a / 255)
    with pytest.raises(InputError, match="11"):
        ssim(a[:8], a[:8])
    with pytest.raises(InputError, match="mask"):
        psnr(a, a, np.zeros((3, 3), bool))
    with pytest.raises(InputError, match="shape"):
        psnr(a[..., :2], a[..., :2])
    for metric in (mask_iou, boundary_f):
        with pytest.raises(InputError, match="one size"):
            metric(square(1, 2), square(1, 2, 30))
    with pytest.raises(InputError, match="32"):
        Lpips(random_weights(tmp_path / "alex.pth"))(a[:20], a[:20])
