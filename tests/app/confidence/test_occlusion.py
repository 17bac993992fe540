from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from app.cli.confidence import confidence
from app.confidence.arrays import read_arrays
from app.confidence.dataset_occlusion import dataset_sheet, save_dataset_occlusion
from app.confidence.heat import TOLERANCE, heat_field, heat_over, heat_rgba
from app.confidence.occlusion import UNOCCLUDED, Occlusion, load_occlusion, reference_of, save_occlusion
from app.confidence.occlusion_sheet import occlusion_sheet
from app.confidence.people import crop_camera, crop_transform, cut, joints_14
from app.confidence.task import box_of
from app.confidence.truth import TrueJoints, joints_by_name, true_joints
from app.datasets.layouts import COCO17, LSP14
from app.datasets.types import Points2D, TruePerson
from app.errors import FootageError, StorageError
from app.models.store import ModelStore
from app.review.types import PersonScene
from backends.body import BodyParams, load_body, posed_keypoints
from backends.camera import assumed_camera
from backends.confidence import confidence_rgb
from backends.confidence.agreement import AGREEMENT_JOINTS
from backends.confidence.sensitivity import JointSensitivity, Occluder, SensitivityMap
from backends.keypoints.layout import INDEX

F8 = npt.NDArray[np.float64]
BODY = load_body()


def result(*, lost: bool = False) -> Occlusion:
    places = Occluder().places(224, 224)
    errors = {"mesh": np.full((11, 11, 14), 0.01), "keypoints": np.ones((11, 11, 14))}
    errors["mesh"][4, 6, 3] = 0.5
    gone = np.zeros((11, 11), bool)
    if lost:
        gone[2:5, 2:5] = True
        for values in errors.values():
            values[gone] = np.nan
    return Occlusion(
        np.full((224, 224, 3), 90, np.uint8), np.array([[1.0, 0, 5], [0, 1.0, 7]]), np.full((14, 2), 112.0),
        Occluder(), SensitivityMap(places, errors, gone), UNOCCLUDED,
    )  # fmt: skip


def test_a_value_lies_at_the_middle_of_its_place() -> None:
    values = np.zeros((11, 11))
    values[4, 6] = 8.0
    field = heat_field(values, Occluder().places(224, 224), 224, 224)
    assert field.shape == (224, 224)
    assert field[99, 139] == pytest.approx(7.6, abs=0.45)  # the middle lies between two pixels
    assert field[99, 119] < 0.5
    assert np.unravel_index(field.argmax(), field.shape)[0] in (99, 100)


def test_places_without_a_value_stay_unknown() -> None:
    values = np.full((11, 11), np.nan)
    values[:, :5] = 3.0
    field = heat_field(values, Occluder().places(224, 224), 224, 224)
    assert np.allclose(field[:, :90], 3.0)
    assert np.isnan(field[:, 140:]).all()


def test_the_picture_shows_through_and_lost_places_are_hatched() -> None:
    image = np.full((40, 40, 3), 100, np.uint8)
    field = np.full((40, 40), 100.0, np.float32)
    field[:, 20:] = np.nan
    nobody = np.zeros((40, 40), bool)
    nobody[:, 30:] = True
    over = heat_over(image, field, 50.0, nobody=nobody)
    expected = 0.38 * 100 + 0.62 * confidence_rgb(100.0, 50.0)
    assert np.abs(over[10, 10] - expected).max() <= 1
    assert (over[10, 25] == 100).all()
    assert (over[:, 30:] == 232).any()
    assert not (over[:, :30] == 232).any()


def test_the_map_for_a_frame_is_clear_where_nothing_is_known() -> None:
    field = np.array([[0.0, 100.0, np.nan]], np.float32)
    rgba = heat_rgba(field, TOLERANCE["mesh"])
    assert rgba[0, 2, 3] == 0
    assert 0 < rgba[0, 0, 3] < rgba[0, 1, 3]


def test_errors_are_shown_in_millimetres_and_pixels() -> None:
    assert result().shown("mesh", 3)[4, 6] == 500.0
    assert result().shown("mesh")[0, 0] == pytest.approx(10.0)
    assert result().shown("keypoints")[0, 0] == 1.0


def test_a_result_that_is_written_is_read_again(tmp_path: Path) -> None:
    save_occlusion(tmp_path / "one.npz", result(lost=True))
    again = load_occlusion(tmp_path / "one.npz")
    assert np.array_equal(again.map.errors["mesh"], result(lost=True).map.errors["mesh"], equal_nan=True)
    assert again.map.lost.sum() == 9
    assert again.occluder == Occluder()
    assert again.against == UNOCCLUDED


def test_files_that_are_no_result_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "one.npz"
    save_occlusion(path, result())
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    for change in (
        {"lost": np.zeros((3, 3), bool)}, {"image": np.zeros((4, 4), np.uint8)},
        {"error_mesh": np.zeros((11, 11, 3))}, {"occluder": np.array([0, 0])},
        {"places": np.array([object()], dtype=object)},
    ):  # fmt: skip
        np.savez(path, **{**arrays, **change})
        with pytest.raises(FootageError, match=r"one\.npz is damaged"):
            load_occlusion(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FootageError, match=r"one\.npz is damaged"):
        load_occlusion(path)
    with pytest.raises(FootageError, match="cannot be read"):
        load_occlusion(tmp_path / "nowhere.npz")


