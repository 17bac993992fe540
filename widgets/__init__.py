"""The window. Talks to app, never to backends."""
