"""The rasterizer against brute force: what is seen at each pixel, how deep, and how much of it is covered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from backends.body import BodyParams, load_body, posed_vertices
from backends.camera import Camera, assumed_camera
from backends.errors import InputError
from backends.render import UNLIT, Mesh, Picture, composite, pick, rasterize

WIDTH, HEIGHT = 64, 48
CAMERA = assumed_camera(WIDTH, HEIGHT)
RED, BLUE = (200, 30, 20), (20, 40, 210)


def quad(z: float, half: float = 0.4, center: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Four corners of a square that faces the camera, metres."""
    x, y = center
    return np.array(
        [[x - half, y - half, z], [x + half, y - half, z], [x + half, y + half, z], [x - half, y + half, z]]
    )


QUAD_FACES = np.array([[0, 1, 2], [0, 2, 3]])


def soup(seed: int, n: int) -> Mesh:
    """Triangles anywhere before the camera."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform((-0.6, -0.4, 1.5), (0.6, 0.4, 4.0), (n, 1, 3))
    corners = middle + rng.normal(0, 0.25, (n, 3, 3))
    corners[..., 2] = np.maximum(corners[..., 2], 0.6)
    colors = rng.integers(0, 256, (3 * n, 3)).astype(np.uint8)
    return Mesh(corners.reshape(-1, 3), np.arange(3 * n).reshape(-1, 3), colors)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def brute_force(mesh: Mesh, camera: Camera, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth and face at ``places`` (P, 2), in doubles, and how far the nearest edge is (P,) in pixels."""
    vertices = np.asarray(mesh.vertices, np.float64)
    screen = camera.project(vertices)
    depth, face = np.full(len(places), np.inf), np.full(len(places), -1)
    edge = np.full(len(places), np.inf)
    for f, (a, b, c) in enumerate(np.asarray(mesh.faces)):
        p = screen[[a, b, c]]
        area = cross(p[1] - p[0], p[2] - p[0])
        sides = np.stack([cross(p[(k + 1) % 3] - p[k], places - p[k]) for k in range(3)])
        lengths = np.array([np.hypot(*(p[(k + 1) % 3] - p[k])) for k in range(3)])
        away = np.sign(area) * sides / lengths[:, None]
        inside = (away > 0).all(axis=0)
        edge = np.minimum(edge, np.where(inside, away.min(axis=0), np.abs(away.min(axis=0))))
        u, v, w = sides[1] / area, sides[2] / area, sides[0] / area
        z = 1.0 / (u / vertices[a, 2] + v / vertices[b, 2] + w / vertices[c, 2])
        nearer = inside & (z < depth)
        depth[nearer], face[nearer] = z[nearer], f
    return depth, face, edge


def centres() -> np.ndarray:
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)


def same(a: Picture, b: Picture) -> bool:
    names = ("rgb", "coverage", "depth", "face_id", "mesh_id")
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in names)


@pytest.mark.parametrize("seed", range(3))
def test_depth_and_face_of_every_pixel_agree_with_brute_force(seed: int) -> None:
    mesh = soup(seed, 40)
    picture = rasterize([mesh], CAMERA, light=UNLIT)
    depth, face, edge = brute_force(mesh, CAMERA, centres())
    # Screen positions are rounded to 1/256 pixel: closer to an edge than that either answer is right.
    clear = edge > 0.02
    assert clear.mean() > 0.8
    found_face, found_depth = picture.face_id.ravel(), picture.depth.ravel()
    np.testing.assert_array_equal(found_face[clear] >= 0, face[clear] >= 0)
    drawn = clear & (face >= 0)
    agree = found_face[drawn] == face[drawn]
    # Where two triangles cross, they are equally deep; there only the depth is compared.
    assert agree.mean() > 0.99
    steep = np.abs(found_depth[drawn] / depth[drawn] - 1)
    assert np.quantile(steep, 0.99) < 2e-3
    assert np.median(steep) < 1e-4


def test_the_nearer_mesh_hides_the_farther_one_whatever_their_order() -> None:
    near = Mesh(quad(2.0, 0.2), QUAD_FACES, RED)
    far = Mesh(quad(3.0, 0.6), QUAD_FACES, BLUE)
    for meshes, number in (([near, far], 0), ([far, near], 1)):
        picture = rasterize(meshes, CAMERA, light=UNLIT)
        middle = HEIGHT // 2, WIDTH // 2
        assert picture.mesh_id[middle] == number
        assert picture.depth[middle] == pytest.approx(2.0, rel=1e-5)
        assert tuple(picture.rgb[middle]) == RED
        beside = HEIGHT // 2, WIDTH // 2 + 12
        assert picture.mesh_id[beside] == 1 - number
        assert tuple(picture.rgb[beside]) == BLUE


