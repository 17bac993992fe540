"""Searching finished pictures for faces and people that a cover has missed."""
