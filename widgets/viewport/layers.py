"""What is drawn with OpenGL: the picture, the bodies, and lines in the room."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from vispy import gloo

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]

_PICTURE_VERTEX = """
uniform mat4 u_matrix;
attribute vec2 a_uv;
varying vec2 v_uv;
void main() { v_uv = a_uv; gl_Position = u_matrix * vec4(a_uv, 0.0, 1.0); }
"""
_PICTURE_FRAGMENT = """
uniform sampler2D u_texture;
uniform float u_from;
uniform float u_to;
uniform float u_width;
varying vec2 v_uv;
void main() {
    float x = gl_FragCoord.x / u_width;
    if (x < u_from || x > u_to) discard;
    gl_FragColor = vec4(texture2D(u_texture, v_uv).rgb, 1.0);
}
"""


class PictureLayer:
    """One picture, or the part of it between two columns of the screen."""

    def __init__(self) -> None:
        self._program = gloo.Program(_PICTURE_VERTEX, _PICTURE_FRAGMENT)
        self._program["a_uv"] = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
        self._texture: gloo.Texture2D | None = None
        self._image: U1 | None = None
        self._fresh = False

    @property
    def empty(self) -> bool:
        """True while there is nothing to show."""
        return self._image is None

    def set_image(self, image: U1 | None) -> None:
        """(H, W, 3) RGB, or nothing."""
        self._image = None if image is None else np.ascontiguousarray(image)
        self._fresh = True

    def draw(self, matrix: F4, width: float, start: float = 0.0, end: float = 1.0) -> None:
        """Draw between the shares ``start`` and ``end`` of the screen's width (physical pixels)."""
        if self._image is None:
            return
        if self._fresh:
            if self._texture is None or tuple(self._texture.shape[:2]) != self._image.shape[:2]:
                self._texture = gloo.Texture2D(self._image, interpolation="linear", wrapping="clamp_to_edge")
                self._program["u_texture"] = self._texture
            else:
                self._texture.set_data(self._image)
            self._fresh = False
        self._program["u_matrix"] = matrix
        self._program["u_from"], self._program["u_to"], self._program["u_width"] = start, end, width
        gloo.set_state(depth_test=False, blend=False, cull_face=False)
        self._program.draw("triangle_strip")


_MESH_VERTEX = """
uniform mat4 u_matrix;
uniform mat3 u_axes;
attribute vec3 a_position;
attribute vec3 a_normal;
attribute vec3 a_color;
varying vec3 v_normal;
varying vec3 v_color;
varying vec3 v_eye;
uniform vec3 u_eye;
void main() {
    v_normal = u_axes * a_normal;
    v_eye = u_axes * (u_eye - a_position);
    v_color = a_color;
    gl_Position = u_matrix * vec4(a_position, 1.0);
}
"""
# The light of the rasterizer that draws the exports: sky and floor, a soft key, a cool fill, dimmed edges.
_MESH_FRAGMENT = """
uniform float u_opacity;
varying vec3 v_normal;
varying vec3 v_color;
varying vec3 v_eye;
float wrapped(float c, float w) { return max(0.0, (c + w) / (1.0 + w)); }
void main() {
    vec3 n = normalize(v_normal);
    vec3 e = normalize(v_eye);
    if (dot(n, e) < 0.0) n = -n;
    vec3 light = mix(vec3(0.23, 0.215, 0.20), vec3(0.47, 0.50, 0.54), 0.5 - 0.5 * n.y);
    light += vec3(0.70, 0.685, 0.655) * wrapped(dot(n, normalize(vec3(-0.50, -0.62, -0.60))), 0.35);
    light += vec3(0.13, 0.14, 0.155) * wrapped(dot(n, normalize(vec3(0.86, -0.10, -0.50))), 0.50);
    float edge = 1.0 - dot(n, e);
    light *= 1.0 - 0.34 * edge * edge;
    vec3 linear = pow(v_color, vec3(2.2)) * light;
    gl_FragColor = vec4(pow(clamp(linear, 0.0, 1.0), vec3(1.0 / 2.2)), u_opacity);
}
"""