def test_the_sheet_shows_14_panels_the_mean_and_frames_the_worst_place(tmp_path: Path) -> None:
    quiet = replace(
        result(), map=SensitivityMap(result().map.places, {"mesh": np.zeros((11, 11, 14))}, result().map.lost)
    )
    figure, still = occlusion_sheet(result(lost=True), "mesh", "Somebody"), occlusion_sheet(quiet, "mesh")
    hot = confidence_rgb(1000.0)
    expected = (0.38 * 90 + 0.62 * hot).astype(int)
    close = (np.abs(figure.pixels.astype(int) - expected).max(axis=2) < 12).sum()
    none = (np.abs(still.pixels.astype(int) - expected).max(axis=2) < 12).sum()
    assert close > none + 200  # joint 3 glows in its panel
    figure.save(tmp_path / "sheet.png")
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == figure.pixels.shape
    with pytest.raises(StorageError, match="png or"):
        figure.save(tmp_path / "sheet.docx")
    with pytest.raises(StorageError, match="cannot be written"):
        figure.save(tmp_path / "nowhere" / "sheet.png")


def test_a_result_in_which_nobody_was_found_can_still_be_drawn() -> None:
    nobody = SensitivityMap(
        result().map.places, {"mesh": np.full((11, 11, 14), np.nan)}, np.ones((11, 11), bool)
    )
    assert occlusion_sheet(replace(result(), map=nobody), "mesh").pixels.min() < 200


def test_the_t_pose_glows_where_a_hidden_joint_costs_most(tmp_path: Path) -> None:
    total = np.zeros((14, 14))
    total[6] = 0.5  # the right wrist
    sums = JointSensitivity(
        {"mesh": total}, {"mesh": np.ones((14, 14))}, np.zeros(14, np.int64), np.ones(14, np.int64)
    )
    figure = dataset_sheet(sums, BODY, "Data set")
    pose = figure.pixels[158 : 158 + 760, 44 : 44 + 760].astype(int)
    warm = (pose[..., 0] - pose[..., 2]) > 60
    columns = np.nonzero(warm.any(axis=0))[0]
    assert len(columns)
    assert columns.max() < 380  # the right hand of who faces us is on our left
    save_dataset_occlusion(tmp_path / "sums.npz", sums)
    with np.load(tmp_path / "sums.npz", allow_pickle=False) as file:
        assert file["mean_mesh"][6] == pytest.approx(0.5)


def test_a_crop_is_a_square_about_the_box_and_its_camera_sees_the_same() -> None:
    to_crop = crop_transform([100.0, 50.0, 200.0, 450.0])
    middle = to_crop[:, :2] @ np.array([150.0, 250.0]) + to_crop[:, 2]
    assert middle == pytest.approx([111.5, 111.5])
    assert to_crop[0, 0] == pytest.approx(224 / 480)
    camera = assumed_camera(640, 480)
    point = np.array([0.3, -0.2, 4.0])
    small = crop_camera(camera, to_crop)
    assert small.project(point) == pytest.approx(to_crop[:, :2] @ camera.project(point) + to_crop[:, 2])
    image = np.zeros((480, 640, 3), np.uint8)
    image[244:257, 144:157] = 255
    assert cut(image, to_crop)[110:114, 110:114].mean() > 200
    with pytest.raises(FootageError, match="no size"):
        crop_transform([5.0, 5.0, 5.0, 5.0])
    with pytest.raises(FootageError, match="no size"):
        crop_transform([0.0, 0.0, np.nan, 5.0])


def test_the_truth_gives_14_joints_of_any_layout() -> None:
    xy = np.random.default_rng(0).uniform(0, 100, (17, 2))
    found = joints_by_name(xy, COCO17.joints)
    assert np.allclose(found[12], xy[[5, 6]].mean(axis=0))
    assert np.allclose(found[13], xy[0])
    lsp = joints_by_name(np.random.default_rng(1).uniform(0, 100, (14, 2)), LSP14.joints)
    assert np.isfinite(lsp[:13]).all()
    assert np.isnan(lsp[13]).all()  # the top of a head is no nose
    visibility = np.full(17, 2, np.uint8)
    visibility[10] = 0
    person = TruePerson(1, points_2d=(Points2D(COCO17, xy, visibility),))
    joints = true_joints(person, None, BODY)
    assert np.isnan(joints.xy[AGREEMENT_JOINTS.index("right_wrist")]).all()
    assert np.isnan(joints.xyz).all()


