"""Transport, plots and person lanes."""
