"""Fitting a body to keypoints."""
