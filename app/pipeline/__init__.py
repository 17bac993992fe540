"""Stages and the background worker that runs them."""