def test_the_truth_of_a_body_of_ours_is_projected() -> None:
    pose = np.zeros((55, 3))
    pose[0] = [np.pi, 0, 0]
    params = BodyParams(np.zeros(BODY.n_betas), pose, np.array([0.0, 0.0, 4.0]))
    camera = assumed_camera(640, 480)
    joints = true_joints(TruePerson(1, params=params, body="free"), camera, BODY)
    points = posed_keypoints(BODY, params)
    assert np.allclose(joints.xyz[0], points[INDEX["right_ankle"]])
    assert np.allclose(joints.xy, camera.project(joints_14(points)))
    reference = reference_of(joints, np.array([[1.0, 0, 0], [0, 1.0, 0]]))
    assert reference["mesh"][[2, 3]].mean(axis=0) == pytest.approx(np.zeros(3))
    with pytest.raises(FootageError, match="says nothing"):
        reference_of(TrueJoints(np.full((14, 2), np.nan), np.full((14, 3), np.nan)), np.eye(3)[:2])


def test_a_box_for_the_tool_lies_about_what_is_in_the_picture() -> None:
    xy = np.full((23, 2), np.nan, np.float32)
    xy[:10] = np.linspace([10, 20], [90, 120], 10)
    xy[10] = [5000, 5000]
    zeros = np.zeros(23, np.float32)
    person = PersonScene(
        1, "Person 1", 0, xy, zeros, np.full(23, 2, np.uint8), np.zeros(23, np.uint8), zeros, ("",) * 23,
        None, None, None, None, 0.0, False, False,
    )  # fmt: skip
    assert box_of(person, 200, 200) == pytest.approx([-2, 8, 102, 132])
    with pytest.raises(FootageError, match="Too little of Person 1"):
        box_of(person, 30, 30)


@pytest.fixture(scope="module")
def walker(footage_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of somebody who walks past."""
    if not all(ModelStore().has(m) for m in ("blazepose-detector", "blazepose-landmarks")):
        pytest.skip("the default networks are not installed (understudy models install)")
    from app.footage import open_footage

    path = tmp_path_factory.mktemp("picture") / "walker.png"
    with open_footage(footage_folder / "side_walk.mp4") as footage:
        cv2.imwrite(str(path), footage.frame(100)[..., ::-1])
    return path


@pytest.mark.network_weights
def test_hiding_a_person_breaks_the_mesh_more_than_hiding_the_grass(walker: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        confidence, ["occlude", str(walker), "-o", str(tmp_path), "--stride", "46", "--json"]
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["estimators"]["mesh"]["worst"] > 3 * said["estimators"]["mesh"]["mean"]
    found = load_occlusion(tmp_path / "sensitivity.npz")
    assert found.shown("mesh").shape == (5, 5)
    assert found.shown("mesh")[0, 0] < 0.3 * np.nanmax(found.shown("mesh"))
    assert (tmp_path / "sensitivity_keypoints.png").is_file()


@pytest.mark.network_weights
def test_the_demo_draws_a_figure_and_names_the_worst_joint(walker: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(confidence, ["demo", str(walker), "-o", str(tmp_path / "d.png"), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert [j["joint"] for j in said["joints"]] == list(AGREEMENT_JOINTS)
    assert sum(j["worst"] for j in said["joints"]) == pytest.approx(1.0, abs=1e-3)
    assert (tmp_path / "d.png").stat().st_size > 100_000


@pytest.mark.network_weights
def test_a_picture_of_nobody_and_a_person_too_many_end_with_a_clear_error(
    walker: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((300, 300, 3), 128, np.uint8))
    done = CliRunner().invoke(confidence, ["demo", str(tmp_path / "grey.png")])
    assert "Nobody was found" in str(done.exception)
    done = CliRunner().invoke(confidence, ["occlude", str(walker), "--person", "9"])
    assert "no person 9" in str(done.exception)


@pytest.mark.network_weights
def test_correlation_arrays_of_a_data_set_are_written_with_its_truth(
    walker: Path, footage_folder: Path, tmp_path: Path
) -> None:
    data = footage_folder / "coco" / "test_coco.json"
    done = CliRunner().invoke(confidence, ["correlate", str(data), "-o", str(tmp_path), "--step", "3"])
    assert done.exit_code == 0, done.output
    found = read_arrays(tmp_path)["test"]
    assert len(found) >= 1
    assert np.median(found.se) < 0.15
    assert np.nanmedian(found.ed) < 0.15
    assert found.confidence.max() <= 1.0


@pytest.mark.network_weights
def test_a_person_of_a_data_set_is_shown_with_the_true_error(
    walker: Path, footage_folder: Path, tmp_path: Path
) -> None:
    data = footage_folder / "coco" / "test_coco.json"
    run = CliRunner()
    done = run.invoke(confidence, ["qualitative", str(data), "0", "-o", str(tmp_path / "q.png"), "--json"])
    assert done.exit_code == 0, done.output
    assert all(0 <= j["true_error"] < 1 for j in json.loads(done.stdout)["joints"])
    assert (tmp_path / "q.png").is_file()
    done = run.invoke(confidence, ["qualitative", str(data), "999"])
    assert "count from 0" in str(done.exception)
