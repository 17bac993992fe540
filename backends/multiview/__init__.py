"""Several calibrated cameras: points in space from pixels, and who is who across views."""

from backends.multiview.associate import associate
from backends.multiview.triangulate import Triangulated, triangulate, undistorted

__all__ = ["Triangulated", "associate", "triangulate", "undistorted"]
