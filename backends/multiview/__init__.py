"""Several calibrated cameras: points in space from pixels, who is who across views, where cameras stand."""

from backends.multiview.associate import associate
from backends.multiview.refine import Refined, refine_cameras
from backends.multiview.triangulate import Triangulated, triangulate, undistorted

__all__ = ["Refined", "Triangulated", "associate", "refine_cameras", "triangulate", "undistorted"]
