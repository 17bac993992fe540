from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from backends.confidence.sensitivity import (
    Estimates,
    JointSensitivity,
    Occluder,
    Sample,
    cover_joints,
    mean_found,
    slide,
    unoccluded,
)
from backends.errors import InputError

U1 = npt.NDArray[np.uint8]
F8 = npt.NDArray[np.float64]

JOINTS = np.array([[30.0, 30.0], [100.0, 60.0], [180.0, 200.0]])
OFF = 7.0


def picture() -> U1:
    """White dots where the joints are."""
    image = np.zeros((224, 224, 3), np.uint8)
    for x, y in JOINTS.astype(int):
        image[y, x] = 255
    return image


def estimate(images: Sequence[U1]) -> list[Estimates | None]:
    """Finds the dots: a hidden one is 7 off, a hidden last one is not found, and without the first nobody."""
    answers: list[Estimates | None] = []
    for image in images:
        seen = np.array([image[int(y), int(x)].min() == 255 for x, y in JOINTS])
        if not seen[0]:
            answers.append(None)
            continue
        found = JOINTS + np.where(seen, 0.0, OFF)[:, None] * np.array([1.0, 0.0])
        if not seen[2]:
            found[2] = np.nan
        answers.append({"keypoints": found, "mesh": np.column_stack([found, np.zeros(3)])})
    return answers


def test_by_default_the_occluder_visits_11_by_11_places_of_a_crop_of_224() -> None:
    places = Occluder().places(224, 224)
    assert places.shape == (11, 11, 4)
    assert places[0, 0].tolist() == [0, 0, 40, 40]
    assert places[0, 1].tolist() == [20, 0, 60, 40]
    assert places[10, 10].tolist() == [200, 200, 224, 224]


def test_all_places_together_cover_every_pixel() -> None:
    covered = np.zeros((97, 131), bool)
    for x0, y0, x1, y1 in Occluder(30, 17).places(131, 97).reshape(-1, 4):
        covered[y0:y1, x0:x1] = True
    assert covered.all()


def test_the_patch_has_its_colour_and_leaves_the_picture_itself_alone() -> None:
    image = picture()
    occluder = Occluder(colour=(1, 2, 3))
    covered = occluder.cover(image, occluder.places(224, 224)[1, 2])
    assert (covered[20:60, 40:80] == (1, 2, 3)).all()
    assert (image == picture()).all()
    changed = (covered != image).any(axis=2)
    assert not changed[:20].any()
    assert not changed[60:].any()


def test_errors_arise_exactly_where_a_joint_is_hidden() -> None:
    image = picture()
    found = slide(image, estimate, unoccluded(image, estimate))
    for row in range(11):
        for column in range(11):
            x0, y0, x1, y1 = found.places[row, column]
            hidden = [x0 <= x < x1 and y0 <= y < y1 for x, y in JOINTS]
            error = found.errors["keypoints"][row, column]
            assert found.lost[row, column] == hidden[0]
            if hidden[0]:
                assert np.isnan(error).all()
            else:
                assert error[1] == (OFF if hidden[1] else 0.0)
                assert np.isnan(error[2]) == hidden[2]


def test_the_worst_place_is_one_that_does_harm_and_the_mean_knows_no_lost_joints() -> None:
    image = picture()
    found = slide(image, estimate, unoccluded(image, estimate))
    x0, y0, x1, y1 = found.places[found.worst("mesh")]
    assert x0 <= 100 < x1
    assert y0 <= 60 < y1
    assert found.mean("mesh")[found.worst("mesh")] == pytest.approx(OFF / 3)


def test_against_the_truth_even_a_place_that_hides_nothing_has_the_estimators_own_error() -> None:
    image = picture()
    truth = {"keypoints": JOINTS + np.array([0.0, 3.0])}
    found = slide(image, estimate, truth)
    assert set(found.errors) == {"keypoints"}
    assert found.errors["keypoints"][0, 10].tolist() == [3.0, 3.0, 3.0]


def test_progress_is_told_and_may_stop_the_work() -> None:
    image = picture()
    told: list[tuple[int, int]] = []
    slide(image, estimate, unoccluded(image, estimate), check=lambda done, of: told.append((done, of)))
    assert told[0] == (0, 121)
    assert told[-1] == (121, 121)

    def stop(done: int, of: int) -> None:
        if done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        slide(image, estimate, unoccluded(image, estimate), check=stop)


def test_over_a_data_set_covering_a_joint_is_counted_with_that_joint() -> None:
    nobody = np.zeros((224, 224, 3), np.uint8)
    outside = JOINTS.copy()
    outside[1] = [-300.0, 10.0]
    samples = [
        Sample(picture(), JOINTS), Sample(picture(), outside), Sample(nobody, JOINTS),
        Sample(picture(), np.where(np.arange(3)[:, None] == 1, np.nan, JOINTS)),
    ]  # fmt: skip
    result = cover_joints(samples, estimate)
    assert result.tried.tolist() == [3, 1, 3]
    assert result.lost.tolist() == [3, 0, 0]
    mean = result.mean_error("keypoints")
    assert np.isnan(mean[0])  # nobody was ever left to measure
    assert mean[1] == pytest.approx(OFF / 3)
    assert mean[2] == 0.0  # the joint itself was lost, the others stayed


def test_an_empty_data_set_gives_an_empty_result() -> None:
    result = cover_joints([], estimate)
    assert isinstance(result, JointSensitivity)
    assert len(result.tried) == 0


def test_means_leave_out_what_was_not_found() -> None:
    assert mean_found(np.array([[1.0, np.nan, 3.0], [np.nan] * 3]), axis=1)[0] == 2.0
    assert np.isnan(mean_found(np.array([[1.0, np.nan, 3.0], [np.nan] * 3]), axis=1)[1])


@pytest.mark.parametrize(("size", "stride"), [(0, 20), (40, 0), (-3, 5)])
def test_an_occluder_without_size_or_stride_is_refused(size: int, stride: int) -> None:
    with pytest.raises(InputError, match="size and stride"):
        Occluder(size, stride)


def test_occluders_that_make_no_sense_for_a_picture_are_refused() -> None:
    with pytest.raises(InputError, match="does not fit"):
        Occluder(300).places(224, 224)
    with pytest.raises(InputError, match="take a larger one"):
        Occluder(2, 1).places(224, 224)
    with pytest.raises(InputError, match="0 to 255"):
        Occluder(colour=(0, 300, 0))


def test_what_is_no_picture_and_pictures_of_nobody_are_refused() -> None:
    with pytest.raises(InputError, match="uint8"):
        unoccluded(np.zeros((10, 10, 3), np.float32), estimate)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Nobody"):
        unoccluded(np.zeros((224, 224, 3), np.uint8), estimate)


def test_a_reference_of_another_shape_and_samples_of_other_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="reference"):
        slide(picture(), estimate, {"keypoints": np.zeros((5, 2))})
    with pytest.raises(InputError, match="one number of joints"):
        cover_joints([Sample(picture(), JOINTS), Sample(picture(), JOINTS[:2])], estimate)


def test_a_map_in_which_nobody_was_ever_found_has_no_worst_place() -> None:
    found = slide(picture(), lambda images: [None] * len(images), {"keypoints": JOINTS})
    assert found.lost.all()
    with pytest.raises(InputError, match="Nobody was found"):
        found.worst("keypoints")
