"""The scene without the people."""
