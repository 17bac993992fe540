"""Keypoints of one person: layouts, types, estimators."""