def test_meshes_that_cross_are_cut_along_the_line_where_they_meet() -> None:
    a = np.array([[-0.6, -0.4, 2.0], [0.6, -0.4, 3.0], [0.6, 0.4, 3.0], [-0.6, 0.4, 2.0]])
    b = a * [-1, 1, 1]
    picture = rasterize([Mesh(a, QUAD_FACES, RED), Mesh(b, QUAD_FACES, BLUE)], CAMERA, light=UNLIT)
    row = picture.mesh_id[HEIGHT // 2]
    assert row[WIDTH // 2 - 6] == 0
    assert row[WIDTH // 2 + 6] == 1


@pytest.mark.parametrize("turn", [0.0, 0.1, 0.37, 0.7])
def test_coverage_adds_up_to_the_area_of_the_shape(turn: float) -> None:
    c, s = np.cos(turn), np.sin(turn)
    corners = quad(2.0, 0.3) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    picture = rasterize([Mesh(corners, QUAD_FACES, RED)], CAMERA)
    area = (0.6 * CAMERA.fx / 2.0) ** 2
    assert picture.coverage.sum() == pytest.approx(area, rel=0.01)
    assert picture.coverage.min() >= 0.0
    assert picture.coverage.max() == 1.0
    rim = (picture.coverage > 0) & (picture.coverage < 1)
    assert rim.any()


def test_no_gap_and_no_double_edge_between_faces_that_share_an_edge() -> None:
    rng = np.random.default_rng(4)
    n = 12
    x, y = np.meshgrid(np.linspace(-1.5, 1.5, n), np.linspace(-1.2, 1.2, n))
    vertices = np.stack([x, y, 2.0 + 0.1 * rng.random((n, n))], axis=-1).reshape(-1, 3)
    at = np.arange(n * n).reshape(n, n)
    a, b, c, d = at[:-1, :-1].ravel(), at[:-1, 1:].ravel(), at[1:, 1:].ravel(), at[1:, :-1].ravel()
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    picture = rasterize([Mesh(vertices, faces, (255, 255, 255))], CAMERA, light=UNLIT)
    assert (picture.coverage == 1.0).all()
    assert (picture.rgb == 255).all()


def test_a_face_that_reaches_behind_the_camera_is_cut_at_the_near_plane() -> None:
    floor = np.array([[-5.0, 1.0, -3.0], [5.0, 1.0, -3.0], [5.0, 1.0, 50.0], [-5.0, 1.0, 50.0]])
    picture = rasterize([Mesh(floor, QUAD_FACES, RED)], CAMERA, light=UNLIT, near=0.1)
    rows = np.arange(HEIGHT)
    for row in rows[HEIGHT // 2 + 4 :]:
        # The ray through a pixel meets the floor at z = f * 1 m / (y - cy).
        expected = CAMERA.fy / (row - CAMERA.K[1, 2])
        assert picture.depth[row, WIDTH // 2] == pytest.approx(expected, rel=1e-3)
    assert (picture.face_id[: HEIGHT // 2 - 1] == -1).all()
    assert picture.depth[np.isfinite(picture.depth)].min() >= 0.1 * 0.999


def test_what_lies_behind_the_camera_draws_nothing() -> None:
    picture = rasterize([Mesh(quad(-2.0), QUAD_FACES, RED)], CAMERA)
    assert (picture.coverage == 0).all()
    assert picture.rgb.shape == (HEIGHT, WIDTH, 3)


def test_faces_with_vertices_that_are_not_numbers_are_left_out_and_the_rest_is_drawn() -> None:
    good, bad = quad(2.0, 0.3, (-0.3, 0.0)), quad(2.0, 0.3, (0.3, 0.0))
    bad[1] = np.nan
    bad[2, 2] = np.inf
    both = Mesh(np.concatenate([good, bad]), np.concatenate([QUAD_FACES, QUAD_FACES + 4]), RED)
    picture = rasterize([both], CAMERA)
    alone = rasterize([Mesh(good, QUAD_FACES, RED)], CAMERA)
    assert np.isfinite(picture.coverage).all()
    np.testing.assert_array_equal(picture.face_id, alone.face_id)
    np.testing.assert_array_equal(picture.rgb, alone.rgb)


def test_the_picture_does_not_depend_on_the_number_of_threads() -> None:
    meshes = [soup(7, 60), soup(8, 60)]
    one = rasterize(meshes, CAMERA, threads=1)
    assert same(one, rasterize(meshes, CAMERA, threads=2))
    assert same(one, rasterize(meshes, CAMERA, threads=3))


def test_several_threads_of_the_program_may_draw_at_once() -> None:
    meshes = [soup(9, 80)]
    expected = rasterize(meshes, CAMERA)
    with ThreadPoolExecutor(4) as pool:
        for picture in pool.map(lambda _: rasterize(meshes, CAMERA), range(24)):
            assert same(picture, expected)


def test_a_body_is_whole_and_shaded_with_its_own_colour() -> None:
    body = load_body()
    upright = BodyParams.rest(body.n_betas)
    upright.pose[0] = (np.pi, 0.0, 0.0)
    upright.transl[:] = (0.0, 0.3, 3.0)
    camera = assumed_camera(320, 240)
    mesh = Mesh(posed_vertices(body, upright), body.faces, (150, 160, 170))
    picture = rasterize([mesh], camera)
    assert 3000 < picture.coverage.sum() < 15000
    inner = picture.rgb[picture.coverage == 1.0].astype(int)
    # Form is drawn by light, and the hue stays.
    assert inner.mean(axis=1).std() > 5
    assert 90 < inner.mean() < 220
    assert np.abs(np.diff(inner.mean(axis=0) / np.array([150, 160, 170]))).max() < 0.1


def test_composite_mixes_edges_by_coverage_and_leaves_the_rest_alone() -> None:
    image = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    picture = rasterize([Mesh(quad(2.0, 0.31), QUAD_FACES, RED)], CAMERA, light=UNLIT)
    before = image.copy()
    out = composite(image, picture)
    np.testing.assert_array_equal(image, before)
    alpha = picture.coverage[..., None]
    expected = image + (np.array(RED) - image.astype(float)) * alpha
    assert np.abs(out - expected).max() <= 1.0
    np.testing.assert_array_equal(out[picture.coverage == 0], image[picture.coverage == 0])
    half = composite(image, picture, 0.5)
    assert np.abs(half - (image + (np.array(RED) - image.astype(float)) * alpha * 0.5)).max() <= 1.0
    with pytest.raises(InputError, match="cannot lay"):
        composite(image[:-1], picture)


def test_picking_finds_mesh_face_and_depth_under_a_point() -> None:
    picture = rasterize([Mesh(quad(2.0, 0.2), QUAD_FACES, RED)], CAMERA)
    found = pick(picture, WIDTH / 2 + 2, HEIGHT / 2 - 2)
    assert found is not None
    assert (found.mesh, found.face) == (0, 0)
    assert found.depth == pytest.approx(2.0, rel=1e-4)
    assert pick(picture, 0, 0) is None
    assert pick(picture, float("nan"), 3) is None
    assert pick(picture, -50, 900) is None


@pytest.mark.parametrize(
    ("mesh", "message"),
    [
        (Mesh(np.zeros((4, 2)), QUAD_FACES, RED), "vertices need shape"),
        (Mesh(quad(2.0), np.zeros((2, 4), int), RED), "faces need shape"),
        (Mesh(quad(2.0), QUAD_FACES, np.zeros((3, 3), np.uint8)), "colours need shape"),
        (Mesh(quad(2.0), QUAD_FACES + 1, RED), "not there"),
    ],
)
def test_wrong_arrays_are_refused_in_words(mesh: Mesh, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rasterize([mesh], CAMERA)


def test_a_camera_without_focal_length_and_a_picture_without_size_are_refused() -> None:
    broken = Camera(K=np.diag([np.nan, 50.0, 1.0]), width=64, height=48)
    with pytest.raises(InputError, match="focal length"):
        rasterize([Mesh(quad(2.0), QUAD_FACES, RED)], broken)
    with pytest.raises(InputError, match="size"):
        rasterize([], CAMERA, size=(0, 5))


def test_no_meshes_and_empty_meshes_give_an_empty_picture() -> None:
    empty = Mesh(np.zeros((0, 3)), np.zeros((0, 3), int), RED)
    for meshes in ([], [empty]):
        picture = rasterize(meshes, CAMERA)
        assert (picture.coverage == 0).all()
        assert np.isinf(picture.depth).all()
        assert (picture.mesh_id == -1).all()
