"""Doors: every way in. They take things in and decide nothing."""
