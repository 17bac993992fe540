"""How the bodies look that stand for people: clay, one colour, coloured by confidence, clothes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.deidentify.plan import Method
from app.export.coverage import Presence
from app.project.records import TrackRecord
from backends.body import BodyModel, BodyParams, FixedBody
from backends.body.skeleton import JOINT_INDEX
from backends.confidence import confidence_rgb, vertex_mm
from backends.deidentify.belief import LimbVertices, limb_vertices
from backends.render import REACH_M, Light, Mesh, closed_faces
from backends.synthetic.garments.dress import dress
from backends.synthetic.garments.outfits import SCRUBS, Cap, Hair, Outfit

U1 = npt.NDArray[np.uint8]
F4 = npt.NDArray[np.float32]
I8 = npt.NDArray[np.int64]

_CLAY = np.array(
    [(146, 184, 214), (150, 192, 168), (182, 172, 216), (134, 190, 194), (202, 176, 204), (176, 184, 194),
     (150, 162, 208)], np.uint8,
)  # fmt: skip
"""Cool, calm colours that tell people apart and are nobody's skin: a bare body in beige looks undressed."""

UNKNOWN_RGB = (150, 154, 160)
"""Of a body whose confidence nobody knows: a guess between two frames."""

_FLAT = Light(sky=(1.0, 1.0, 1.0), floor=(1.0, 1.0, 1.0), lamps=(), edge=0.22)
"""One colour; only edges are a little darker, so that an arm before the chest can be told from it."""

_CLOTH = Light(edge=0.6)
"""Clothes and skin darken more towards their rims than a body that shows colours with a meaning: limbs are
round, and an arm ends before a trunk of the same colour. On six scenes networks found people again as often
or a little more often (mean OKS 0.854 -> 0.866); at 0.8 a crowd gave 0.838, not 0.888: so much is chance."""


def mesh_color(track: TrackRecord) -> U1:
    """The colour of a person's body in the export."""
    color: U1 = _CLAY[track.color_index % len(_CLAY)]
    return color


_HEAD_JOINTS = [JOINT_INDEX[n] for n in ("head", "jaw", "left_eye_smplhf", "right_eye_smplhf")]
_NOBODYS_SKIN = (168, 118, 88)
"""In the middle of the tones of real skins, the same for everybody: it says nothing of anybody's. Faces and
arms have to stand out: as pale as a wall, or behind a mask, people are found again less often."""
_CAP = (52, 84, 120)


_KEPT = 24
"""People whose clothes are kept: sewing takes most of a second, and each takes seven megabytes. In a long
recording many come and go."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A body as it is shown; ``head_faces`` (K,) are the faces of ``mesh`` that are head, ``limbs`` where
    its vertices lie on the limbs."""

    mesh: Mesh
    head_faces: I8
    limbs: LimbVertices


class Wardrobe:
    """Makes the meshes that are shown. Clothes are sewn once for each person."""

    def __init__(self, body: BodyModel) -> None:
        self._body = body
        self._head_faces = _head_faces(body)
        self._limbs = limb_vertices(body)
        self._closed = closed_faces(body.v_template, body.faces)
        self._bare = FixedBody(body)
        self._worn: OrderedDict[tuple[int, int, bytes], _Worn] = OrderedDict()
        self._most = _KEPT

    def expect(self, people: int) -> None:
        """So many are in the picture together: their clothes are kept, whatever their number."""
        self._most = max(self._most, 2 * people)

    def shown(self, presence: Presence, params: BodyParams, method: Method) -> Shown:
        """The person's body, posed by ``params``, in the look of ``method``."""
        faces, track = self._body.faces, presence.track
        if method.look == "clothed":
            worn = self._clothes_of(track, params)
            posed = worn.posable.posed(params).astype(np.float32)
            mesh = Mesh(posed, worn.faces, worn.colors, light=_CLOTH, closed=worn.closed)
            return Shown(mesh, worn.head_faces, worn.limbs)
        vertices, light = self._bare.posed(params).astype(np.float32), None
        colors: U1 | tuple[int, int, int] = mesh_color(track)
        if method.look == "confidence":
            sure = presence.confidence
            colors = UNKNOWN_RGB if sure is None else confidence_rgb(vertex_mm(self._body, sure))
        elif method.look == "plain":
            light = _FLAT
        mesh = Mesh(vertices, faces, colors, light=light, closed=self._closed)
        return Shown(mesh, self._head_faces, self._limbs)

    def _clothes_of(self, track: TrackRecord, params: BodyParams) -> _Worn:
        betas = np.asarray(track.betas if track.betas is not None else params.betas, np.float64)
        key = (track.track_id, track.color_index, betas.tobytes())
        found = self._worn.get(key)
        if found is not None:
            self._worn.move_to_end(key)
        else:
            scrubs = SCRUBS[track.color_index % len(SCRUBS)]
            outfit = Outfit(
                _NOBODYS_SKIN, _NOBODYS_SKIN, Hair.NONE, scrubs, scrubs, (90, 96, 104), cap=Cap.BOUFFANT,
                cap_color=_CAP,
            )  # fmt: skip
            rng = np.random.default_rng(track.track_id)
            dressed = dress(self._body, betas, outfit, rng, features=False)
            # Of one person only the newest shape is kept: it changes with corrections.
            for old in [k for k in self._worn if k[0] == track.track_id]:
                del self._worn[old]
            cloth = dressed.body
            # The ends of the skin lie under cloth.
            skin = (dressed.colors == _NOBODYS_SKIN).all(axis=1)
            closed = closed_faces(cloth.v_template, cloth.faces, np.where(skin, 0.0, REACH_M))
            found = _Worn(
                dressed.colors, cloth.faces, FixedBody(cloth), _head_faces_dressed(cloth),
                limb_vertices(cloth), closed,
            )  # fmt: skip
            self._worn[key] = found
            while len(self._worn) > self._most:
                self._worn.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Worn:
    """Somebody in clothes: which faces are head, where vertices lie on the limbs, see :class:`Mesh` for
    the rest."""

    colors: U1
    faces: npt.NDArray[np.int32]
    posable: FixedBody
    head_faces: I8
    limbs: LimbVertices
    closed: npt.NDArray[np.bool_]


def _head_faces(body: BodyModel) -> I8:
    return np.flatnonzero(body.head_vertices[body.faces].all(axis=1))


def _head_faces_dressed(body: BodyModel) -> I8:
    """Also cap and mask: whatever moves with the head."""
    share = (np.isin(body.skin_joints, _HEAD_JOINTS) * body.skin_weights).sum(axis=1)
    return np.flatnonzero((share > 0.5)[body.faces].all(axis=1))
