"""The OpenGL viewport: picture, meshes, keypoints, 3D room."""
