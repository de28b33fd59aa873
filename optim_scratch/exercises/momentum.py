"""Exercises of the chapter on momentum."""
