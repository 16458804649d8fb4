"""Deeds: what the desk does about what came in. The only writers."""