class Topology:
    """Triangles and edges that all bodies share; the edges are made when they are first drawn."""

    def __init__(self, faces: npt.NDArray[np.int32]) -> None:
        self._faces = faces
        self.triangles = gloo.IndexBuffer(faces.astype(np.uint32))
        self._edges: gloo.IndexBuffer | None = None

    @property
    def edges(self) -> gloo.IndexBuffer:
        """Every edge once."""
        if self._edges is None:
            f = self._faces
            pairs = np.sort(np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]]), axis=1)
            self._edges = gloo.IndexBuffer(np.unique(pairs, axis=0).astype(np.uint32))
        return self._edges


class MeshLayer:
    """One body with a colour at every vertex."""

    def __init__(self, topology: Topology) -> None:
        self._program = gloo.Program(_MESH_VERTEX, _MESH_FRAGMENT)
        self._topology = topology
        self._position, self._normal, self._color = (gloo.VertexBuffer() for _ in range(3))
        self._bound = False

    def set_body(self, vertices: F4, normals: F4, rgb: U1) -> None:
        """(V, 3) places, unit normals and colours."""
        self._position.set_data(np.ascontiguousarray(vertices, np.float32))
        self._normal.set_data(np.ascontiguousarray(normals, np.float32))
        self._color.set_data(rgb.astype(np.float32) / 255.0)
        if not self._bound:
            self._program["a_position"] = self._position
            self._program["a_normal"] = self._normal
            self._program["a_color"] = self._color
            self._bound = True

    def draw(self, matrix: F4, axes: F4, eye: F4, opacity: float, wireframe: bool) -> None:
        """Draw; ``axes`` (3, 3) turns normals to camera axes (x right, y down, z away)."""
        p = self._program
        p["u_matrix"], p["u_axes"], p["u_eye"], p["u_opacity"] = matrix, axes, eye, opacity
        if opacity < 1.0 and not wireframe:
            # Depth first, so that the far side of a limb does not shine through its near side.
            gloo.set_state(depth_test=True, blend=False, cull_face=False)
            gloo.set_color_mask(False, False, False, False)
            p.draw("triangles", self._topology.triangles)
            gloo.set_color_mask(True, True, True, True)
            gloo.set_depth_func("lequal")
        gloo.set_state(
            depth_test=True, blend=True, cull_face=False,
            blend_func=("src_alpha", "one_minus_src_alpha", "one", "one_minus_src_alpha"),
        )  # fmt: skip
        if wireframe:
            p.draw("lines", self._topology.edges)
        else:
            p.draw("triangles", self._topology.triangles)
        gloo.set_depth_func("less")


_LINE_VERTEX = """
uniform mat4 u_matrix;
attribute vec3 a_position;
attribute vec4 a_color;
varying vec4 v_color;
void main() { v_color = a_color; gl_Position = u_matrix * vec4(a_position, 1.0); }
"""
_LINE_FRAGMENT = """
varying vec4 v_color;
void main() { gl_FragColor = v_color; }
"""


class LineLayer:
    """Pairs of points joined by lines: the floor's grid, the cameras."""

    def __init__(self) -> None:
        self._program = gloo.Program(_LINE_VERTEX, _LINE_FRAGMENT)
        self._n = 0

    def set_lines(self, points: F4, colors: F4) -> None:
        """(2N, 3) points and (2N, 4) colours."""
        self._n = len(points)
        if self._n:
            self._program["a_position"] = np.ascontiguousarray(points, np.float32)
            self._program["a_color"] = np.ascontiguousarray(colors, np.float32)

    def draw(self, matrix: F4) -> None:
        """Draw behind what is nearer."""
        if not self._n:
            return
        gloo.set_state(
            depth_test=True, blend=True, cull_face=False, blend_func=("src_alpha", "one_minus_src_alpha")
        )
        self._program["u_matrix"] = matrix
        self._program.draw("lines")
