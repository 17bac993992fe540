"""A body in its clothes, as one mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backends.body.model import BodyModel
from backends.body.skeleton import JOINT_INDEX
from backends.synthetic.garments import clothes, heads
from backends.synthetic.garments.outfits import Cap, Outfit
from backends.synthetic.garments.surface import F8, Surface, cut, joined, worn
from backends.synthetic.garments.tailor import Tailor


@dataclass(frozen=True, slots=True, eq=False)
class Dressed:
    """Somebody in clothes.

    Attributes:
        body: to be posed with the same parameters as the bare body; another mesh, the same joints.
        colors: (N, 3) uint8 RGB of its vertices.
        head: (F,) which faces belong to the head, with hair, cap, mask and glasses.
        outfit: what it was made from.
    """

    body: BodyModel
    colors: npt.NDArray[np.uint8]
    head: npt.NDArray[np.bool_]
    outfit: Outfit


_TUCK = 0.03
"""How far the skin goes on under the edge of a garment, metres."""


def dress(
    body: BodyModel, betas: F8, outfit: Outfit, rng: np.random.Generator, *, features: bool = True
) -> Dressed:
    """Clothes for one person.

    Args:
        body: the shipped body; betas: (B,) the person's shape.
        features: brows, lips and eyes; False leaves the face of a mannequin.
    """
    tailor = Tailor(body, betas, rng)
    gowned = outfit.gown is not None
    upper = clothes.gown(tailor, outfit.gown) if outfit.gown is not None else clothes.top(tailor, outfit)
    pieces = [upper, clothes.trousers(tailor, outfit.trousers), clothes.shoes(tailor, outfit.shoes)]
    if outfit.gloves is not None:
        pieces.append(clothes.gloves(tailor, outfit.gloves))
    if outfit.badge:
        pieces.append(clothes.badge(tailor, upper, outfit.skin))
    capped = outfit.cap is not Cap.NONE
    pieces += heads.hair(tailor, outfit, under_cap=capped)
    pieces += heads.cap(tailor, outfit)
    if outfit.mask is not None:
        pieces += heads.surgical_mask(tailor, outfit.mask)
    if outfit.glasses:
        pieces += heads.glasses(tailor)
    if features:
        pieces += heads.features(tailor, outfit)
    whole = joined([_skin(tailor, outfit, gowned, features), *pieces])
    colors = np.clip(np.rint(whole.colors), 0, 255).astype(np.uint8)
    on_head = whole.mix @ body.head_vertices.astype(np.float64)
    head = on_head[whole.faces].mean(axis=1) > 0.5
    return Dressed(worn(body, whole), colors, head, outfit)


def _skin(tailor: Tailor, outfit: Outfit, gowned: bool, features: bool) -> Surface:
    """The skin that is not under cloth, painted; skin that would never be seen is left out."""
    rest = tailor.rest
    fields = [
        clothes.top_field(
            tailor, rest, 0.93 if gowned else outfit.sleeves, 0.0 if gowned else outfit.neck_depth
        ),
        clothes.trousers_field(tailor, rest),
    ]
    if outfit.gloves is not None:
        fields.append(clothes.glove_field(tailor, rest))
    if outfit.cap is not Cap.NONE:
        fields.append(heads.cap_field(tailor, rest, outfit.cap is Cap.BOUFFANT))
    bare = tailor.skin.painted(
        heads.face_paint(tailor, rest, outfit.skin, outfit) if features else outfit.skin
    )
    for side in ("left", "right") if features else ():
        ball = tailor.body.part_of_vertex == JOINT_INDEX[f"{side}_eye_smplhf"]
        bare = bare.painted((234, 232, 228), ball)
    return cut(bare, _TUCK - np.max(fields, axis=0))
