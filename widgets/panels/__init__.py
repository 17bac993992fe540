"""Side panels: people, review queue, keypoints, de-identification."""
