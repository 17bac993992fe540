"""Finding people in a picture."""
